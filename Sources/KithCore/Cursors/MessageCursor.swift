/// The place at which a new cursor begins.
public enum CursorStart: Hashable, Sendable {
    /// The cursor begins at the first message that this device has.
    case beginning
    /// The cursor begins after the last message that this device has.
    case now
}

/// A named place in every conversation, for a program that reads messages. Only acknowledgements move a cursor. If a person reads
/// the messages, the cursor does not move.
///
/// A cursor has only one reader at a time. For each conversation, `scanned` has the last entry that the current reader has
/// received or skipped. `scanned` exists in memory only, so a new reader begins after the last acknowledgement.
struct MessageCursor: Sendable {
    /// The cursor's number in the store.
    let number: UInt64
    /// The cursor's name. The program that reads with the cursor has chosen the name.
    let name: CursorName
    /// The number of the current reader. Earlier readers get no more messages.
    private(set) var reader: UInt64 = 0
    /// The places that are stored or will be stored in this step. A conversation without a place was never read with this
    /// cursor.
    private var places: [ConversationID: CursorPlace]
    /// For each conversation, the last entry that the current reader has received or skipped. Entries that are not messages are
    /// skipped.
    private var scanned: [ConversationID: UInt64] = [:]
    /// For each conversation, the last entry that was delivered to an earlier reader.
    private var deliveredBefore: [ConversationID: UInt64] = [:]
    /// The conversation of the last delivered message.
    private var last: ConversationID?

    init(number: UInt64, name: CursorName, places: [ConversationID: CursorPlace]) {
        self.number = number
        self.name = name
        self.places = places
    }

    /// Moves the cursor back to the last acknowledgements. The new reader begins after the last acknowledged messages.
    mutating func begin(reader: UInt64) {
        self.reader = reader
        scanned = [:]
        deliveredBefore = places.mapValues(\.delivered)
        last = nil
    }

    /// Returns the place in a conversation.
    func place(in conversation: ConversationID) -> CursorPlace { places[conversation] ?? CursorPlace() }

    /// Returns the seq of the last entry that the current reader need not read.
    func scanned(in conversation: ConversationID) -> UInt64 {
        scanned[conversation] ?? place(in: conversation).acknowledged
    }

    /// Whether an entry was delivered to an earlier reader that did not acknowledge the entry.
    func isRepeated(_ seq: UInt64, in conversation: ConversationID) -> Bool {
        seq <= deliveredBefore[conversation] ?? 0
    }

    /// Returns the conversations in the order of the search. The search begins after the conversation of the last delivered
    /// message, so that a conversation with many messages does not delay the others.
    func inTurn(_ conversations: [ConversationID]) -> [ConversationID] {
        let sorted = conversations.sorted()
        guard let last, let next = sorted.firstIndex(where: { $0 > last }) else { return sorted }
        return Array(sorted[next...] + sorted[..<next])
    }

    /// Skips the entries through `seq`, none of which is a message.
    mutating func pass(through seq: UInt64, in conversation: ConversationID) { scanned[conversation] = seq }

    /// Notes the delivery of an entry.
    ///
    /// - Returns: the place that has to be stored; `nil` if the place has not changed.
    mutating func deliver(_ seq: UInt64, in conversation: ConversationID) -> CursorPlace? {
        scanned[conversation] = seq
        last = conversation
        return change(conversation) { $0.didDeliver(seq) }
    }

    /// Notes that an entry and all earlier entries of the conversation were acknowledged.
    ///
    /// - Returns: the place that has to be stored; `nil` if the place has not changed.
    mutating func acknowledge(_ seq: UInt64, in conversation: ConversationID) -> CursorPlace? {
        change(conversation) { $0.didAcknowledge(seq) }
    }

    /// Forgets the place in a conversation, because the conversation was deleted.
    mutating func forget(_ conversation: ConversationID) {
        places[conversation] = nil
        scanned[conversation] = nil
        deliveredBefore[conversation] = nil
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
