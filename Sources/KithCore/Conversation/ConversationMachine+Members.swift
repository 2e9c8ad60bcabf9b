import KithWire
import MLS

// The members: the group that this device joins, and who is online.

extension ConversationMachine {
    // MARK: Joining

    /// Begins the conversation with a group of this device alone.
    ///
    /// - Parameter ticket: the command that ends when the people are added.
    mutating func begin(
        _ group: Group, adding targets: [AddTarget], _ ticket: Ticket<ConversationID>, in device: inout DeviceState
    ) throws(KithError) {
        record.begin(
            with: LogView(beginning: 0, of: record.channel, authenticator: group.epochAuthenticator, after: 0))
        loaded = try LoadedGroup(new: group)
        if targets.isEmpty {
            record.activate()
            device.step.finish(ticket, .success(id))
        } else {
            let intent = enqueueIntent(.add(targets), in: &device)
            device.commands.wait(ticket, for: IntentPlace(conversation: id, intent: intent))
        }
        try emitSummary(in: &device)
        try open(in: &device)
    }

    /// Takes over a group that this device has joined with a Welcome.
    ///
    /// - Parameters:
    ///   - isBack: whether this device was in the conversation before.
    ///   - people: the other members.
    /// - Returns: the difference between the inviter's view and this device's, if this device's history continues.
    mutating func join(
        _ group: Group, by message: InboxMessage, isBack: Bool, _ people: MetMembers, in device: inout DeviceState
    ) throws(KithError) -> Warning? {
        let difference = isBack ? record.difference(fromInviters: message.view, epoch: group.epoch) : nil
        if isBack {
            rejoin(group, title: message.title, in: &device)
        } else if people.isDirect {
            record.becomeDirect(with: people.contacts.first)
        }
        record.didJoin(message.view)
        loaded = try LoadedGroup(new: group)
        markDirty(in: &device)
        return difference
    }

    /// Prepares a conversation that this device had lost, after it was added again.
    private mutating func rejoin(_ group: Group, title: String, in device: inout DeviceState) {
        resetConnection(in: &device)
        record.rejoin(epoch: group.epoch, memberCount: group.memberCount, title: title)
        // Since it was removed, this device may have had no reason to connect to the relay.
        if mayAct { device.keepConnected(to: record.relay) }
        acknowledged.removeAll()
        comparison.forget()
        outbox.forgetAttempts(in: &device.step)
    }

    /// Whether an inviter may bring the conversation back; see ``JoinPolicy``.
    mutating func mayBeBroughtBack(
        by inviter: AccountKey?, into group: Group, in device: inout DeviceState
    ) throws(KithError) -> Bool {
        let membership: JoinPolicy.Membership
        if record.isDirect {
            let other = record.contact.flatMap { device.contacts[$0]?.accountKey }
            membership = .conversationOfTwo(other: other, own: device.account)
        } else if try hasGroup(in: device.store) {
            membership = .group(members: Set(try self.group(in: &device).group.memberAccounts))
        } else {
            membership = .unknownGroup(isInviterKnown: device.contacts.acquaintance(inviter) != nil)
        }
        return JoinPolicy.mayBringBack(
            inviter: inviter, to: membership, members: Set(group.memberAccounts))
    }

    /// Accepts a pending conversation. From now on, this device follows its log; in a conversation of two, it sends the other
    /// person its contact card.
    mutating func accept(in device: inout DeviceState) throws(KithError) {
        record.accept()
        markDirty(in: &device)
        _ = device.meet(try group(in: &device).group, mayBeDirect: record.isDirect, trust: .unverified)
        device.keepConnected(to: record.relay)
        sendCard(in: &device)
    }

    /// Separates the conversation from its contact, who has another key now. Its messages stay with the old key.
    ///
    /// - Parameter name: the contact's name.
    mutating func keepOldKey(of name: String, in device: inout DeviceState) throws(KithError) {
        record.keepOldKey(of: name)
        markDirty(in: &device)
        try emitSummary(in: &device)
    }

    // MARK: Live checks

    /// Begins a live check: now, or when the log has been read to its end. From then on, members that come online are challenged
    /// too.
    mutating func checkPresence(in device: inout DeviceState) throws(KithError) {
        presence.watch()
        sync.withChallenge { $0.beginAgain() }
        if sync.isLive { try challenge(in: &device) }
    }

    /// Whether a challenge is to be sent once the log has been read to its end. None was sent yet, or nobody received it because
    /// its epoch was over.
    var isCheckDue: Bool { presence.isWatched && sync.challenge?.isAnswered == false }

    /// Sends a challenge to the members who are online.
    mutating func challenge(in device: inout DeviceState) throws(KithError) {
        let random = device.random
        guard let view = record.view, let nonce = sync.withChallenge({ $0.nonce(from: random) }) else { return }
        let proof = LiveProof(kind: .challenge, nonce: nonce, account: device.account, view: view)
        try whisper(.challenge, proof, in: &device)
    }

    /// Handles a whisper. A whisper that is not authentic is ignored.
    mutating func didHear(_ payload: ArraySlice<UInt8>, in device: inout DeviceState) throws(KithError) {
        let group = try group(in: &device).group
        let opened = try callingMLS { () throws(MLSError) in
            try LiveCheck(opening: payload, on: record.channel, in: group)
        }
        guard let check = opened, check.leaf != group.ownLeafIndex,
            let account = group.tree[check.leaf]?.credential.deviceCertificate?.accountKey
        else { return }
        switch check.kind {
        case .challenge: try didHearChallenge(check, by: account, in: &device)
        case .answer(let challenger, let challenge):
            guard challenger == group.ownLeafIndex, sync.challenge?.isAwaited(challenge) == true,
                let contact = device.contacts[account],
                check.isGenuine(.answer(challenge: challenge, challenger: device.account), by: account, in: group),
                sync.withChallenge({ $0.didProve(check.leaf) }) == true
            else { return }
            presence.didProve(check.leaf, at: device.now)
            let comparison = try compareLive(check.view, of: check.leaf, in: &device)
            device.emit(.present(id, contact.id, name: contact.name, comparison))
        }
    }

    /// Answers a challenge, and compares its view: the relay may hold back the end of the log from this device.
    private mutating func didHearChallenge(
        _ check: LiveCheck, by account: AccountKey, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        guard let view = record.view, presence.mayAnswer(at: device.now),
            check.isGenuine(.challenge, by: account, in: group)
        else { return }
        let proof = LiveProof(
            kind: .answer(challenge: check.nonce, challenger: account), nonce: device.random.bytes(32),
            account: device.account, view: view)
        try whisper(.answer(to: check.leaf, challenge: check.nonce), proof, in: &device)
        _ = try compareLive(check.view, of: check.leaf, in: &device)
        let now = device.now
        guard let asked = sync.challenge,
            presence.asksBack(check.leaf, asked, memberCount: record.memberCount, at: now)
        else { return }
        sync.withChallenge { $0.askBack(check.leaf, at: now) }
        try challenge(in: &device)
    }

    /// Compares the view in a member's challenge or answer. If the view is ahead, the relay must bring the entries that are
    /// missing here.
    private mutating func compareLive(
        _ theirs: LogView, of sender: LeafIndex, in device: inout DeviceState
    ) throws(KithError) -> LogComparison {
        guard let own = record.view else { return .same }
        if theirs.seq > own.seq, theirs.previous == own.previous || record.trustsWhatWasBeforeTurn {
            comparison.claim(theirs, of: sender, at: device.now)
            return .ahead(by: theirs.seq - own.seq)
        }
        if let difference = try comparison.difference(theirs, before: own.seq + 1, record, in: &device) {
            if record.comparesViews { try warn(difference, in: &device) }
            return .differs
        }
        return theirs.seq == own.seq ? .same : .behind(by: own.seq - theirs.seq)
    }

    private mutating func whisper(
        _ kind: LiveCheck.Kind, _ proof: LiveProof, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        let payload = try callingMLS { () throws(MLSError) in
            let signature = try device.identity.signer.sign(label: LiveCheck.label, proof.encoded(in: group))
            let check = LiveCheck(
                kind, from: group.ownLeafIndex, nonce: proof.nonce, view: proof.view, signature: signature)
            return try check.sealed(on: record.channel, in: group, random: device.random)
        }
        guard let payload else { return }
        request(.whisper(channel: record.channel, epoch: record.epoch, payload: payload[...]), .whisper, in: &device)
    }
}
