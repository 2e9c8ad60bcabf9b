import KithWire
import MLS

// The beginnings of conversations: by an invite, with a contact, as a group.

extension Messenger {
    func join(_ invite: Invite, _ name: String?, _ ticket: Ticket<ConversationID>) throws(KithError) {
        guard invite.expiresAt > wall / 1000 else { throw .inviteExpired }
        guard invite.inbox.account != profile.account.publicKey.fingerprint else { throw .inviteIsMine }
        // Asked for before, and not done: the relay was not there.
        if let place = placeOfAdding(invite.inbox.channel), let conversation = conversations[place.conversation] {
            commands.wait(ticket, for: place)
            return try pump(conversation)
        }
        let relay = relays.id(opened: invite.inbox.relay, in: &step)
        let alias = (name ?? invite.name).trimmedOneLine
        let target = AddTarget(inbox: invite.inbox, alias: alias.isEmpty ? nil : alias, trust: .invite)
        if let known = activeConversation(with: invite.inbox.account) {
            return try change(.add([target]), known, ticket)
        }
        try create(title: "", at: relay, isDirect: true, contact: nil, [target], ticket)
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
        return deliveries.delivery(to: inbox).map { IntentPlace(conversation: $0.conversation, intent: $0.intent) }
    }

    /// The conversation with somebody who is known: a device of theirs that is new comes into it.
    private func activeConversation(with account: AccountFingerprint) -> Conversation? {
        conversations.values.filter { conversation in
            conversation.record.isDirect && conversation.record.status == .active && !conversation.isLeaving
                && conversation.record.contact.flatMap { contacts[$0] }?.accountKey.fingerprint == account
        }.max { $0.id < $1.id }
    }

    func startConversation(_ contact: ContactID, waits: Bool, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let person = try contacts.contact(contact)
        if let known = conversations(with: contact).last(where: {
            $0.record.status.isOpen && !$0.isLeftAlone && !$0.isLeaving
        }) {
            try accept(known)
            return finish(ticket, .success(known.id))
        }
        if let other = person.conflictingKey {
            throw .keyChanged(
                contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
        }
        guard let inbox = person.inbox else { throw notReachable(person) }
        let target = AddTarget(inbox: inbox, alias: nil, trust: .unverified)
        let relay = relays.id(for: inbox.relay, in: &step)
        var conversation = try begunInVain(with: contact, at: relay, target, ticket)
        if conversation == nil {
            conversation = try create(title: "", at: relay, isDirect: true, contact: contact, [target], ticket)
        }
        guard !waits, let conversation else { return }
        for intent in conversation.record.intents {
            finishIntent(intent.id, of: conversation, .success(conversation.id))
        }
    }

    /// Why somebody who gave no address can't be invited.
    private func notReachable(_ contact: Contact) -> KithError {
        let known = conversations(with: contact.id)
        let isRestored = known.contains {
            if case .stopped(_, .restored) = $0.record.status { true } else { false }
        }
        let isOpen = known.contains { $0.record.status == .active && !$0.isLeaving && !$0.isLeftAlone }
        let isPending = known.contains(where: isPending)
        return .notReachable(
            contact.name, isPending ? .pending : isOpen ? .notYet : isRestored ? .restored : .never)
    }

    /// The conversation in which the person could not be reached before, begun anew with what waits in it: not one for each try.
    private func begunInVain(
        with contact: ContactID, at relay: RelayID, _ target: AddTarget, _ ticket: Ticket<ConversationID>
    ) throws(KithError) -> Conversation? {
        let known = conversations(with: contact).last { conversation in
            guard case .stopped(_, .notReachable) = conversation.record.status else { return false }
            return conversation.record.relay == relay && conversation.record.epoch == 0
        }
        guard let conversation = known, try hasGroup(conversation) else { return nil }
        conversation.record.beginAgain()
        let intent = want(.add([target]), in: conversation)
        commands.wait(ticket, for: IntentPlace(conversation: conversation.id, intent: intent))
        tell(.conversation(try summary(of: conversation)))
        try open(conversation)
        return conversation
    }

    func createGroup(
        _ title: String, _ relay: RelayPoint, _ members: [ContactID], _ ticket: Ticket<ConversationID>
    ) throws(KithError) {
        let title = title.trimmedOneLine
        guard !title.isEmpty, title.utf8.count <= ClientLimits.title else { throw .tooLong(limit: ClientLimits.title) }
        try create(
            title: title, at: relays.id(given: relay, in: &step), isDirect: false, contact: nil, try targets(members),
            ticket)
    }

    func targets(_ members: [ContactID]) throws(KithError) -> [AddTarget] {
        var targets: [AddTarget] = []
        for member in members {
            let contact = try contacts.contact(member)
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
        title: String, at relay: RelayID, isDirect: Bool, contact: ContactID?, _ targets: [AddTarget],
        _ ticket: Ticket<ConversationID>
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
        conversation.record.begin(with: view)
        conversation.loaded = try callingMLS { () throws(MLSError) in try Conversation.LoadedGroup(group, pending: nil)
        }
        conversation.loaded?.isNewEpoch = true
        if targets.isEmpty {
            conversation.record.activate()
            finish(ticket, .success(conversation.id))
        } else {
            let intent = want(.add(targets), in: conversation)
            commands.wait(ticket, for: IntentPlace(conversation: conversation.id, intent: intent))
        }
        tell(.conversation(try summary(of: conversation)))
        try open(conversation)
        return conversation
    }
}
