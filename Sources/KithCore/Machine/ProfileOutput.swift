import KithWire

/// The output of a ``ProfileMachine``'s step. The transaction must be on the disk before the effects are carried out, in order.
package struct ProfileOutput: Sendable {
    /// The values to store.
    package var transaction = StoreTransaction()
    /// The effects to carry out after the transaction.
    package var effects: [Effect] = []

    package init() {}

    /// Appends the output of a later step.
    package mutating func append(_ other: ProfileOutput) {
        transaction.append(other.transaction)
        effects += other.effects
    }
}

/// An action outside of the machine.
package enum Effect: Sendable {
    /// Keeps a connection to a relay from now on, reconnecting as needed.
    case connect(RelayID, RelayPoint)
    /// Sends a request. Dropped if the connection is gone.
    case request(RelayID, tag: UInt64, Request)
    /// Follows an epoch of a channel.
    case follow(RelayID, tag: UInt64, ChannelID, epoch: UInt64, fromSeq: UInt64)
    /// Ends a follow.
    case unfollow(RelayID, tag: UInt64)
    /// Reports an event to the user.
    case event(KithEvent)
    /// Ends a command. The answer has the type of the command's ticket.
    case finish(CommandID, Result<any Sendable, KithError>)
}
