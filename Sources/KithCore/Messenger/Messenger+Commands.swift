import KithWire
import MLS

// What the user wants, begun. A command that needs nobody is finished here; the others when the relay or the log answers.

extension Messenger {
    func perform(_ command: Command, _ id: CommandID) throws(KithError) {
        do throws(KithError) {
            try begin(command, id)
        } catch {
            // The store failing is no answer to a command: the machine is of no use any more.
            if case .store = error { throw error }
            finish(id, .failure(error))
        }
    }

    private func begin(_ command: Command, _ id: CommandID) throws(KithError) {
        switch command {
        case .createInvite(let relay, let isReusable, let expiresAt):
            let purpose = InboxRecord.Purpose.invite(isReusable: isReusable, expiresAt: expiresAt)
            let relay = relays.id(given: relay, in: &step)
            if let difference = clockDoubt(about: relay) { throw .wrongClock(difference) }
            guard let made = try makeInbox(at: relay, for: purpose) else { throw .notFound("relay") }
            commands.wait(id, for: made.id)
        case .revokeInvite(let inbox):
            try revoke(inbox, id)
        case .join(let invite, let name): try join(invite, name, id)
        case .register(let name, let relay): try register(name, relay, id)
        case .lookUp(let name, let relay, let alias): try lookUp(name, relay, as: alias, id)
        case .accept(let conversation):
            try accept(try any(conversation))
            finish(id, .success(.done))
        case .startConversation(let contact, let waits): try startConversation(contact, waits: waits, id)
        case .createGroup(let title, let relay, let members): try createGroup(title, relay, members, id)
        case .add(let conversation, let members): try add(members, try active(conversation), id)
        case .remove(let conversation, let contact): try remove(contact, try active(conversation), id)
        case .leave(let conversation): try leave(conversation, id)
        case .rename(let conversation, let title): try rename(try active(conversation), title, id)
        case .send(let conversation, let text, let replyTo, let expiresAfter):
            let place = try conversationForSending(text, conversation)
            try send(text, as: .random(from: random), replyTo, expiresAfter, place, id)
        case .takeRequest(let item, let bytes):
            // Gone in the same transaction that puts the message into the outbox, or that finds that it can't be said.
            step.delete(StoreKey(.request, item: item))
            guard let request = try? SendRequest(stored: bytes) else { throw .notFound("request") }
            // Another may have the number of one that came to nothing.
            guard request.channel.map({ conversations[request.conversation]?.record.channel == $0 }) != false else {
                throw .notFound("conversation")
            }
            let place = try conversationForSending(request.text, request.conversation)
            try send(request.text, as: request.entryID, request.replyTo, request.expiresAfter, place, id)
        case .markRead(let conversation, let seq, let sendsReceipt):
            try markRead(try any(conversation), seq, sendsReceipt)
            finish(id, .success(.done))
        case .liveCheck(let conversation):
            let place = try any(conversation)
            try accept(place)
            try checkPresence(in: place)
            finish(id, .success(.done))
        case .setVerified(let contact, let isVerified):
            try contacts.setVerified(contact, isVerified, in: &step)
            finish(id, .success(.done))
        case .decideKey(let contact, let accept):
            try decideKey(contact, accept: accept)
            finish(id, .success(.done))
        case .renameContact(let contact, let name):
            try contacts.rename(contact, name, in: &step)
            finish(id, .success(.done))
        case .trustLog(let conversation): try trustLog(try any(conversation), id)
        case .setPass(let point):
            try relays.setPass(point, in: &step)
            finish(id, .success(.done))
        case .renewKeys(let conversation): try change(.renew, try active(conversation), id)
        }
    }

    private func revoke(_ inbox: InboxID, _ id: CommandID) throws(KithError) {
        guard inboxes[inbox]?.record.purpose.isInvite == true else { throw .notFound("invite") }
        try close(inbox: inbox)
        commands.wait(id, for: inbox)
    }

    private func any(_ id: ConversationID) throws(KithError) -> Conversation {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        return conversation
    }

    private func open(_ id: ConversationID) throws(KithError) -> Conversation {
        let conversation = try any(id)
        guard conversation.record.status.isOpen else { throw .conversation(conversation.record.status) }
        return conversation
    }

    private func active(_ id: ConversationID) throws(KithError) -> Conversation {
        let conversation = try any(id)
        guard conversation.record.status == .active else { throw .conversation(conversation.record.status) }
        return conversation
    }

    /// Has a change made; the command is over when it is in the log.
    func change(_ change: Intent.Change, _ conversation: Conversation, _ id: CommandID) throws(KithError) {
        try accept(conversation)
        let intent = want(change, in: conversation)
        commands.wait(id, for: IntentPlace(conversation: conversation.id, intent: intent))
        try pump(conversation)
    }

    // MARK: Groups

    private func add(_ members: [ContactID], _ conversation: Conversation, _ id: CommandID) throws(KithError) {
        let targets = try targets(members)
        guard !targets.isEmpty else { return finish(id, .success(.done)) }
        if conversation.record.isDirect {
            // Only the other person's new device may be added to a conversation of two.
            guard members == conversation.record.contact.map({ [$0] }) else {
                throw .membership("a conversation of two stays one; make a group instead")
            }
        }
        try change(.add(targets), conversation, id)
    }

    private func remove(_ contact: ContactID, _ conversation: Conversation, _ id: CommandID) throws(KithError) {
        let person = try contacts.contact(contact)
        // It would end the conversation for both, and neither could undo it.
        guard !conversation.record.isDirect else {
            throw .membership("nobody can be removed from a conversation of two; leave it instead")
        }
        guard !(try group(of: conversation).group.leaves(of: person.accountKey)).isEmpty else {
            throw .membership("\(name: person.name) is no member")
        }
        try change(.remove(person.accountKey), conversation, id)
    }

    private func leave(_ conversationID: ConversationID, _ id: CommandID) throws(KithError) {
        let conversation = try any(conversationID)
        switch conversation.record.status {
        case .active where !mayAct(in: conversation):
            try decline(conversation)
            finish(id, .success(.done))
        case .active: try change(.leave, conversation, id)
        case .preparing, .stopped:
            try end(conversation, .left)
            finish(id, .success(.done))
        case .removed, .left: throw .conversation(conversation.record.status)
        }
    }

    private func rename(_ conversation: Conversation, _ title: String, _ id: CommandID) throws(KithError) {
        let title = title.trimmedOneLine
        guard !conversation.record.isDirect else {
            throw .membership("a conversation of two goes by the contact's name")
        }
        guard !title.isEmpty, title.utf8.count <= ClientLimits.title else { throw .tooLong(limit: ClientLimits.title) }
        if conversation.isLeftAlone { throw .leftAlone }
        try accept(conversation)
        enqueue(
            OutboxItem(entryID: .random(from: random), sentAt: wall, body: .content(.title(title))), in: conversation)
        finish(id, .success(.done))
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
        if conversation.isLeftAlone { throw .leftAlone }
        if let person = conversation.record.contact.flatMap({ contacts[$0] }), let other = person.conflictingKey {
            throw .keyChanged(
                contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
        }
        return conversation
    }

    private func send(
        _ text: String, as entryID: EntryID, _ replyTo: EntryID?, _ expiresAfter: UInt32?,
        _ conversation: Conversation, _ id: CommandID
    ) throws(KithError) {
        try accept(conversation)
        let item = OutboxItem(
            entryID: entryID, sentAt: wall, replyTo: replyTo, expiresAfter: expiresAfter,
            body: .content(.text(text)))
        enqueue(item, in: conversation)
        if let message = queuedMessage(item, in: conversation) {
            tell(.message(message))
            finish(id, .success(.message(message)))
        }
        try pump(conversation)
    }

    private func markRead(_ conversation: Conversation, _ seq: UInt64, _ sendsReceipt: Bool) throws(KithError) {
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
    private func trustLog(_ conversation: Conversation, _ id: CommandID) throws(KithError) {
        conversation.record.trust()
        touch(conversation)
        if conversation.record.status == .active, conversation.record.memberCount > 1 { want(.renew, in: conversation) }
        finish(id, .success(.done))
        tell(.conversation(try summary(of: conversation)))
        try pump(conversation)
    }
}
