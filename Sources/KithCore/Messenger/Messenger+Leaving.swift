import KithWire
import MLS

// The ways out of a group.

extension Messenger {
    /// The others take this device out: it proposes that in every epoch until they did.
    func prepareLeaving(_ conversation: Conversation, _ group: Group) throws(KithError) {
        guard group.memberCount > 1 else {
            // Nobody is left to do it: the channel goes.
            request(
                conversation.record.relay, .close(channel: conversation.record.channel),
                for: .closeChannel(conversation.id))
            finishLeaving(conversation)
            return try end(conversation, .left)
        }
        let isProposed = group.pendingProposals.contains {
            $0.sender == .member(group.ownLeafIndex) && $0.proposal == .remove(group.ownLeafIndex)
        }
        guard !isProposed, !conversation.outbox.contains({ $0.body == .leaveProposal }) else { return }
        enqueue(OutboxItem(entryID: .random(from: random), sentAt: wall, body: .leaveProposal), in: conversation)
    }

    func finishLeaving(_ conversation: Conversation) {
        for intent in conversation.record.intents where intent.change == .leave {
            finishIntent(intent.id, of: conversation, .success(conversation.id))
            conversation.record.remove(intent: intent.id)
        }
    }
}
