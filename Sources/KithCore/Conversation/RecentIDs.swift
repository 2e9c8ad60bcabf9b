import KithWire

/// The ids of the last messages, to notice one that is said twice.
struct RecentIDs {
    private var ids: Set<EntryID> = []
    private var order: [EntryID] = []
    /// Enough for a device to notice a repeat that the log brings much later, in little memory.
    private static let most = 4096

    /// Returns whether the id is new.
    mutating func insert(_ id: EntryID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count >= 2 * Self.most {
            for old in order.prefix(Self.most) { ids.remove(old) }
            order.removeFirst(Self.most)
        }
        return true
    }
}
