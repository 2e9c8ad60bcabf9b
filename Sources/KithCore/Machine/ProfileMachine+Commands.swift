import KithWire
import MLS

// The commands in `Commands.swift` that concern several machines. A command that needs no answer finishes here. Others finish
// when the relay answers or the log delivers an entry.

extension ProfileMachine {
    func perform(_ command: GivenCommand) throws(KithError) {
        do throws(KithError) {
            try command.begin(self)
        } catch {
            // A failure of the store ends the machine, so it is not the result of a command.
            if case .store = error { throw error }
            state.device.step.fail(command, error)
        }
    }

    func finish<Answer>(_ ticket: Ticket<Answer>, _ result: Result<Answer, KithError>) {
        state.device.step.finish(ticket, result)
    }

    // MARK: Inboxes

    func createInvite(
        at point: RelayPoint, isReusable: Bool, expiresAt: UInt64, _ ticket: Ticket<OpenInvite>
    ) throws(KithError) {
        let relay = relay(given: point)
        if let difference = state.device.clockDoubt(about: relay) { throw .wrongClock(difference) }
        let purpose = InboxRecord.Purpose.invite(isReusable: isReusable, expiresAt: expiresAt)
        guard let made = try makeInbox(at: relay, for: purpose) else { throw .notFound("relay") }
        state.device.commands.wait(ticket, forInviteTo: made.id)
    }

    func revoke(_ inbox: InboxID, _ ticket: Ticket<Void>) throws(KithError) {
        guard inboxes[inbox]?.machine.record.purpose.isInvite == true else { throw .notFound("invite") }
        try pass(.close, to: inbox)
        state.device.commands.wait(ticket, forClosing: inbox)
    }

    func register(_ name: Name, _ point: RelayPoint, _ ticket: Ticket<Void>) throws(KithError) {
        let relay = relay(given: point)
        var inbox = inboxes.inbox(for: name, at: relay)
        if inbox == nil { inbox = try makeInbox(at: relay, for: .name(name))?.id }
        guard let inbox else { throw .notFound("relay") }
        let request = NameRequest(relay: relay, name: name, kind: .register(inbox))
        state.device.nameRequests.begin(.register(ticket), request)
        try sendNameRequest(.register(ticket))
    }

    func lookUp(
        _ name: Name, _ point: RelayPoint, as alias: String?, _ ticket: Ticket<ContactID>
    ) throws(KithError) {
        let request = NameRequest(relay: relay(given: point), name: name, kind: .lookUp(alias: alias))
        state.device.nameRequests.begin(.lookUp(ticket), request)
        try sendNameRequest(.lookUp(ticket))
    }

    /// Returns the number of a relay that the user has named.
    private func relay(given point: RelayPoint) -> RelayID {
        withDevice { $0.relays.id(given: point, in: &$0.step) }
    }

    // MARK: Beginning conversations

    func join(_ invite: Invite, _ name: String?, _ ticket: Ticket<ConversationID>) throws(KithError) {
        guard invite.expiresAt > state.device.wall / 1000 else { throw .inviteExpired }
        guard invite.inbox.account != state.device.account.fingerprint else { throw .inviteIsMine }
        if let inviter = state.device.contacts[invite.inbox.account] { try checkNotBlocked(inviter) }
        // If the user has opened this invite before, the inviter's addition may still wait for a relay.
        let delivered = state.device.deliveries.delivery(to: invite.inbox.channel)
        let place =
            state.conversations.intent(adding: invite.inbox.channel)
            ?? delivered.map { IntentPlace(conversation: $0.conversation, intent: $0.intent) }
        if let place, state.conversations[place.conversation] != nil {
            state.device.commands.wait(ticket, for: place)
            return try pass(.advance, to: place.conversation)
        }
        let relay = withDevice { $0.relays.id(opened: invite.inbox.relay, in: &$0.step) }
        let alias = (name ?? invite.name).trimmedOneLine
        let target = AddTarget(inbox: invite.inbox, alias: alias.isEmpty ? nil : alias, trust: .invite)
        let contacts = state.device.contacts
        if let known = state.conversations.active(with: invite.inbox.account, at: relay, contacts) {
            return try request(.add([target]), in: known.machine.id, ticket)
        }
        try create(NewConversation(at: relay, with: nil, [target]), ticket)
    }

    func startConversation(_ contact: ContactID, waits: Bool, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let person = try state.device.contacts.contact(contact)
        try checkNotBlocked(person)
        let all = state.conversations.with(contact)
        let known = all.last {
            $0.machine.record.status.isOpen && !$0.machine.isLeftAlone && !$0.machine.isLeaving
        }
        if let id = known?.machine.id {
            try accept(id)
            return finish(ticket, .success(id))
        }
        // The contact may now talk to a device that took this one's place, so this device starts no second conversation.
        if let status = all.last?.machine.record.status, status.isRemoval { throw .conversation(status) }
        let inbox = try reachableInbox(of: person)
        let target = AddTarget(inbox: inbox, alias: nil, trust: .unverified)
        let relay = withDevice { $0.relays.id(for: inbox.relay, in: &$0.step) }
        var id = try beginAgain(with: contact, at: relay, target, ticket)
        if id == nil { id = try create(NewConversation(at: relay, with: contact, [target]), ticket) }
        guard !waits, let id else { return }
        try pass(.finishWaiting, to: id)
    }

    /// Returns the inbox with which a contact can be invited.
    ///
    /// - Throws: ``KithError/blocked(_:)``, ``KithError/keyChanged(contact:pinned:found:)`` or
    ///   ``KithError/notReachable(_:_:)``.
    private func reachableInbox(of person: Contact) throws(KithError) -> InboxAddress {
        try checkNotBlocked(person)
        if let other = person.conflictingKey {
            throw .keyChanged(contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
        }
        if let inbox = person.inbox { return inbox }
        let known = state.conversations.with(person.id).map(\.machine)
        let isRestored = known.contains {
            if case .stopped(_, .restored) = $0.record.status { true } else { false }
        }
        let isOpen = known.contains { $0.record.status == .active && !$0.isLeaving && !$0.isLeftAlone }
        let isPending = known.contains(where: \.isPending)
        throw .notReachable(person.name, isPending ? .pending : isOpen ? .notYet : isRestored ? .restored : .never)
    }

    /// Restarts a conversation whose contact could not be reached before; returns `nil` if there is none. Texts that wait in it
    /// are kept. If each attempt began a new conversation, the conversations of failed attempts would remain.
    private func beginAgain(
        with contact: ContactID, at relay: RelayID, _ target: AddTarget, _ ticket: Ticket<ConversationID>
    ) throws(KithError) -> ConversationID? {
        let known = state.conversations.with(contact).last { place in
            let record = place.machine.record
            guard case .stopped(_, .notReachable) = record.status else { return false }
            return record.relay == relay && record.epoch == 0
        }
        guard let machine = known?.machine, try machine.keptGroup.isKnown(in: state.device.store) else { return nil }
        try pass(.inviteAgain(target, ticket), to: machine.id)
        return machine.id
    }

    func createGroup(
        _ title: String, _ relay: RelayPoint, _ members: [ContactID], _ ticket: Ticket<ConversationID>
    ) throws(KithError) {
        let title = try title.nameOfOneLine(atMost: ClientLimits.title)
        let targets = try targets(members)
        let relay = self.relay(given: relay)
        try create(NewConversation(at: relay, title: title, targets), ticket)
    }

    private func targets(_ members: [ContactID], again: Bool = false) throws(KithError) -> [AddTarget] {
        var targets: [AddTarget] = []
        for member in members {
            let inbox = try reachableInbox(of: try state.device.contacts.contact(member))
            if !targets.contains(where: { $0.inbox.channel == inbox.channel }) {
                targets.append(AddTarget(inbox: inbox, alias: nil, trust: .unverified, isAgain: again))
            }
        }
        return targets
    }

    /// Creates a conversation on a new channel. Its group begins with this device as the only member, and the other people are
    /// added afterwards.
    @discardableResult
    func create(
        _ new: NewConversation, _ ticket: Ticket<ConversationID>?
    ) throws(KithError) -> ConversationID {
        let (record, group) = try new.make(in: state.device)
        let id = state.makeConversation(record).machine.id
        try pass(.begin(group, adding: new.targets, ticket), to: id)
        return id
    }

    // MARK: Changing conversations

    /// Accepts a conversation, if it is pending. Also replaces a used key package in each inbox that received a letter for the
    /// conversation.
    func accept(_ id: ConversationID) throws(KithError) {
        guard let machine = state.conversations[id]?.machine, machine.isPending else { return }
        try pass(.accept, to: id)
        for inbox in inboxes.ids where inboxes[inbox]?.machine.record.ledTo(id) == true {
            try pass(.replaceKeyPackage, to: inbox)
        }
        try pass(.open(), to: id)
        state.device.invitationNotices.didDecide()
    }

    /// Requests a change of a group. The command finishes when the change is in the log. The command for an addition finishes
    /// later, when the Welcomes are delivered.
    func request(
        _ intent: Intent.Change, in id: ConversationID, _ ticket: Ticket<ConversationID>
    ) throws(KithError) {
        try accept(id)
        try pass(.change(intent, ticket), to: id)
    }

    func add(
        _ members: [ContactID], to id: ConversationID, again: Bool, _ ticket: Ticket<ConversationID>
    ) throws(KithError) {
        let (record, targets) = (try state.conversations.active(id).machine.record, try targets(members, again: again))
        guard !targets.isEmpty else { return finish(ticket, .success(id)) }
        // In a conversation of two, only the other person's new device may be added.
        if record.isDirect, members != record.contact.map({ [$0] }) { throw .membership(.addingToTwo) }
        try request(.add(targets), in: id, ticket)
    }

    func remove(_ contact: ContactID, from id: ConversationID, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let place = try state.conversations.active(id)
        let person = try state.device.contacts.contact(contact)
        // A removal would end the conversation for both people, and neither could undo it.
        guard !place.machine.record.isDirect else { throw .membership(.removingFromTwo) }
        guard !(try place.group(in: &state.device).leaves(of: person.accountKey)).isEmpty else {
            throw .membership(.noMember(person.name))
        }
        try request(.remove(person.accountKey), in: id, ticket)
    }

    func leave(_ id: ConversationID, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let machine = try state.conversations.conversation(id).machine
        switch machine.record.status {
        case .active where machine.mayAct: return try request(.leave, in: id, ticket)
        case .active, .preparing, .stopped: break
        case .removed, .replaced, .left: throw .conversation(machine.record.status)
        }
        // If the conversation is pending, the stranger who began it is not told.
        if machine.isPending, machine.record.status == .active { state.device.invitationNotices.didDecide() }
        try pass(.abandon, to: id)
        finish(ticket, .success(id))
    }

    func rename(_ id: ConversationID, _ title: String, _ ticket: Ticket<ConversationID>) throws(KithError) {
        let machine = try state.conversations.active(id).machine
        guard !machine.record.isDirect else { throw .membership(.namingTwo) }
        let title = try title.nameOfOneLine(atMost: ClientLimits.title)
        if machine.isLeftAlone { throw .membership(.leftAlone) }
        try accept(id)
        try pass(.rename(title, ticket), to: id)
    }

    /// If `accept` is `true`, pins a contact's conflicting key; otherwise keeps the pinned key.
    func decideKey(_ id: ContactID, accept: Bool) throws(KithError) {
        let before = try withDevice { (device) throws(KithError) in
            try device.contacts.decideKey(id, accept: accept, in: &device.step)
        }
        for conversation in state.conversations.with(id).map(\.machine.id) {
            try pass(accept ? .separate(as: "\(before.name) (old key)") : .advance, to: conversation)
        }
    }

    // MARK: Messages

    var newEntryID: EntryID { .random(from: state.device.random) }

    /// Throws an error if a text cannot be sent in a conversation.
    func checkSending(_ text: String, to id: ConversationID) throws(KithError) {
        if let problem = TextRules.problem(with: text) { throw problem.error }
        try checkSending(to: id)
    }

    /// Throws an error if nothing can be sent in a conversation.
    func checkSending(to id: ConversationID) throws(KithError) {
        let machine = try state.conversations.conversation(id).machine
        guard machine.record.status.isOpen else { throw .conversation(machine.record.status) }
        if let obstacle = machine.obstacle(state.device.contacts) { throw obstacle }
    }

    /// Adds a message to the outbox. Before the call, the caller must check that the message can be sent; see
    /// ``checkSending(_:to:)``.
    func send(_ message: OutgoingMessage, to id: ConversationID, _ ticket: Ticket<EntryID>) throws(KithError) {
        try accept(id)
        try pass(.send(message, ticket), to: id)
    }

    /// Returns the content of a change, if the user may make it.
    ///
    /// - Throws: ``KithError`` if the user may not make the change, for instance ``KithError/message(_:)``.
    func checkedChange(
        _ change: MessageChange, of seq: UInt64, in id: ConversationID
    ) throws(KithError) -> Content.Body {
        try checkSending(to: id)
        let place = EntryPlace(conversation: id, seq: seq)
        guard seq <= StoreKey.highest, let message = try state.device.readableEntry(at: place),
            message.body.isForPeople
        else { throw .notFound("message \(seq)") }
        switch change {
        case .reaction(let text?) where !MessageChange.isReaction(text): throw .message(.notAReaction)
        case .edit(let text):
            guard message.author == .me else { throw .message(.notMine) }
            guard case .text = message.body else { throw .message(.notAText) }
            if let problem = TextRules.problem(with: text.text) { throw problem.error }
        case .deletion where message.author != .me: throw .message(.notMine)
        case .reaction, .deletion, .pin: break
        }
        return .change(change, of: MessageReference(seq: seq, id: message.id))
    }

    func takeRequest(item: UInt64, _ bytes: [UInt8], _ ticket: Ticket<EntryID>) throws(KithError) {
        // One transaction deletes the request and adds the message to the outbox. If the message cannot be sent, the request is
        // deleted too.
        state.device.step.delete(StoreKey(.request, item: item))
        if let request = try? FileRequest(stored: bytes) {
            return try FileDownloads(profile: self).take(request, ticket)
        }
        guard let request = try? SendRequest(stored: bytes) else { throw .notFound("request") }
        // The number of a conversation that was discarded may now belong to another one.
        let known = state.conversations[request.conversation]?.machine.record.channel
        guard request.channel == nil || request.channel == known else { throw .notFound("conversation") }
        switch request.body {
        case .text(let text): try checkSending(text.text, to: request.conversation)
        default: try checkSending(to: request.conversation)
        }
        try send(request.message, to: request.conversation, ticket)
    }

    // MARK: Cursors

    func acknowledge(_ place: IncomingPlace) throws(KithError) {
        // The user may have deleted the conversation since the reader got the message.
        guard state.conversations[place.conversation] != nil else { return }
        try withCursors { (cursors, profile) throws(KithError) in
            try cursors.acknowledge(place, in: &profile.device.step)
        }
    }
}
