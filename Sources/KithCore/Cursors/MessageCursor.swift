/// The place at which a new cursor begins.
public enum CursorStart: Hashable, Sendable {
    /// At the first message that this device has.
    case beginning
    /// After the last message that this device has.
    case now
}

/// A named place in every conversation, for a program that reads messages. Only acknowledgements move it, independent of what a
/// person has read.
///
/// One reader uses a cursor at a time. The entries delivered to the reader are noted in `scanned`, in memory: a new reader begins
/// at the last acknowledgement.
struct MessageCursor: Sendable {
    /// The cursor's number in the store.
    let number: UInt64
    /// The name that the reader gave it.
    let name: CursorName
    /// The reader that uses it now. Earlier readers get nothing more.
    private(set) var reader: UInt64 = 0
    /// The places, as stored or about to be stored. A conversation without a place was never read.
    private var places: [ConversationID: CursorPlace]
    /// The last entry of each conversation that was delivered to this reader or skipped as no message.
    private var scanned: [ConversationID: UInt64] = [:]
    /// The last entry of each conversation that was delivered to an earlier reader.
    private var deliveredBefore: [ConversationID: UInt64] = [:]
    /// The conversation of the last delivered message.
    private var last: ConversationID?

    init(number: UInt64, name: CursorName, places: [ConversationID: CursorPlace]) {
        self.number = number
        self.name = name
        self.places = places
    }

    /// Returns to the last acknowledgements, for another reader.
    mutating func begin(reader: UInt64) {
        self.reader = reader
        scanned = [:]
        deliveredBefore = places.mapValues(\.delivered)
        last = nil
    }

    /// The place in a conversation, as stored.
    func place(in conversation: ConversationID) -> CursorPlace { places[conversation] ?? CursorPlace() }

    /// The last entry that this reader need not look at.
    func scanned(in conversation: ConversationID) -> UInt64 {
        scanned[conversation] ?? place(in: conversation).acknowledged
    }

    /// Whether an entry was delivered to an earlier reader that did not acknowledge it.
    func isRepeated(_ seq: UInt64, in conversation: ConversationID) -> Bool {
        seq <= deliveredBefore[conversation] ?? 0
    }

    /// The conversations in the order of the search: it begins after the conversation of the last message, so that a busy
    /// conversation does not hold up the others.
    func inTurn(_ conversations: [ConversationID]) -> [ConversationID] {
        let sorted = conversations.sorted()
        guard let last, let next = sorted.firstIndex(where: { $0 > last }) else { return sorted }
        return Array(sorted[next...] + sorted[..<next])
    }

    /// Skips entries that hold no message.
    mutating func pass(through seq: UInt64, in conversation: ConversationID) { scanned[conversation] = seq }

    /// Notes the delivery of an entry.
    ///
    /// - Returns: the place to store; `nil` if it is as before.
    mutating func deliver(_ seq: UInt64, in conversation: ConversationID) -> CursorPlace? {
        scanned[conversation] = seq
        last = conversation
        return change(conversation) { $0.didDeliver(seq) }
    }

    /// Notes the acknowledgement of an entry and of all before it in its conversation.
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
