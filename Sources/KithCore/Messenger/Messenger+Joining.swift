import KithWire
import MLS
import TLSCodec

/// A letter that a key package of this device opened.
struct OpenLetter {
    /// The inbox's entry that it came in.
    let entry: Entry
    let letter: InboxLetter
    let message: InboxMessage
    let welcome: Welcome
    let bundle: KeyPackageBundle
    /// The key package's number in its inbox.
    let number: UInt64
}

// From a Welcome to a conversation.

extension Messenger {
    /// Joins a group with a Welcome that was put into an inbox. Nothing happens if it is not genuine, or not wanted.
    ///
    /// - Parameters:
    ///   - tree: the group's tree, if it lay in a parcel.
    ///   - byContactOnly: whether nothing happens, too, if it is from a stranger.
    func join(
        _ letter: OpenLetter, _ inbox: Inbox, _ id: InboxID, tree: [UInt8]?, byContactOnly: Bool
    ) throws(KithError) -> Taken {
        // Decisions come first: joining takes time and memory in proportion to the group.
        let opened: OpenedWelcome
        do throws(MLSError) {
            opened = try OpenedWelcome(letter.welcome, with: letter.bundle, ratchetTree: tree, in: environment)
        } catch { return .done }
        guard let channel = ChannelID(opened.groupID) else { return .done }
        let inviter = opened.inviter.credential.deviceCertificate?.accountKey
        let known = contacts.acquaintance(inviter)
        if known == nil, byContactOnly {
            tellOfInvitation(at: letter.message.relay.address)
            return .done
        }
        if known == nil, !inbox.record.purpose.isForOne,
            !Self.isSmallEnoughForStrangers(members: opened.memberCount, leaves: opened.leafCount)
        {
            return .done
        }
        // The invite was for one person, and somebody else has come with it.
        let isUninvited = inbox.record.isSpent && (known.map { wasDeclined($0, inbox) } ?? true)
        // Of a group, others would become known here, and could come with the invite in their turn.
        if isUninvited, !letter.message.isDirect || opened.memberCount > 2 { return .done }
        if isUninvited, inbox.record.taken.count > ClientLimits.lettersDeclined { return .done }
        let old = conversationsByChannel[channel].flatMap { conversations[$0] }
        if let old, let wait = logWait(old, before: opened.epoch, letter.entry.seq, inbox) { return .aside(.log(wait)) }
        if let old, !mayRejoin(old, opened, letter.message) { return .done }
        let isPending = old.map { !mayAct(in: $0) } ?? isPending(from: inviter, through: inbox.record.purpose)
        if isPending, old == nil, !hasRoomForPending { return leaveForLater() }
        let group: Group
        do throws(MLSError) { group = try Group(joining: opened, in: environment) } catch { return .done }
        if let old, try !mayBringBack(old, group, inviter) { return .done }
        forgetKeyPackage(letter, inbox, id)
        let trust = isUninvited ? .unverified : inbox.record.purpose.trust
        let (others, isDirect) =
            isPending
            ? meetStranger(inviter, in: group, mayBeDirect: letter.message.isDirect)
            : meet(group, mayBeDirect: letter.message.isDirect, trust: trust)
        let conversation = old ?? conversation(for: group, on: channel, letter.message, isPending: isPending)
        let difference = old.flatMap { compareAgain(letter.message.view, epoch: group.epoch, $0) }
        if let old { rejoin(old, group, title: letter.message.title) }
        if old == nil, isDirect {
            conversation.record.becomeDirect(with: others.first)
        }
        conversation.record.didJoin(letter.message.view)
        conversation.loaded = try callingMLS { () throws(MLSError) in try Conversation.LoadedGroup(group, pending: nil)
        }
        conversation.loaded?.isNewEpoch = true
        touch(conversation)
        inbox.record.didTake(letter.letter, in: letter.entry.id, conversation.id)
        if isUninvited {
            // Not to answer would leave them talking to nobody.
            want(.leave, in: conversation)
            tell(.inviteUsedAgain, in: conversation)
        } else {
            if mayAct(in: conversation) { sendCard(in: conversation) }
            try used(inbox, id, conversation)
        }
        if let difference { try warn(conversation, difference) }
        try open(conversation)
        tell(.conversation(try summary(of: conversation)))
        return .done
    }

    /// Whether a group is no larger and its tree no wider than a stranger may make this device work on.
    static func isSmallEnoughForStrangers(members: Int, leaves: Int) -> Bool {
        guard members <= ClientLimits.strangersGroup else { return false }
        return TreeWidthPolicy.strict.allows(leaves: leaves, members: members)
    }

    /// A new conversation for a group that this device joined.
    private func conversation(
        for group: Group, on channel: ChannelID, _ message: InboxMessage, isPending: Bool
    ) -> Conversation {
        let record = ConversationRecord(
            channel: channel, relay: relays.id(for: message.relay, isWanted: !isPending, in: &step),
            title: message.title,
            contact: nil, isDirect: false, isCreated: true, epoch: group.epoch, memberCount: group.memberCount,
            consent: isPending ? .pending : .given)
        return newConversation(record)
    }

    /// A one-time key package opens one letter.
    private func forgetKeyPackage(_ letter: OpenLetter, _ inbox: Inbox, _ id: InboxID) {
        guard !letter.bundle.keyPackage.isLastResort else { return }
        step.delete(StoreKey(.keyPackage, owner: id.rawValue, item: letter.number))
        freshBundles[InboxItem(inbox: id, number: letter.number)] = nil
        inbox.didDelete(letter.number)
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
    /// - Parameter trust: why the other's key is believed in a conversation of two. An invite for one person vouches for one.
    func meet(
        _ group: Group, mayBeDirect: Bool, trust: Trust
    ) -> (others: [ContactID], isDirect: Bool) {
        let certificates = group.members.compactMap { $0.leaf.credential.deviceCertificate }.filter {
            $0.accountKey != profile.account.publicKey
        }
        let isDirect = mayBeDirect && Set(certificates.map(\.accountKey)).count == 1
        let others = certificates.map { remember($0, trust: isDirect ? trust : .unverified) }
        return (others, isDirect)
    }

    /// The inviter of a pending conversation, as a contact. The others of a group become contacts when the user accepts it: a
    /// stranger must not fill the list.
    private func meetStranger(
        _ inviter: AccountKey?, in group: Group, mayBeDirect: Bool
    ) -> (others: [ContactID], isDirect: Bool) {
        let others = group.members.compactMap { $0.leaf.credential.deviceCertificate }.filter {
            $0.accountKey != profile.account.publicKey
        }
        let isDirect = mayBeDirect && Set(others.map(\.accountKey)).count == 1
        guard let certificate = others.first(where: { $0.accountKey == inviter }) else { return ([], isDirect) }
        return ([remember(certificate, trust: .unverified, isStranger: true)], isDirect)
    }

    /// Whether a Welcome may bring back a conversation that is known here, as far as it is known before joining. A conversation that
    /// works is never taken over; one that ended, or is pending, is brought back on its own relay, by a later epoch.
    private func mayRejoin(
        _ conversation: Conversation, _ opened: OpenedWelcome, _ message: InboxMessage
    ) -> Bool {
        let record = conversation.record
        switch record.status {
        case .active: if mayAct(in: conversation) { return false }
        case .preparing, .left: return false
        case .removed, .stopped: break
        }
        guard let relay = relays[record.relay] else { return false }
        return opened.epoch > record.epoch && relay.address == message.relay.address && relay.pin == message.relay.pin
    }

    /// Whether those who bring a conversation back may: somebody who was in it, and in a conversation of two the other person and
    /// nobody else.
    private func mayBringBack(
        _ conversation: Conversation, _ group: Group, _ inviter: AccountKey?
    ) throws(KithError) -> Bool {
        guard let inviter else { return false }
        if conversation.record.isDirect {
            guard let contact = conversation.record.contact.flatMap({ contacts[$0] }) else { return false }
            let accounts = Set(group.members.compactMap { $0.leaf.credential.deviceCertificate?.accountKey })
            return accounts == [contact.accountKey, profile.account.publicKey] && inviter == contact.accountKey
        }
        // A restored device has no group to look into: any contact may add it.
        guard try hasGroup(conversation) else { return contacts.acquaintance(inviter) != nil }
        return try !self.group(of: conversation).group.leaves(of: inviter).isEmpty
    }

    /// This device was added again to a conversation that it had lost.
    private func rejoin(_ conversation: Conversation, _ group: Group, title: String) {
        hangUp(conversation)
        conversation.record.rejoin(epoch: group.epoch, memberCount: group.memberCount, title: title)
        // Nothing else may have been there since this device was removed.
        if mayAct(in: conversation) { relays.want(conversation.record.relay, in: &step) }
        conversation.acknowledged.removeAll()
        conversation.comparison.forget()
        conversation.outbox.forgetAttempts(in: &step)
    }

    /// An inbox was used: one for a single person is closed once it is known who else came, the others are filled up. After a
    /// stranger's letter that waits for the user's consent: a new key package would tell that the letter was read.
    private func used(_ inbox: Inbox, _ id: InboxID, _ conversation: Conversation) throws(KithError) {
        if case .invite(let isReusable, _) = inbox.record.purpose {
            if !inbox.record.isSpent { tell(.inviteUsed(id, conversation.id)) }
            guard isReusable else { return inbox.record.isSpent = true }
        }
        if mayAct(in: conversation) { try deposit(id, replacing: 1) }
    }

    func newConversation(_ record: ConversationRecord) -> Conversation {
        let id = ConversationID(rawValue: step.numbers.conversation)
        step.numbers.conversation += 1
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
        if let from = conversation.record.takeMissedFrom(), from < seq {
            notices.append(.missed(first: from, last: seq - 1))
        }
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
            // With its tree, a letter waits for nothing more.
            _ = didTake(entry, try take(entry, inbox, id, tree: tree), inbox)
            storeInbox(id)
        }
        try processQueue(of: inbox, id)
    }

    /// Passes over a Welcome whose tree is not to be had: it is of no use.
    func didNotFetchTree(_ id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id] else { return }
        if let entry = inbox.queue.first {
            _ = didTake(entry, .done, inbox)
            storeInbox(id)
        }
        try processQueue(of: inbox, id)
    }
}
