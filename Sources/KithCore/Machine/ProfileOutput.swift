import KithWire

/// The output of a step of a ``ProfileMachine``. The transaction must be on the disk before the effects are performed. The
/// effects must be performed in their order.
package struct ProfileOutput: Sendable {
    /// The values that have to be stored.
    package var transaction = StoreTransaction()
    /// The effects that have to be performed after the transaction.
    package var effects: [Effect] = []

    package init() {}

    /// Appends the output of a later step.
    package mutating func append(_ other: ProfileOutput) {
        transaction.append(other.transaction)
        effects += other.effects
    }
}

/// An action outside the machine.
package enum Effect: Sendable {
    /// Keeps a connection to a relay from now on, and reconnects when necessary.
    case connect(RelayID, RelayPoint)
    /// Sends a request. If the connection no longer exists, the request is dropped.
    case request(RelayID, tag: UInt64, Request)
    /// Follows an epoch of a channel.
    case follow(RelayID, tag: UInt64, ChannelID, epoch: UInt64, fromSeq: UInt64)
    /// Ends a follow.
    case unfollow(RelayID, tag: UInt64)
    /// Reports an event to the user.
    case event(KithEvent)
    /// Begins a job that moves the bytes of a file. The job is repeated until it is done or ended.
    case transfer(TransferJob)
    /// Ends a job.
    case endTransfer(TransferID)
    /// Removes a file from the profile's folder of files, if the file exists.
    case removeFile(TransferID)
    /// Ends a command. The result has the type of the command's ticket.
    case finish(CommandID, Result<any Sendable, KithError>)
}
