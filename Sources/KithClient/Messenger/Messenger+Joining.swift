import KithWire
import MLS
import TLSCodec

// From a Welcome to a conversation.

extension Messenger {
    /// Joins a group with a Welcome that was put into an inbox. Nothing happens if it is not genuine.
    ///
    /// - Parameter byContactOnly: whether nothing happens, too, if it is from somebody who is not known here.
    func join(
        _ welcome: Welcome, _ message: InboxMessage, _ letter: InboxLetter, _ bundle: KeyPackageBundle,
        _ number: UInt64, _ inbox: Inbox, _ inboxID: InboxID, tree: [UInt8]?, byContactOnly: Bool
    ) throws(KithError) -> Taken {
        let group: Group
        do throws(MLSError) {
            group = try Group(joining: welcome, with: bundle, ratchetTree: tree, in: environment)
        } catch { return .done }
        guard let channel = ChannelID(group.groupID), group.cipherSuite == profile.suite else { return .done }
        let inviter = group.inviter.flatMap { group.tree[$0]?.credential.deviceCertificate?.accountKey }
        let known = inviter.flatMap { contactsByKey[$0] }
        let isStranger = known == nil
        if isStranger, byContactOnly {
            tellOfInvitation(at: message.relay.address)
            return .done
        }
        if isStranger, !inbox.record.purpose.isForFew, group.memberCount > ClientLimits.strangersGroup { return .done }
        // The invite was for one person, and somebody else has come with it.
        let isUninvited = inbox.record.isSpent && (known.map { wasDeclined($0, inbox) } ?? true)
        // Of a group, others would become known here, and could come with the invite in their turn.
        if isUninvited, !message.isDirect || group.memberCount > 2 { return .done }
        if isUninvited, inbox.record.taken.count > ClientLimits.lettersDeclined { return .done }
        let old = conversationsByChannel[channel].flatMap { conversations[$0] }
        if let old, mustRead(old, before: group.epoch, inbox) { return .waits }
        inbox.waiting = nil
        if let old, try !mayRejoin(old, group, inviter, message) { return .done }
        if !bundle.keyPackage.isLastResort {
            output.transaction.delete(StoreKey(.keyPackage, owner: inboxID.rawValue, item: number))
            freshBundles[InboxItem(inbox: inboxID, number: number)] = nil
        }

        let (others, isDirect) = meet(
            group, mayBeDirect: message.isDirect, trust: isUninvited ? .unverified : inbox.record.purpose.trust)
        let conversation =
            old
            ?? newConversation(
                ConversationRecord(
                    channel: channel, relay: relayID(for: message.relay), title: isDirect ? "" : message.title,
                    contact: isDirect ? others.first : nil, isDirect: isDirect, isCreated: true, epoch: group.epoch,
                    memberCount: group.memberCount))
        if let old {
            rejoin(old, group, title: message.title)
            // Nothing else may have been there since this device was removed.
            want(old.record.relay)
        }
        conversation.record.status = .active
        conversation.loaded = try callingMLS { () throws(MLSError) in try Conversation.LoadedGroup(group, pending: nil)
        }
        conversation.loaded?.isNewEpoch = true
        touch(conversation)
        inbox.record.didTake(letter, conversation.id)
        if isUninvited {
            // Not to answer would leave them talking to nobody.
            want(.leave, in: conversation)
            tell(.warning(conversation.id, .inviteUsedAgain))
        } else {
            if isDirect { try sendCard(in: conversation) }
            try used(inbox, inboxID, conversation)
        }
        try open(conversation)
        tell(.conversation(try summary(of: conversation)))
        return .done
    }

    /// Whether somebody has come with a letter to this inbox before and was left at once.
    private func wasDeclined(_ contact: ContactID, _ inbox: Inbox) -> Bool {
        inbox.record.taken.contains { letter in
            guard let conversation = conversations[letter.conversation], conversation.record.contact == contact else {
                return false
            }
            return conversation.isLeaving || conversation.record.status == .left
        }
    }

    /// The others in a group that this device joined, as contacts, and whether it is a conversation of two.
    ///
    /// - Parameter trust: why the key of somebody new is believed in a conversation of two. An invite for one person vouches for
    ///   one, and not for somebody who is known by other means already.
    private func meet(
        _ group: Group, mayBeDirect: Bool, trust: Trust
    ) -> (others: [ContactID], isDirect: Bool) {
        let certificates = group.members.compactMap { $0.leaf.credential.deviceCertificate }.filter {
            $0.accountKey != profile.account.publicKey
        }
        let isDirect = mayBeDirect && Set(certificates.map(\.accountKey)).count == 1
        let others = certificates.map { certificate in
            let isNew = contactsByKey[certificate.accountKey] == nil
            return remember(certificate, trust: isDirect && isNew ? trust : .unverified)
        }
        return (others, isDirect)
    }

    /// Whether a conversation's log has to be read further before a Welcome to it can be judged.
    private func mustRead(_ conversation: Conversation, before epoch: UInt64, _ inbox: Inbox) -> Bool {
        guard conversation.record.status.isOpen, conversation.record.epoch < epoch else { return false }
        let wait = inbox.waiting ?? WelcomeWait(conversation: conversation.id, epoch: epoch, since: now)
        inbox.waiting = wait
        return now < wait.since + ClientLimits.parcelMs
    }

    /// Judges the Welcomes that waited for a log which has come far enough, or for too long.
    func takeWaitingWelcomes() throws(KithError) {
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id], let wait = inbox.waiting else { continue }
            let record = conversations[wait.conversation]?.record
            let isOpen = record.map { $0.status.isOpen && $0.epoch < wait.epoch } ?? false
            guard !isOpen || now >= wait.since + ClientLimits.parcelMs else { continue }
            try processQueue(of: inbox, id, isWaitOver: true)
        }
    }

    /// Whether a Welcome may bring back a conversation that is known here. A conversation that works is never taken over;
    /// one that ended is brought back by somebody who was in it, on its own relay, and in a conversation of two by the
    /// other person and with nobody else.
    private func mayRejoin(
        _ conversation: Conversation, _ group: Group, _ inviter: AccountKey?, _ message: InboxMessage
    ) throws(KithError) -> Bool {
        let record = conversation.record
        switch record.status {
        case .preparing, .active, .left: return false
        case .removed, .stopped: break
        }
        guard group.epoch > record.epoch, let relay = relays[record.relay], relay.address == message.relay.address,
            relay.pin == message.relay.pin, let inviter
        else { return false }
        if record.isDirect {
            guard let contact = record.contact.flatMap({ contacts[$0] }) else { return false }
            let accounts = Set(group.members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey })
            return accounts == [contact.accountKey, profile.account.publicKey] && inviter == contact.accountKey
        }
        // A restored device has no group to look into: whoever it knows may add it.
        guard try hasGroup(conversation) else { return contactsByKey[inviter] != nil }
        return try !self.group(of: conversation).group.leaves(of: inviter).isEmpty
    }

    /// This device was added again to a conversation that it had lost.
    private func rejoin(_ conversation: Conversation, _ group: Group, title: String) {
        hangUp(conversation)
        conversation.record.missedFrom = conversation.record.lastSeq + 1
        conversation.record.view = nil
        conversation.record.epochBegin = nil
        conversation.record.epoch = group.epoch
        conversation.record.memberCount = group.memberCount
        conversation.record.renewedAt = 0
        conversation.record.isSuspect = false
        conversation.record.intents = []
        if !conversation.record.isDirect { conversation.record.title = title }
        conversation.hashes = [:]
        conversation.accepted = [:]
        conversation.gaps = [:]
        for index in conversation.outbox.indices {
            conversation.outbox[index].item.attempt = nil
            store(conversation.outbox[index].item, conversation.outbox[index].number, of: conversation)
        }
    }

    /// An inbox was used: one for a single person is closed once it is known who else came, the others are filled up.
    private func used(_ inbox: Inbox, _ id: InboxID, _ conversation: Conversation) throws(KithError) {
        switch inbox.record.purpose {
        case .invite(let isReusable, _):
            if !inbox.record.isSpent { tell(.inviteUsed(id, conversation.id)) }
            if isReusable { try deposit(id, 1) } else { inbox.record.isSpent = true }
        case .contact, .name: try deposit(id, 1)
        }
    }

    func newConversation(_ record: ConversationRecord) -> Conversation {
        let id = ConversationID(rawValue: nextNumbers.conversation)
        nextNumbers.conversation += 1
        let conversation = Conversation(id: id, record: record)
        conversations[id] = conversation
        conversationsByChannel[record.channel] = id
        touch(conversation)
        return conversation
    }

    /// The line in the history where the conversation begins for this device.
    func noteBeginning(of conversation: Conversation, at seq: UInt64) throws(KithError) {
        guard seq > 0 else { return }
        var notices: [Notice] = []
        if let from = conversation.record.missedFrom, from < seq { notices.append(.missed(first: from, last: seq - 1)) }
        conversation.record.missedFrom = nil
        let by = conversation.record.contact.flatMap { contacts[$0]?.name } ?? ""
        notices.append(.began(by: by))
        let entry = Entry(
            seq: seq, epoch: conversation.record.epoch - min(1, conversation.record.epoch), kind: .turn,
            receivedAtMs: clocks.relayTime(conversation.record.relay) ?? wall, id: .random(from: random), payload: [])
        guard let view = conversation.record.view else { return }
        didNote(EntryRecord(entry, view: view, author: .unknown, body: .notices(notices)), at: entry, in: conversation)
    }

    // MARK: Trees that come apart

    func didFetchTree(_ tree: [UInt8], _ id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id] else { return }
        if let entry = inbox.queue.first {
            if try take(entry, inbox, id, tree: tree) == .waits { return }
            didTake(entry, inbox, id)
        }
        try processQueue(of: inbox, id)
    }

    /// The tree is not to be had: the Welcome is of no use.
    func didNotFetchTree(_ id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id] else { return }
        if let entry = inbox.queue.first { didTake(entry, inbox, id) }
        try processQueue(of: inbox, id)
    }
}
