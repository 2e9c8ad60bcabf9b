import KithWire

// Work that concerns several machines at once: certificates, erasures, new beginnings, deletions, blocking, inboxes and
// contact cards.

extension ProfileMachine {
    /// Renews the device's certificate if the renewal is due. If nobody could accept the old certificate any more, also
    /// replaces the key packages, which contain it.
    func renewCertificate() throws(KithError) {
        guard try state.device.renewCertificate() else { return }
        for id in inboxes.ids { try pass(.certificateExpired, to: id) }
    }

    /// Changes the user's own name. This device renews its keys in every open conversation that is not pending, and the renewal
    /// carries the new certificate to the other members. Key packages with the old certificate are replaced.
    func renameUser(_ name: String) throws(KithError) {
        let name = try name.nameOfOneLine(atMost: ClientLimits.personName)
        guard name != state.device.identity.name else { return }
        try withDevice { (device) throws(KithError) in try device.rename(to: name) }
        for id in inboxes.ids { try pass(.certificateExpired, to: id) }
        for id in state.conversations.ids {
            guard let machine = state.conversations[id]?.machine, machine.record.status.isOpen, machine.mayAct else {
                continue
            }
            try pass(.change(.renew, nil), to: id)
        }
    }

    /// Erases the texts that have expired by both the device's clock and the relay's clock.
    func eraseExpired() throws(KithError) {
        let conversations = state.conversations
        try state.device.eraseExpired(relay: conversations.relay(of:))
    }

    // MARK: New beginnings

    /// Begins conversations in place of those that the other person has left. The commands that waited for
    /// somebody to be added to an old conversation now wait for the addition to the new conversation.
    func beginAnew() throws(KithError) {
        for (targets, place) in state.device.step.takeBeginnings() {
            guard let relay = targets.first?.inbox.relay else { continue }
            let contact = state.conversations[place.conversation]?.machine.record.contact
            let known = withDevice { $0.relays.id(for: relay, in: &$0.step) }
            let id = try create(NewConversation(at: known, with: contact, targets), nil)
            guard let intent = state.conversations[id]?.machine.record.intents.first else { continue }
            state.device.commands.move(from: place, to: IntentPlace(conversation: id, intent: intent.id))
        }
    }

    // MARK: Deletions

    /// Deletes an ended conversation with everything that belongs to it.
    func deleteConversation(_ id: ConversationID) throws(KithError) {
        guard !(try state.conversations.conversation(id).machine.record.status.isOpen) else {
            throw .membership(.notEnded)
        }
        try withCursors { (cursors, profile) throws(KithError) in cursors.forget(id, in: &profile.device.step) }
        try forgetRequests(about: id)
        withDevice { device in
            device.erasures.forget(id)
            device.deliveries.drop({ $0.conversation == id }, in: &device.step)
        }
        try pass(.erase, to: id)
    }

    /// Deletes those requests of other processes that concern a conversation, and the files in the profile's folder that belong
    /// to the requests.
    private func forgetRequests(about id: ConversationID) throws(KithError) {
        let store = state.device.store
        for request in try reading({ () throws(StoreError) in try store.allValues(.request) }) {
            let aboutFiles = try? FileRequest(stored: request.bytes)
            let conversation = aboutFiles?.conversation ?? (try? SendRequest(stored: request.bytes))?.conversation
            guard conversation == id else { continue }
            state.device.step.delete(StoreKey(.request, item: request.item))
            for spool in aboutFiles?.spools ?? [] { state.device.step.removeFile(spool) }
        }
    }

    /// Deletes a message on this device only. The message's entry stays in the store without content.
    func deleteHere(_ seq: UInt64, in id: ConversationID) throws(KithError) {
        let conversation = try state.conversations.conversation(id)
        let place = EntryPlace(conversation: id, seq: seq)
        guard seq <= StoreKey.highest, let message = try state.device.changeableEntry(at: place),
            message.body.isForPeople
        else { throw .notFound("message \(seq)") }
        let wasUnread = seq > conversation.machine.record.readSeq && message.author != .me
        try conversation.handle(.forgetMessage(seq, wasUnread: wasUnread), in: &state.device)
        try withDevice { (device) throws(KithError) in
            try device.erase(place, leaving: .deletedHere, of: message)
            device.emit(.messageChanged(message.erasedMessage(at: place, in: device), .deleted))
        }
    }

    /// Deletes a contact and the inboxes that were made for the contact. Ended conversations with the contact stay, with the
    /// contact's name as their title.
    func deleteContact(_ id: ContactID) throws(KithError) {
        let person = try state.device.contacts.contact(id)
        for place in state.conversations.all where place.machine.record.status.isOpen {
            guard try includes(person, in: place) else { continue }
            let name = place.machine.record.name(of: place.machine.id, state.device.contacts)
            throw .membership(.stillMember(person.name, of: name))
        }
        for place in state.conversations.with(id) { try pass(.separate(as: person.name), to: place.machine.id) }
        for inbox in inboxes.ids {
            if case .contact(id)? = inboxes[inbox]?.machine.record.purpose { try pass(.close, to: inbox) }
        }
        try withDevice { (device) throws(KithError) in try device.contacts.delete(id, in: &device.step) }
    }

    /// Returns whether a person is a member of a conversation, or will be added to it.
    private func includes(_ person: Contact, in place: ConversationTable.Place) throws(KithError) -> Bool {
        let machine = place.machine
        if machine.record.contact == person.id { return true }
        if machine.addTargets.contains(where: { $0.inbox.account == person.accountKey.fingerprint }) { return true }
        guard try machine.keptGroup.isKnown(in: state.device.store) else { return false }
        return try !place.group(in: &state.device).leaves(of: person.accountKey).isEmpty
    }

    // MARK: Blocking

    /// Blocks or unblocks a contact. Blocking also declines the pending conversations that the contact began, and drops the
    /// messages that wait for the contact.
    ///
    /// - Returns: the number of messages that are dropped.
    func setBlocked(_ id: ContactID, _ isBlocked: Bool) throws(KithError) -> Int {
        let isAsking = state.device.contacts[id]?.waitingText != nil
        try withDevice { (device) throws(KithError) in
            try device.contacts.setBlocked(id, isBlocked, in: &device.step)
        }
        guard isBlocked else {
            for place in state.conversations.with(id) { try pass(.advance, to: place.machine.id) }
            return 0
        }
        withDevice { $0.endAutomaticDownloads(from: id) }
        for place in state.conversations.all
        where place.machine.isPending && (place.machine.record.request?.inviter ?? place.machine.record.contact) == id {
            state.device.invitationNotices.didDecide()
            try pass(.abandon, to: place.machine.id)
        }
        let waiting = state.conversations.with(id).reduce(0) { $0 + queuedMessages(in: $1.machine).count }
        for conversation in state.conversations.ids { try pass(.didBlock, to: conversation) }
        // The messages whose files are not complete are dropped at the end of the step.
        let kept = state.conversations.with(id).reduce(0) { $0 + $1.machine.queuedMessages.count }
        return waiting - kept + (isAsking ? 1 : 0)
    }

    /// - Throws: ``KithError/blocked(_:)`` if the user has blocked the contact.
    func checkNotBlocked(_ contact: Contact) throws(KithError) {
        if contact.isBlocked { throw .blocked(contact.name) }
    }

    // MARK: Private requests

    /// Sends a text privately to a person who shares a group, but no conversation of two, with the user. The text travels
    /// through the most recently active group that the user and the person share.
    ///
    /// - Returns: the group.
    func sendPrivately(_ text: String, to id: ContactID) throws(KithError) -> ConversationID {
        let person = try state.device.contacts.contact(id)
        try checkNotBlocked(person)
        if let problem = TextRules.problem(with: text) { throw problem.error }
        guard text.utf8.count <= ClientLimits.firstLines else { throw .tooLong(limit: ClientLimits.firstLines) }
        guard person.waitingText == nil else { throw .notReachable(person.name, .asked) }
        guard let place = try sharedGroup(with: person),
            let inbox = try inboxAddress(for: id, at: place.machine.record.relay)
        else { throw .notReachable(person.name, .never) }
        withDevice { $0.contacts.setWaiting(text, for: id, in: &$0.step) }
        let request = PrivateRequest(inbox: inbox, text: text)
        let item = OutboxItem(
            entryID: newEntryID, sentAt: state.device.wall, body: .privateRequest(request, to: person.accountKey))
        try pass(.enqueue(item), to: place.machine.id)
        return place.machine.id
    }

    /// Returns the most recently active group in which the user and a person are members; `nil` if there is none.
    private func sharedGroup(with person: Contact) throws(KithError) -> ConversationTable.Place? {
        let groups = state.conversations.all.filter {
            !$0.machine.record.isDirect && $0.machine.record.status == .active && $0.machine.mayAct
                && $0.machine.obstacle(state.device.contacts) == nil
        }
        let sorted = groups.sorted {
            ($0.machine.record.lastActivityMs, $0.machine.id) > ($1.machine.record.lastActivityMs, $1.machine.id)
        }
        for place in sorted {
            guard try place.group(in: &state.device).leaves(of: person.accountKey).isEmpty else { return place }
        }
        return nil
    }

    /// Stores the private requests that came in this step, as far as there is room. At most one request of each person waits at
    /// a time.
    func takeRequests() {
        for (contact, request) in state.device.step.takeRequests() {
            guard let person = state.device.contacts[contact], !person.isBlocked, person.groupRequest == nil else {
                continue
            }
            guard state.hasRoomForRequest else {
                if state.device.invitationNotices.tooManyPending() { state.device.emit(.tooManyPending) }
                continue
            }
            withDevice { $0.contacts.setRequest(request, of: contact, in: &$0.step) }
        }
    }

    /// Accepts or declines a contact's private request. If the request is accepted, this device can use the address in the
    /// request to begin a conversation of two.
    func decideRequest(of id: ContactID, accept: Bool) throws(KithError) {
        let person = try state.device.contacts.contact(id)
        guard person.groupRequest != nil else { throw .notFound("request") }
        if accept { try checkNotBlocked(person) }
        withDevice { $0.contacts.setRequest(nil, of: id, isAccepted: accept, in: &$0.step) }
        state.device.invitationNotices.didDecide()
    }

    /// The number of the user's private requests that are not in a log yet.
    package var waitingRequests: Int {
        state.conversations.all.reduce(0) { count, place in
            count + place.machine.outbox.items.count { if case .privateRequest = $0.body { true } else { false } }
        }
    }

    // MARK: Contact cards

    /// Sends the contact cards that are due, each with the address of an inbox for the contact.
    func sendCardsDue() throws(KithError) {
        for id in state.device.step.takeCardsDue() {
            guard let record = state.conversations[id]?.machine.record else { continue }
            var address: InboxAddress?
            if let contact = record.contact {
                address = try inboxAddress(for: contact, at: record.relay)
            }
            try pass(.sendCard(address), to: id)
        }
    }

    private func inboxAddress(for contact: ContactID, at relay: RelayID) throws(KithError) -> InboxAddress? {
        guard let point = state.device.relays[relay] else { return nil }
        var inbox = inboxes.inbox(for: contact, at: relay)
        if inbox == nil { inbox = try makeInbox(at: relay, for: .contact(contact)) }
        return inbox?.address(in: state.device, at: point)
    }

    // MARK: Names

    func sendNameRequest(_ asker: NameAsker) throws(KithError) {
        let inbox = state.device.nameRequests[asker]?.inbox
        let address = inbox.flatMap { inboxes[$0]?.machine.publicAddress(in: state.device) }
        try state.device.sendNameRequest(asker, for: address)
    }

    func didAnswerName(_ asker: NameAsker, _ result: Result<Reply, RelayError>) throws(KithError) {
        switch state.device.nameRequests.didAnswer(asker, result, own: state.device.account) {
        case .registered(let inbox):
            try pass(.nameRegistered, to: inbox)
            if case .register(let ticket) = asker { finish(ticket, .success(())) }
        case .asksAgain: try sendNameRequest(asker)
        case .lost(let name, let inbox):
            if case .renewal = asker,
                let relay = inboxes[inbox].flatMap({ state.device.relays[$0.machine.record.relay] })
            {
                state.device.emit(.nameLost(name, relay.address))
            }
            try pass(.close, to: inbox)
            fail(asker, .nameHeld)
        case .found(let holder, let alias, let relay):
            let found = withDevice {
                $0.contacts.find(holder, as: alias, at: $0.relays[relay]?.pin, in: &$0.step)
            }
            if case .lookUp(let ticket) = asker { finish(ticket, found) }
        case .failed(let error): fail(asker, error)
        case nil: break
        }
    }

    private func fail(_ asker: NameAsker, _ error: KithError) {
        switch asker {
        case .register(let ticket): finish(ticket, .failure(error))
        case .lookUp(let ticket): finish(ticket, .failure(error))
        case .renewal: break
        }
    }
}
