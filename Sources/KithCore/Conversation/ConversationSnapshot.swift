import KithWire
import MLS

/// The state of a conversation, for tests of the machine from outside.
package struct ConversationSnapshot: Sendable {
    /// The conversation's channel.
    package let channel: ChannelID
    /// The epoch of its group.
    package let epoch: UInt64
    /// The last entry that was processed.
    package let lastSeq: UInt64
    /// Whether sending waits for the user's decision.
    package let isBlocked: Bool
    /// Whether this device has asked the others to remove it.
    package let isLeaving: Bool
}

/// A group's place at its relay, with the tokens that give a member access to it.
package struct GroupPlace: Sendable {
    package let relay: RelayPoint
    package let channel: ChannelID
    /// The epoch of the group.
    package let epoch: UInt64
    /// The tokens of that epoch: to read, to append, to turn.
    package let tokens: [Token]
    /// The last entry that was processed.
    package let lastSeq: UInt64
}

extension Group {
    package var memberAccounts: [AccountKey] {
        members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey }
    }
}
