/// Where a cursor begins that is used for the first time.
public enum CursorStart: Hashable, Sendable {
    /// At the first message that this device has: nothing is left out.
    case beginning
    /// Behind everything that is there already.
    case now
}

/// A named place in every conversation, for a program that reads messages. It moves by acknowledgements only, whatever a person
/// has read.
///
/// One reader uses a cursor at a time. What the reader was given stands in `scanned`, in memory: a new reader begins at the last
/// acknowledgement.
struct MessageCursor: Sendable {
    /// The cursor's number in the store.
    let number: UInt64
    /// The name that the reader gave it.
    let name: CursorName
    /// The reader that uses it now. Earlier readers get nothing more.
    private(set) var reader: UInt64 = 0
    /// The places, as they are stored or about to be. A conversation without one was never read.
    private var places: [ConversationID: CursorPlace]
    /// The last entry of each conversation that this reader was given or that holds nothing for readers.
    private var scanned: [ConversationID: UInt64] = [:]
    /// The last entry of each conversation that an earlier reader was given.
    private var deliveredBefore: [ConversationID: UInt64] = [:]
    /// The conversation that the last message was from.
    private var last: ConversationID?

    init(number: UInt64, name: CursorName, places: [ConversationID: CursorPlace]) {
        self.number = number
        self.name = name
        self.places = places
    }

    /// Begins anew behind the last acknowledgements, for another reader.
    mutating func begin(reader: UInt64) {
        self.reader = reader
        scanned = [:]
        deliveredBefore = places.mapValues(\.delivered)
        last = nil
    }

    /// The place of a conversation as it is to be stored.
    func place(in conversation: ConversationID) -> CursorPlace { places[conversation] ?? CursorPlace() }

    /// The last entry that this reader need not look at.
    func scanned(in conversation: ConversationID) -> UInt64 {
        scanned[conversation] ?? place(in: conversation).acknowledged
    }

    /// Whether an earlier reader was given an entry, and did not acknowledge it.
    func isRepeated(_ seq: UInt64, in conversation: ConversationID) -> Bool {
        seq <= deliveredBefore[conversation] ?? 0
    }

    /// Conversations in the order in which they are looked through: each behind the one that the last message was from, so that
    /// none waits while another has much to say.
    func inTurn(_ conversations: [ConversationID]) -> [ConversationID] {
        let sorted = conversations.sorted()
        guard let last, let next = sorted.firstIndex(where: { $0 > last }) else { return sorted }
        return Array(sorted[next...] + sorted[..<next])
    }

    /// Passes over entries that hold nothing for readers.
    mutating func pass(through seq: UInt64, in conversation: ConversationID) { scanned[conversation] = seq }

    /// Hands an entry out.
    ///
    /// - Returns: the place to store; `nil` if it is as before.
    mutating func deliver(_ seq: UInt64, in conversation: ConversationID) -> CursorPlace? {
        scanned[conversation] = seq
        last = conversation
        return change(conversation) { $0.didDeliver(seq) }
    }

    /// Takes an acknowledgement of an entry and of all before it in its conversation.
    ///
    /// - Returns: the place to store; `nil` if it is as before.
    mutating func acknowledge(_ seq: UInt64, in conversation: ConversationID) -> CursorPlace? {
        change(conversation) { $0.didAcknowledge(seq) }
    }

    private mutating func change(
        _ conversation: ConversationID, _ body: (inout CursorPlace) -> Bool
    ) -> CursorPlace? {
        var place = place(in: conversation)
        guard body(&place) else { return nil }
        places[conversation] = place
        return place
    }
}
