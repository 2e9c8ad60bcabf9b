import KithWire

/// Decides which items of a conversation's outbox are dropped, because they are for people whom the user has blocked.
struct BlockPolicy {
    /// Whether the conversation is one of two with a blocked person.
    let isBlocked: Bool
    /// Whether the log has been read to its end.
    let isLive: Bool

    /// Returns whether an item is dropped. A contact card waits instead, because it is sent only once: the user may unblock the
    /// person.
    ///
    /// An item that was sent on an earlier connection may be in the log. If this device forgot the item, it would not recognize
    /// the entry as its own. So the item stays until the log has been read.
    ///
    /// - Parameters:
    ///   - isUnderWay: whether the item was sent on this connection, or the relay has acknowledged it.
    ///   - hasBlocked: whether the user has blocked an account.
    func drops(_ item: OutboxItem, isUnderWay: Bool, hasBlocked: (AccountKey) -> Bool) -> Bool {
        guard item.attempt == nil || isLive && !isUnderWay else { return false }
        switch item.body {
        case .content: return isBlocked && !item.isCard
        case .privateRequest(_, let account): return hasBlocked(account)
        case .leaveProposal: return false
        }
    }
}
