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
            let relay = relayID(given: relay)
            if let difference = clockDoubt(about: relay) { throw .wrongClock(difference) }
            guard let made = try makeInbox(at: relay, for: purpose) else { throw .notFound("relay") }
            commandsByInbox[made.id] = [id]
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
            output.transaction.delete(StoreKey(.request, item: item))
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
            try setVerified(contact, isVerified)
            finish(id, .success(.done))
        case .decideKey(let contact, let accept):
            try decideKey(contact, accept: accept)
            finish(id, .success(.done))
        case .renameContact(let contact, let name):
            try rename(contact, name)
            finish(id, .success(.done))
        case .trustLog(let conversation): try trustLog(try any(conversation), id)
        case .setPass(let point):
            try setPass(point)
            finish(id, .success(.done))
        case .renewKeys(let conversation): try change(.renew, try active(conversation), id)
        }
    }

    private func revoke(_ inbox: InboxID, _ id: CommandID) throws(KithError) {
        guard inboxes[inbox]?.record.purpose.isInvite == true else { throw .notFound("invite") }
        try close(inbox: inbox)
        commandsByInbox[inbox, default: []].append(id)
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
    private func change(_ change: Intent.Change, _ conversation: Conversation, _ id: CommandID) throws(KithError) {
        try accept(conversation)
        let intent = want(change, in: conversation)
        commandsByIntent[IntentPlace(conversation: conversation.id, intent: intent)] = [id]
        try pump(conversation)
    }

    // MARK: Conversations

    private func join(_ invite: Invite, _ name: String?, _ id: CommandID) throws(KithError) {
        guard invite.expiresAt > wall / 1000 else { throw .inviteExpired }
        guard invite.inbox.account != profile.account.publicKey.fingerprint else { throw .inviteIsMine }
        // Asked for before, and not done: the relay was not there.
        if let place = placeOfAdding(invite.inbox.channel), let conversation = conversations[place.conversation] {
            commandsByIntent[place, default: []].append(id)
            return try pump(conversation)
        }
        let relay = relayID(opened: invite.inbox.relay)
        let alias = (name ?? invite.name).trimmedOneLine
        let target = AddTarget(inbox: invite.inbox, alias: alias.isEmpty ? nil : alias, trust: .invite)
        if let known = activeConversation(with: invite.inbox.account) { return try change(.add([target]), known, id) }
        try create(title: "", at: relay, isDirect: true, contact: nil, [target], id)
    }

    /// Where the owner of an inbox is about to be added, or is added and has not got the Welcome.
    private func placeOfAdding(_ inbox: ChannelID) -> IntentPlace? {
        for id in conversations.keys.sorted() {
            guard let conversation = conversations[id], conversation.record.status.isOpen else { continue }
            for intent in conversation.record.intents {
                if case .add(let targets) = intent.change, targets.contains(where: { $0.inbox.channel == inbox }) {
                    return IntentPlace(conversation: conversation.id, intent: intent.id)
                }
            }
        }
        guard let number = deliveries.keys.sorted().first(where: { deliveries[$0]?.delivery.channel == inbox }) else {
            return nil
        }
        return deliveries[number].map {
            IntentPlace(conversation: $0.delivery.conversation, intent: $0.delivery.intent)
        }
    }

    /// The conversation with somebody who is known: a device of theirs that is new comes into it.
    private func activeConversation(with account: AccountFingerprint) -> Conversation? {
        conversations.values.filter { conversation in
            conversation.record.isDirect && conversation.record.status == .active && !conversation.isLeaving
                && conversation.record.contact.flatMap { contacts[$0] }?.accountKey.fingerprint == account
        }.max { $0.id < $1.id }
    }

    private func startConversation(_ contact: ContactID, waits: Bool, _ id: CommandID) throws(KithError) {
        guard let person = contacts[contact] else { throw .notFound("contact") }
        if let known = conversations(with: contact).last(where: {
            $0.record.status.isOpen && !$0.isLeftAlone && !$0.isLeaving
        }) {
            try accept(known)
            return finish(id, .success(.conversation(known.id)))
        }
        if let other = person.conflictingKey {
            throw .keyChanged(
                contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
        }
        guard let inbox = person.inbox else { throw notReachable(person) }
        let target = AddTarget(inbox: inbox, alias: nil, trust: .unverified)
        let relay = relayID(for: inbox.relay)
        var conversation = try begunInVain(with: contact, at: relay, target, id)
        if conversation == nil {
            conversation = try create(title: "", at: relay, isDirect: true, contact: contact, [target], id)
        }
        guard !waits, let conversation else { return }
        for intent in conversation.record.intents {
            finishIntent(intent.id, of: conversation, .success(.conversation(conversation.id)))
        }
    }

    /// Why somebody who gave no address can't be invited.
    private func notReachable(_ contact: Contact) -> KithError {
        let known = conversations(with: contact.id)
        let isRestored = known.contains {
            if case .stopped(_, .restored) = $0.record.status { true } else { false }
        }
        let isOpen = known.contains { $0.record.status == .active && !$0.isLeaving && !$0.isLeftAlone }
        let isPending = known.contains { !mayAct(in: $0) && $0.record.status.isOpen }
        return .notReachable(
            contact.name, isPending ? .pending : isOpen ? .notYet : isRestored ? .restored : .never)
    }

    /// The conversation in which the person could not be reached before, begun anew with what waits in it: not one for each try.
    private func begunInVain(
        with contact: ContactID, at relay: RelayID, _ target: AddTarget, _ id: CommandID
    ) throws(KithError) -> Conversation? {
        let known = conversations(with: contact).last { conversation in
            guard case .stopped(_, .notReachable) = conversation.record.status else { return false }
            return conversation.record.relay == relay && conversation.record.epoch == 0
        }
        guard let conversation = known, try hasGroup(conversation) else { return nil }
        conversation.record.status = .preparing
        // The relay may have let go of the channel, in which nothing was ever said.
        conversation.record.isCreated = false
        let intent = want(.add([target]), in: conversation)
        commandsByIntent[IntentPlace(conversation: conversation.id, intent: intent)] = [id]
        tell(.conversation(try summary(of: conversation)))
        try open(conversation)
        return conversation
    }

    private func createGroup(
        _ title: String, _ relay: RelayPoint, _ members: [ContactID], _ id: CommandID
    ) throws(KithError) {
        let title = title.trimmedOneLine
        guard !title.isEmpty, title.utf8.count <= ClientLimits.title else { throw .tooLong(limit: ClientLimits.title) }
        try create(title: title, at: relayID(given: relay), isDirect: false, contact: nil, try targets(members), id)
    }

    private func targets(_ members: [ContactID]) throws(KithError) -> [AddTarget] {
        var targets: [AddTarget] = []
        for member in members {
            guard let contact = contacts[member] else { throw .notFound("contact") }
            if let other = contact.conflictingKey {
                throw .keyChanged(
                    contact: contact.name, pinned: contact.accountKey.fingerprint, found: other.fingerprint)
            }
            guard let inbox = contact.inbox else { throw notReachable(contact) }
            if !targets.contains(where: { $0.inbox.channel == inbox.channel }) {
                targets.append(AddTarget(inbox: inbox, alias: nil, trust: .unverified))
            }
        }
        return targets
    }

    /// Makes a group of this device alone, on a channel of its own, that others are to be added to.
    @discardableResult
    private func create(
        title: String, at relay: RelayID, isDirect: Bool, contact: ContactID?, _ targets: [AddTarget], _ id: CommandID
    ) throws(KithError) -> Conversation {
        let channel = ChannelID.random(from: random)
        let lifetime = Lifetime(ofKeyPackageMadeAt: wall / 1000)
        let group = try callingMLS { () throws(MLSError) in
            try Group(
                creating: channel.bytes, suite: profile.suite, client: profile.client, lifetime: lifetime,
                in: environment)
        }
        let conversation = newConversation(
            ConversationRecord(
                channel: channel, relay: relay, title: title, contact: contact, isDirect: isDirect, isCreated: false,
                epoch: 0, memberCount: 1))
        let view = LogView(beginning: 0, of: channel, authenticator: group.epochAuthenticator, after: 0)
        conversation.record.view = view
        conversation.record.epochBegin = view
        conversation.loaded = try callingMLS { () throws(MLSError) in try Conversation.LoadedGroup(group, pending: nil)
        }
        conversation.loaded?.isNewEpoch = true
        if targets.isEmpty {
            conversation.record.status = .active
            finish(id, .success(.conversation(conversation.id)))
        } else {
            let intent = want(.add(targets), in: conversation)
            commandsByIntent[IntentPlace(conversation: conversation.id, intent: intent)] = [id]
        }
        tell(.conversation(try summary(of: conversation)))
        try open(conversation)
        return conversation
    }

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
        guard let person = contacts[contact] else { throw .notFound("contact") }
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
        conversation.record.readSeq = seq
        conversation.record.unread = seq >= conversation.record.lastSeq ? 0 : try countUnread(conversation)
        touch(conversation)
        tell(.conversation(try summary(of: conversation)))
        guard sendsReceipt, mayAct(in: conversation), wasUnread > conversation.record.unread,
            conversation.record.status == .active,
            conversation.record.memberCount <= ClientLimits.membersWithReceipts, seq > conversation.record.receiptSeq
        else { return }
        conversation.record.receiptSeq = seq
        let item = OutboxItem(
            entryID: .random(from: random), sentAt: wall, body: .content(.receipt(readThrough: seq)))
        enqueue(item, in: conversation)
        try pump(conversation)
    }

    private func countUnread(_ conversation: Conversation) throws(KithError) -> Int {
        let unread = try entries(
            of: conversation.id, conversation.record.readSeq + 1...StoreKey.highest, limit: .max, newestFirst: false)
        return unread.count { $0.record.map { $0.author != .me && $0.body.isForPeople } ?? false }
    }

    /// The user has seen the warning and goes on. The next epoch gives every member the same view again; what was before it is
    /// not compared again.
    private func trustLog(_ conversation: Conversation, _ id: CommandID) throws(KithError) {
        if conversation.record.isSuspect { conversation.record.trustedEpoch = conversation.record.epoch }
        conversation.record.isSuspect = false
        touch(conversation)
        if conversation.record.status == .active, conversation.record.memberCount > 1 { want(.renew, in: conversation) }
        finish(id, .success(.done))
        tell(.conversation(try summary(of: conversation)))
        try pump(conversation)
    }
}
