import KithWire

/// What a ``Messenger`` wants done. First the transaction, on the disk; then the effects, in order.
package struct MessengerOutput: Sendable {
    /// What to store.
    package var transaction = StoreTransaction()
    /// What to do once it is stored.
    package var effects: [Effect] = []

    package init() {}

    /// Adds what came of a later input.
    package mutating func append(_ other: MessengerOutput) {
        transaction.append(other.transaction)
        effects += other.effects
    }
}

/// Something to do.
package enum Effect: Sendable {
    /// Keep a connection to a relay from now on, reconnecting as needed.
    case connect(RelayID, RelayPoint)
    /// Make a request. Dropped if the connection is gone.
    case request(RelayID, tag: UInt64, Request)
    /// Follow an epoch of a channel.
    case follow(RelayID, tag: UInt64, ChannelID, epoch: UInt64, fromSeq: UInt64)
    /// End a follow.
    case unfollow(RelayID, tag: UInt64)
    /// Tell the user.
    case event(KithEvent)
    /// A command is over. The answer has the type of the command's ticket.
    case finish(CommandID, Result<any Sendable, KithError>)
}
