import KithWire

/// An input of a conversation.
enum ConversationInput {
    /// A relay is connected: the conversation's, or another.
    case connected(RelayID)
    case disconnected(RelayID)
    case answered(ConversationRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, FollowPlace)
    case followed(UInt64, epoch: UInt64, FollowEvent)
    case followRefused(UInt64, RelayError)
    /// The commit that the log waits for has arrived.
    case commitFetched([UInt8])
    case commitLost(RelayError.Code)
    /// The state of a delivery changed.
    case delivery(DeliveryQueue.Event)
    case tick
}

/// The place at which a follow begins.
struct FollowPlace {
    let epoch: UInt64
    /// The first entry that the follow will bring.
    let firstSeq: UInt64
    /// The last entry that was at the relay when the follow began.
    let lastSeq: UInt64
}
