import DequeModule
import KithWire

/// The ids of recent messages, for detecting a message that arrives again.
struct RecentIDs {
    private var ids: Set<EntryID> = []
    private var order: Deque<EntryID> = []
    /// The number of ids that are kept. This number is enough to detect a repeat that arrives much later, and needs little
    /// memory.
    private static let most = 4096

    /// Adds an id.
    ///
    /// - Returns: `true` if the id was not among the recent ids before.
    mutating func insert(_ id: EntryID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count > Self.most, let oldest = order.popFirst() { ids.remove(oldest) }
        return true
    }
}
