import KithWire
import MLS

// The work of the commands in `Commands.swift`. What needs nobody is finished here; the rest when the relay or the log answers.

extension Messenger {
    func perform(_ command: GivenCommand) throws(KithError) {
        do throws(KithError) {
            try command.begin(self)
        } catch {
            // The store failing is no answer to a command: the machine is of no use any more.
            if case .store = error { throw error }
            step.fail(command, error)
        }
    }

    func createInvite(
        at point: RelayPoint, isReusable: Bool, expiresAt: UInt64, _ ticket: Ticket<OpenInvite>
    ) throws(KithError) {
        let relay = relays.id(given: point, in: &step)
        if let difference = clockDoubt(about: relay) { throw .wrongClock(difference) }
        let purpose = InboxRecord.Purpose.invite(isReusable: isReusable, expiresAt: expiresAt)
        guard let made = try makeInbox(at: relay, for: purpose) else { throw .notFound("relay") }
        commands.wait(ticket, forInviteTo: made.id)
    }

    func revoke(_ inbox: InboxID, _ ticket: Ticket<Void>) throws(KithError) {
        guard inboxes[inbox]?.record.purpose.isInvite == true else { throw .notFound("invite") }
        try close(inbox: inbox)
        commands.wait(ticket, forClosing: inbox)
    }

    func any(_ id: ConversationID) throws(KithError) -> Conversation {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        return conversation
    }

    private func open(_ id: ConversationID) throws(KithError) -> Conversation {
        let conversation = try any(id)
        guard conversation.record.status.isOpen else { throw .conversation(conversation.record.status) }
        return conversation
    }

    func active(_ id: ConversationID) throws(KithError) -> Conversation {
        let conversation = try any(id)
        guard conversation.record.status == .active else { throw .conversation(conversation.record.status) }
        return conversation
    }

    /// Has a change made; the command is over when it is in the log.
    func change(_ change: Intent.Change, _ conversation: Conversation, _ ticket: Ticket<ConversationID>)
        throws(KithError)
    {
        try accept(conversation)
        let intent = want(change, in: conversation)
        commands.wait(ticket, for: IntentPlace(conversation: conversation.id, intent: intent))
        try pump(conversation)
    }

    // MARK: Groups

    func add(_ members: [ContactID], _ conversation: Conversation, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let targets = try targets(members)
        guard !targets.isEmpty else { return finish(ticket, .success(conversation.id)) }
        if conversation.record.isDirect {
            // Only the other person's new device may be added to a conversation of two.
            guard members == conversation.record.contact.map({ [$0] }) else {
                throw .membership(.addingToTwo)
            }
        }
        try change(.add(targets), conversation, ticket)
    }

    func remove(_ contact: ContactID, _ conversation: Conversation, _ ticket: Ticket<ConversationID>) throws(KithError)
    {
        let person = try contacts.contact(contact)
        // It would end the conversation for both, and neither could undo it.
        guard !conversation.record.isDirect else {
            throw .membership(.removingFromTwo)
        }
        guard !(try group(of: conversation).group.leaves(of: person.accountKey)).isEmpty else {
            throw .membership(.noMember(person.name))
        }
        try change(.remove(person.accountKey), conversation, ticket)
    }

    func leave(_ conversationID: ConversationID, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let conversation = try any(conversationID)
        switch conversation.record.status {
        case .active where !mayAct(in: conversation):
            try decline(conversation)
            finish(ticket, .success(conversation.id))
        case .active: try change(.leave, conversation, ticket)
        case .preparing, .stopped:
            try end(conversation, .left)
            finish(ticket, .success(conversation.id))
        case .removed, .left: throw .conversation(conversation.record.status)
        }
    }

    func rename(_ conversation: Conversation, _ title: String, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let title = title.trimmedOneLine
        guard !conversation.record.isDirect else {
            throw .membership(.namingTwo)
        }
        guard !title.isEmpty, title.utf8.count <= ClientLimits.title else { throw .tooLong(limit: ClientLimits.title) }
        if conversation.isLeftAlone { throw .membership(.leftAlone) }
        try accept(conversation)
        enqueue(
            OutboxItem(entryID: .random(from: random), sentAt: wall, body: .content(.title(title))), in: conversation)
        finish(ticket, .success(conversation.id))
        try pump(conversation)
    }

    // MARK: Messages

    /// The conversation, if the text can be said there.
    func conversationForSending(_ text: String, _ id: ConversationID) throws(KithError) -> Conversation {
        let conversation = try open(id)
        if let problem = TextRules.problem(with: text) { throw problem.error }
        if conversation.record.isSuspect { throw .suspect }
        if conversation.isLeaving { throw .conversation(.left) }
        // It would wait for ever: the others are gone.
        if conversation.isLeftAlone { throw .membership(.leftAlone) }
        if let person = conversation.record.contact.flatMap({ contacts[$0] }), let other = person.conflictingKey {
            throw .keyChanged(
                contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
        }
        return conversation
    }

    /// Puts a text into the outbox of a conversation that ``conversationForSending(_:_:)`` has judged.
    func send(
        _ text: OutgoingText, _ conversation: Conversation, _ ticket: Ticket<EntryID>
    ) throws(KithError) {
        try accept(conversation)
        let item = OutboxItem(
            entryID: text.id, sentAt: wall, replyTo: text.replyTo, expiresAfter: text.expiresAfter,
            body: .content(.text(text.text)))
        enqueue(item, in: conversation)
        if let message = queuedMessage(item, in: conversation) { tell(.message(message)) }
        finish(ticket, .success(item.entryID))
        try pump(conversation)
    }

    func takeRequest(item: UInt64, _ bytes: [UInt8], _ ticket: Ticket<EntryID>) throws(KithError) {
        // Gone in the same transaction that puts the message into the outbox, or that finds that it can't be said.
        step.delete(StoreKey(.request, item: item))
        guard let request = try? SendRequest(stored: bytes) else { throw .notFound("request") }
        // Another may have the number of one that came to nothing.
        guard request.channel.map({ conversations[request.conversation]?.record.channel == $0 }) != false else {
            throw .notFound("conversation")
        }
        let conversation = try conversationForSending(request.text, request.conversation)
        let text = OutgoingText(
            id: request.entryID, text: request.text, replyTo: request.replyTo, expiresAfter: request.expiresAfter)
        try send(text, conversation, ticket)
    }

    func markRead(_ conversation: Conversation, _ seq: UInt64, _ sendsReceipt: Bool) throws(KithError) {
        let seq = min(seq, conversation.record.lastSeq)
        guard seq > conversation.record.readSeq else { return }
        let wasUnread = conversation.record.unread
        let isAll = seq >= conversation.record.lastSeq
        conversation.record.didRead(through: seq, unread: isAll ? 0 : try countUnread(conversation, after: seq))
        touch(conversation)
        tell(.conversation(try summary(of: conversation)))
        guard sendsReceipt, mayAct(in: conversation), wasUnread > conversation.record.unread,
            conversation.record.status == .active,
            conversation.record.memberCount <= ClientLimits.membersWithReceipts, seq > conversation.record.receiptSeq
        else { return }
        conversation.record.didSendReceipt(through: seq)
        let item = OutboxItem(
            entryID: .random(from: random), sentAt: wall, body: .content(.receipt(readThrough: seq)))
        enqueue(item, in: conversation)
        try pump(conversation)
    }

    private func countUnread(_ conversation: Conversation, after seq: UInt64) throws(KithError) -> Int {
        let unread = try entries(
            of: conversation.id, seq + 1...StoreKey.highest, limit: .max, newestFirst: false)
        return unread.count { $0.record.map { $0.author != .me && $0.body.isForPeople } ?? false }
    }

    /// The user has seen the warning and goes on. The next epoch gives every member the same view again; what was before it is
    /// not compared again.
    func trustLog(_ conversation: Conversation, _ ticket: Ticket<ConversationID>) throws(KithError) {
        conversation.record.trust()
        touch(conversation)
        if conversation.record.status == .active, conversation.record.memberCount > 1 { want(.renew, in: conversation) }
        finish(ticket, .success(conversation.id))
        tell(.conversation(try summary(of: conversation)))
        try pump(conversation)
    }
}

/// A text that is to be said.
struct OutgoingText: Sendable {
    /// The id that the message will have.
    let id: EntryID
    let text: String
    /// The message that it answers.
    let replyTo: EntryID?
    /// Time after which everyone deletes it, in seconds.
    let expiresAfter: UInt32?
}
