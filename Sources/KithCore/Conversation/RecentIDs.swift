import DequeModule
import KithWire

/// The ids of recent messages with their seqs, for detecting repeated messages, and for finding the message that another
/// message answers.
struct RecentIDs {
    private var seqs: [EntryID: UInt64] = [:]
    private var order: Deque<EntryID> = []

    /// The seq of the message with an id; `nil` if the message is not among the recent ones.
    subscript(_ id: EntryID) -> UInt64? { seqs[id] }

    /// Adds the id of the message at a seq.
    ///
    /// - Returns: whether the id is new.
    mutating func insert(_ id: EntryID, at seq: UInt64) -> Bool {
        guard seqs[id] == nil else { return false }
        seqs[id] = seq
        order.append(id)
        if order.count > ClientLimits.recentIDs, let oldest = order.popFirst() { seqs[oldest] = nil }
        return true
    }
}
