import DequeModule
import KithWire

/// The ids of recent messages with their seqs, for detecting repeated messages, and for finding the messages that others
/// answer.
struct RecentIDs {
    private var seqs: [EntryID: UInt64] = [:]
    private var order: Deque<EntryID> = []
    /// The number of ids that are kept. This number is enough to detect a repeat that arrives much later, and needs little
    /// memory.
    private static let most = 4096

    /// The seq of the message with an id; `nil` if the message is not among the recent ones.
    subscript(_ id: EntryID) -> UInt64? { seqs[id] }

    /// Adds the id of the message at a seq.
    ///
    /// - Returns: whether the id is new.
    mutating func insert(_ id: EntryID, at seq: UInt64) -> Bool {
        guard seqs[id] == nil else { return false }
        seqs[id] = seq
        order.append(id)
        if order.count > Self.most, let oldest = order.popFirst() { seqs[oldest] = nil }
        return true
    }
}
