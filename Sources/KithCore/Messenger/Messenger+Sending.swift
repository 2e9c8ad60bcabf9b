import KithWire
import MLS

// The outbox: what this device says, until the log has it.

extension Messenger {
    /// Stores something to be sent, and sends it if that can be now.
    func enqueue(_ item: OutboxItem, in conversation: Conversation) {
        conversation.outbox.append(item, as: conversation.record.takeOutboxNumber(), in: &step)
        touch(conversation)
    }

    /// Sends what waits, in order, a bounded number at a time.
    func sendOutbox(_ conversation: Conversation, _ loaded: Conversation.LoadedGroup) throws(KithError) {
        let isBlocked = isBlocked(conversation)
        for item in conversation.outbox.items {
            guard conversation.sync.inFlight.count < ClientLimits.messagesInFlight else { return }
            guard !conversation.sync.inFlight.contains(item.entryID), !conversation.sync.isTooLarge(item.entryID),
                !conversation.acknowledged.contains(item.entryID)
            else { continue }
            if item.body != .leaveProposal, isBlocked || mustChangeFirst(conversation, loaded.group) { continue }
            var attempt = item.attempt
            if attempt == nil, let fresh = try encrypt(item, conversation, loaded) {
                conversation.outbox.encrypted(item.entryID, as: fresh, in: &step)
                touch(conversation)
                attempt = fresh
            }
            guard let attempt else { return }
            conversation.sync.didSend(item.entryID)
            request(
                conversation.record.relay,
                .append(
                    channel: conversation.record.channel, epoch: attempt.epoch, id: item.entryID,
                    payload: attempt.payload[...]),
                for: .append(conversation.id, item.entryID))
        }
    }

    /// Whether a change of the group has to come before the next message: one's own keys, or what others proposed.
    private func mustChangeFirst(_ conversation: Conversation, _ group: Group) -> Bool {
        !group.pendingProposals.isEmpty || (conversation.record.renewedAt == 0 && conversation.record.memberCount > 1)
            || conversation.record.memberCount < 2
    }

    /// Whether something has to be decided by the user first.
    func isBlocked(_ conversation: Conversation) -> Bool {
        conversation.record.isSuspect || conversation.record.contact.flatMap { contacts[$0]?.conflictingKey } != nil
    }

    private func encrypt(
        _ item: OutboxItem, _ conversation: Conversation, _ loaded: Conversation.LoadedGroup
    ) throws(KithError) -> OutboxItem.Attempt? {
        guard let view = conversation.record.view else { return nil }
        let message: MLSMessage
        switch item.body {
        case .leaveProposal:
            message = try callingMLS { () throws(MLSError) in
                try loaded.group.propose(.remove(loaded.group.ownLeafIndex), in: environment)
            }
        case .content(let body):
            let content = Content(
                messageID: item.entryID, sentAt: item.sentAt, view: view, replyTo: item.replyTo,
                expiresAfter: item.expiresAfter, body: body)
            guard let padded = ContentPadding.pad(content.encoded) else {
                throw .tooLong(limit: ClientLimits.paddedContent)
            }
            message = try callingMLS { () throws(MLSError) in try loaded.group.encrypt(padded, in: environment) }
        }
        return OutboxItem.Attempt(epoch: conversation.record.epoch, payload: message.encoded)
    }

    func didAppend(_ id: ConversationID, _ entry: EntryID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let conversation = conversations[id] else { return }
        let wasInFlight = conversation.sync.didLand(entry)
        switch result {
        case .success(.accepted(let seq)):
            // The log may have brought it already.
            guard let item = conversation.outbox.item(entry) else { break }
            if seq <= conversation.record.lastSeq {
                // It says that it has it where something else was, or where this device has not read.
                if wasInFlight, try !wasSaidBefore(entry, seq, conversation) {
                    try warn(conversation, .notKept(seq: seq))
                }
                break
            }
            conversation.acknowledged.add(entry, seq: seq, at: now)
            if let line = queuedMessage(item, in: conversation) { tell(.message(line)) }
        case .success: break
        case .failure(let error):
            switch error.code {
            case .tooLarge: drop(entry, of: conversation, limit: error.detail)
            // A turn was first: the log will bring it, and then it is encrypted again. Until then it is not sent again.
            case .staleEpoch:
                // The answer may come after the turn: then it is about an attempt that is over.
                if wasInFlight { conversation.sync.didSend(entry) }
                return
            case .gone: try stop(conversation, .closed)
            case .denied: try stop(conversation, .denied)
            default: conversation.sync.retryAt = now + error.patienceMs
            }
        }
        try pump(conversation)
    }

    /// A text that the relay will not take as long as it is: the user is told, and it is not kept. What Kith itself sends waits
    /// until another connection finds the relay more generous.
    private func drop(_ entry: EntryID, of conversation: Conversation, limit: UInt64) {
        guard let item = conversation.outbox.item(entry), queuedMessage(item, in: conversation) != nil else {
            return conversation.sync.setAside(tooLarge: entry)
        }
        _ = conversation.outbox.remove(entry, in: &step)
        touch(conversation)
        tell(.longerThanRelayTakes(entry, limit: limit), in: conversation)
    }

    /// What was sent before this device was removed, and had no answer then, is in the log already when the device is back:
    /// in the part that it missed.
    private func wasSaidBefore(_ id: EntryID, _ seq: UInt64, _ conversation: Conversation) throws(KithError) -> Bool {
        let owner = conversation.id.rawValue
        guard let begin = conversation.record.epochBegin,
            conversation.outbox.item(id) != nil,
            try reading({ () throws(StoreError) in try store.value(StoreKey(.entry, owner: owner, item: seq)) }) == nil,
            let item = conversation.outbox.remove(id, in: &step)
        else { return false }
        touch(conversation)
        guard case .content(.text(let text)) = item.body else { return true }
        let entry = Entry(
            seq: seq, epoch: conversation.record.epoch, kind: .message, receivedAtMs: item.sentAt, id: id, payload: [])
        // Views are never compared in what was missed.
        let record = EntryRecord(
            entry, view: begin, author: .me, sentAtMs: item.sentAt, replyTo: item.replyTo,
            expiresAfter: item.expiresAfter, body: .text(text))
        didNote(record, at: entry, in: conversation)
        return true
    }

    /// Gives the other side of a conversation of two an inbox to reach this device by, once the input has been handled: the inbox
    /// may have to be made.
    ///
    /// - Parameter isAgain: whether the other side may not have it although it was sent before: a restored device does not.
    func sendCard(in conversation: Conversation, isAgain: Bool = false) {
        guard conversation.record.isDirect, isAgain || !conversation.record.cardIsSent,
            conversation.record.contact != nil
        else { return }
        conversation.isCardDue = true
        cardsDue.append(conversation.id)
    }

    /// Sends the contact cards that fell due.
    func sendCardsDue() throws(KithError) {
        let due = cardsDue
        cardsDue = []
        for id in due {
            guard let conversation = conversations[id], conversation.isCardDue else { continue }
            conversation.isCardDue = false
            if let contact = conversation.record.contact,
                let address = try inboxAddress(for: contact, at: conversation.record.relay)
            {
                conversation.record.didSendCard()
                enqueue(
                    OutboxItem(entryID: .random(from: random), sentAt: wall, body: .content(.contactCard(address))),
                    in: conversation)
                try pump(conversation)
            } else {
                for place in commands.places(in: id) { finishIfInvited(place) }
            }
        }
    }

    private func inboxAddress(for contact: ContactID, at relay: RelayID) throws(KithError) -> InboxAddress? {
        let known = inboxes.keys.sorted().lazy.compactMap { self.inboxes[$0]?.record }.first {
            $0.purpose == .contact(contact) && $0.relay == relay && !$0.isClosing
        }
        if let known, let point = relays[relay] { return address(of: known, at: point) }
        return try makeInbox(at: relay, for: .contact(contact))?.address
    }
}
