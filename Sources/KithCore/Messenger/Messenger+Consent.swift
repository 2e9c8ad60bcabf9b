import KithWire
import MLS

// Consent: a conversation that a stranger began is pending until the user accepts or declines it. While it is pending, nothing that
// this device does tells anybody that the letter was read, and nothing but the daily trim of the inbox that the device is there.

extension Messenger {
    /// Whether this device may follow a conversation's log, send to it and answer in it. Everything that others could notice
    /// asks here first.
    func mayAct(in conversation: Conversation) -> Bool { conversation.record.consent == .given }

    /// Whether a conversation waits for the user's consent.
    func isPending(_ conversation: Conversation) -> Bool {
        !mayAct(in: conversation) && conversation.record.status.isOpen
    }

    /// Whether a letter begins a pending conversation. An invite for one person is consent to the person who uses it.
    func isPending(from inviter: AccountKey?, through purpose: InboxRecord.Purpose) -> Bool {
        !purpose.isForOne && contacts.acquaintance(inviter) == nil
    }

    /// Whether one more pending conversation is taken.
    var hasRoomForPending: Bool {
        conversations.values.count(where: isPending) < ClientLimits.pendingConversations
    }

    /// Leaves a stranger's letter at the relay until the user has decided about others, and tells the user once.
    func leaveForLater() -> Taken {
        if !isTooManyPendingTold {
            isTooManyPendingTold = true
            tell(.tooManyPending)
        }
        return .aside(.room)
    }

    /// Takes part in a conversation from now on: follows its log, and gives the other person of two an address.
    func accept(_ conversation: Conversation) throws(KithError) {
        guard !mayAct(in: conversation), conversation.record.status.isOpen else { return }
        conversation.record.accept()
        touch(conversation)
        _ = meet(try group(of: conversation).group, mayBeDirect: conversation.record.isDirect, trust: .unverified)
        relays.want(conversation.record.relay, in: &step)
        sendCard(in: conversation)
        for id in inboxes.keys.sorted() where inboxes[id]?.record.ledTo(conversation.id) == true {
            try deposit(id, replacing: 1)
        }
        try open(conversation)
        tell(.conversation(try summary(of: conversation)))
        isTooManyPendingTold = false
    }

    /// Ends a pending conversation. The stranger is not told.
    func decline(_ conversation: Conversation) throws(KithError) {
        try end(conversation, .left)
        isTooManyPendingTold = false
    }
}
