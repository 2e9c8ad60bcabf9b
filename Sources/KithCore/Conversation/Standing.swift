import KithWire
import MLS

/// The state of a conversation, for tests of the machine from outside.
package struct Standing: Sendable {
    /// The channel that it is on.
    package let channel: ChannelID
    /// The epoch of its group.
    package let epoch: UInt64
    /// The last entry that was processed.
    package let lastSeq: UInt64
    /// Whether sending waits for a decision of the user's.
    package let isBlocked: Bool
    /// Whether this device has asked the others to take it out.
    package let isLeaving: Bool
}

/// A group's place at its relay, with the tokens that let a member in there.
package struct GroupPlace: Sendable {
    /// The relay.
    package let relay: RelayPoint
    /// The channel there.
    package let channel: ChannelID
    /// The epoch of the group.
    package let epoch: UInt64
    /// The tokens of that epoch: to read, to append, to commit.
    package let tokens: [Token]
    /// The last entry that was processed.
    package let lastSeq: UInt64
}

extension Group {
    /// The accounts of its members.
    package var memberAccounts: [AccountKey] {
        members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey }
    }
}
