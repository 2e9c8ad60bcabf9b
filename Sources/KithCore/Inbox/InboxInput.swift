import KithWire

/// An input of an inbox.
enum InboxInput {
    case connected
    case disconnected
    case answered(InboxRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, lastSeq: UInt64)
    case followed(FollowEvent)
    case followRefused(RelayError)
    /// The tree that the first letter of the queue needs has arrived.
    case treeFetched([UInt8])
    case treeLost
    case tick
}
