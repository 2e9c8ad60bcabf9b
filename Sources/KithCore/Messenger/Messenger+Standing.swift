import KithWire
import MLS

/// The state of a conversation, for tests of the messenger from outside.
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

extension Messenger {
    /// The state of a conversation; `nil` if there is no such conversation.
    package func standing(of id: ConversationID) -> Standing? {
        guard let conversation = conversations[id] else { return nil }
        return Standing(
            channel: conversation.record.channel, epoch: conversation.record.epoch,
            lastSeq: conversation.record.lastSeq, isBlocked: isBlocked(conversation),
            isLeaving: conversation.isLeaving)
    }

    /// The conversation on a channel.
    package func conversation(on channel: ChannelID) -> ConversationID? { conversationsByChannel[channel] }

    /// The number of deliveries to others' inboxes that are not done.
    package var undelivered: Int { deliveries.count }

    /// The number of changes that invite somebody and are not done: each waits for a key package, its turn, or an inbox.
    package var waitingInvitations: Int {
        let wanted = conversations.values.filter { $0.record.status.isOpen }.flatMap { conversation in
            conversation.record.intents.compactMap { intent -> IntentPlace? in
                guard case .add = intent.change else { return nil }
                return IntentPlace(conversation: conversation.id, intent: intent.id)
            }
        }
        let underWay = deliveries.all.map { IntentPlace(conversation: $0.conversation, intent: $0.intent) }
        return Set(wanted + underWay).count
    }
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

extension Messenger {
    /// The place of the group that was begun last; `nil` if there is no group.
    package func latestGroup() throws(KithError) -> GroupPlace? {
        guard
            let conversation = conversations.values.filter({ !$0.record.isDirect }).max(by: { $0.id < $1.id }),
            let relay = relays[conversation.record.relay], let tokens = try group(of: conversation).tokens
        else { return nil }
        return GroupPlace(
            relay: relay, channel: conversation.record.channel, epoch: conversation.record.epoch,
            tokens: tokens.all, lastSeq: conversation.record.lastSeq)
    }
}

extension Group {
    /// The accounts of its members.
    package var memberAccounts: [AccountKey] {
        members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey }
    }
}
