import KithWire
import MLS

/// The state of a conversation, for tests of the machine.
package struct ConversationSnapshot: Sendable {
    /// The conversation's channel.
    package let channel: ChannelID
    /// The epoch of the conversation's group.
    package let epoch: UInt64
    /// The seq of the last entry that was processed.
    package let lastSeq: UInt64
    /// Whether nothing is sent until the user makes a decision.
    package let needsDecision: Bool
    /// Whether this device has asked the others to remove it.
    package let isLeaving: Bool
}

/// The place of a group at its relay, with the tokens that a member needs for access.
package struct GroupPlace: Sendable {
    package let relay: RelayPoint
    package let channel: ChannelID
    /// The epoch of the group.
    package let epoch: UInt64
    /// The tokens of the group's epoch: for reading, for appending entries, and for ending the epoch with a turn.
    package let tokens: [Token]
    /// The seq of the last entry that was processed.
    package let lastSeq: UInt64
}

extension Group {
    package var memberAccounts: [AccountKey] {
        members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey }
    }
}
