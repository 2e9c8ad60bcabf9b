import KithWire
import MLS

// Additions and departures: the key packages and the Welcomes of people who are added, and this device's own departure.

extension ConversationMachine {
    // MARK: Key packages

    /// The next time at which a key package that was not valid on arrival is checked again, in milliseconds; see
    /// ``Clocks/now``. `nil` if no key package waits for a check. A key package for which a replacement is requested does not
    /// count, because the arrival of the replacement wakes the conversation.
    var heldUntil: UInt64? { addTargets.compactMap { keyPackages.heldUntil($0.inbox.channel) }.min() }

    /// The people who have to be added.
    var addTargets: [AddTarget] {
        record.intents.flatMap { intent -> [AddTarget] in
            if case .add(let targets) = intent.change { targets } else { [] }
        }
    }

    /// Examines the key packages of the people to add, in order. Stops at the first person whose state alone decides the next
    /// step of the addition. A person whose key package is valid becomes a contact. A key package that is not valid yet is
    /// kept, and checked again later.
    mutating func examine(
        _ targets: [AddTarget], of intent: Intent, in device: inout DeviceState
    ) throws(KithError) -> [IntentPolicy.Candidate] {
        let group = try group(in: &device).group
        var candidates: [IntentPolicy.Candidate] = []
        for (index, target) in targets.enumerated() {
            refuse(target, in: group, device)
            let candidate = candidate(target, for: group, in: device)
            candidates.append(candidate)
            // The next commit does not add the remaining people, so only their states are needed.
            guard index < ClientLimits.additionsPerCommit else { continue }
            guard !candidate.isDecisive else { break }
            guard case .here(let keyPackage, let certificate) = keyPackages[target.inbox.channel] else { continue }
            if case .valid = candidate {
                keyPackages.isValid(target.inbox.channel)
                didMeet(certificate, target, in: &device)
            } else {
                hold(keyPackage, certificate, target, intent, in: &device)
            }
        }
        return candidates
    }

    /// Refuses a key package of a blocked person, and one of a device that is a member already: to add it again would only end
    /// the epoch. If the device has lost the conversation, the user asks for it; see ``AddTarget/isAgain``.
    private mutating func refuse(_ target: AddTarget, in group: Group, _ device: DeviceState) {
        guard case .here(_, let certificate) = keyPackages[target.inbox.channel] else { return }
        let name = device.contacts[certificate.accountKey]?.name ?? certificate.name
        let isBlocked = device.contacts.hasBlocked(certificate.accountKey)
        if isBlocked { return keyPackages.didEnd(target.inbox.channel, .failed(.blocked(name))) }
        guard target.trust != .invite, !target.isAgain, group.includes(certificate) else { return }
        let error = KithError.membership(.alreadyMember(name, device: certificate.deviceName))
        keyPackages.didEnd(target.inbox.channel, .failed(error))
    }

    private func candidate(
        _ target: AddTarget, for group: Group, in device: DeviceState
    ) -> IntentPolicy.Candidate {
        switch keyPackages[target.inbox.channel] {
        case nil: return .notRequested
        case .asked: return .requested(isReplacement: keyPackages.isHeld(target.inbox.channel))
        case .failed: return .failed
        case .here(let keyPackage, let certificate):
            guard device.isCurrent(keyPackage, certificate, at: device.wall) else { return .notValid }
            return .valid(isMember: target.trust == .invite && group.includes(certificate))
        }
    }

    /// Returns the valid key packages for the next commit of an addition.
    func validKeyPackages(of targets: [AddTarget], in device: DeviceState) -> [PendingTurn.Recipient] {
        targets.prefix(ClientLimits.additionsPerCommit).compactMap { target in
            guard case .here(let keyPackage, let certificate) = keyPackages[target.inbox.channel],
                device.isCurrent(keyPackage, certificate, at: device.wall)
            else { return nil }
            return PendingTurn.Recipient(inbox: target.inbox, keyPackage: keyPackage)
        }
    }

    /// Requests the key packages for the next commit of an addition.
    mutating func requestKeyPackages(for intent: Intent, in device: inout DeviceState) {
        guard case .add(let targets) = intent.change else { return }
        for target in targets.prefix(ClientLimits.additionsPerCommit) { ask(for: target, in: &device) }
    }

    /// Stores the addresses of the people in an addition. If the user has opened an invite, the addition might contain the only
    /// known address of the inviter.
    func learnAddresses(of intent: Intent, in device: inout DeviceState) {
        guard case .add(let targets) = intent.change else { return }
        for target in targets { device.contacts.learnAddress(target.inbox, in: &device.step) }
    }

    /// Keeps a key package that is not valid by this device's clock, and checks it again later. The command that requested the
    /// addition fails with the reason. The change stays pending.
    private mutating func hold(
        _ keyPackage: KeyPackage, _ certificate: DeviceCertificate, _ target: AddTarget, _ intent: Intent,
        in device: inout DeviceState
    ) {
        let relay = device.relays.id(for: target.inbox.relay, in: &device.step)
        let relayTime = device.clocks.relayTime(relay)
        let isOwnClock = relayTime.map { device.isCurrent(keyPackage, certificate, at: $0) } ?? false
        let name = target.alias ?? certificate.name
        let doubt = isOwnClock ? device.clockDoubt(about: relay) : nil
        finishIntent(intent.id, .failure(.keyPackageNotCurrent(name, clockDoubt: doubt)), in: &device)
        // The relay's clock is unknown, or the key package is not valid by that clock either. The owner may have deposited
        // another.
        if keyPackages.hold(target.inbox.channel, at: device.now), !isOwnClock {
            keyPackages.forget(target.inbox.channel)
            ask(for: target, in: &device)
        }
    }

    private mutating func ask(for target: AddTarget, in device: inout DeviceState) {
        let inbox = target.inbox
        guard keyPackages[inbox.channel] == nil else { return }
        let relay = device.relays.id(for: inbox.relay, in: &device.step)
        guard device.relays.isConnected(relay) else { return }
        keyPackages.didAsk(relay, for: inbox.channel)
        device.request(
            relay, .present(channel: inbox.channel, epoch: 0, tokens: [inbox.appendToken]),
            for: .conversation(id, .presentTarget(inbox.channel)))
        device.request(
            relay, .withdraw(channel: inbox.channel), for: .conversation(id, .withdraw(inbox.channel)))
    }

    mutating func didWithdraw(
        _ inbox: ChannelID, _ result: Result<Reply, RelayError>, in device: inout DeviceState
    ) throws(KithError) {
        guard keyPackages.isUnderWay(inbox) else { return }
        switch result {
        case .success(.keyPackage(let bytes, _)):
            let target = addTargets.first { $0.inbox.channel == inbox }
            let check = target.map { KeyPackageCheck($0, isDirect: record.isDirect, in: device) }
            keyPackages.didEnd(inbox, check?.fetched(bytes) ?? .failed(.wrongAccount))
            try advance(in: &device)
        case .success: break
        case .failure(let error): try didNotGet(inbox, error, in: &device)
        }
    }

    mutating func didNotGet(
        _ inbox: ChannelID, _ error: RelayError, in device: inout DeviceState
    ) throws(KithError) {
        guard keyPackages.isUnderWay(inbox) else { return }
        if error.code.isPassing {
            keyPackages.forget(inbox)
            sync.pause(until: device.now + error.retryDelayMs)
        } else {
            keyPackages.didEnd(inbox, .failed(.inviteUsed))
            try advance(in: &device)
        }
    }

    private mutating func didMeet(_ certificate: DeviceCertificate, _ target: AddTarget, in device: inout DeviceState) {
        let contact = device.remember(certificate, trust: target.trust, alias: target.alias)
        if record.isDirect, record.contact == nil {
            record.didMeet(contact)
            markDirty(in: &device)
        }
    }

    /// If a person cannot be added, removes that person from the intent. The next attempt adds the remaining people.
    mutating func dropTarget(_ index: Int, of intent: Intent, in device: inout DeviceState) throws(KithError) {
        guard case .add(let targets) = intent.change,
            case .failed(let error)? = keyPackages[targets[index].inbox.channel]
        else { return }
        try remove(targets[index], intent, error, in: &device)
        sync.pause(until: device.now)
    }

    private mutating func remove(
        _ target: AddTarget, _ intent: Intent, _ error: KithError, in device: inout DeviceState
    ) throws(KithError) {
        keyPackages.remove(target.inbox.channel)
        guard case .add(var targets)? = record.intents.intent(intent.id)?.change else { return }
        targets.removeAll { $0.inbox.channel == target.inbox.channel }
        record.intents.keep(targets, of: intent.id)
        markDirty(in: &device)
        finishIntent(intent.id, .failure(error), in: &device)
        if targets.isEmpty { dropIntent(intent.id, .failure(error), in: &device) }
        // In epoch 0, nobody else was ever in the conversation. A conversation in a later epoch keeps its history.
        guard record.isDirect, record.epoch == 0 else { return }
        if outbox.isEmpty {
            discard(in: &device)
        } else {
            // Texts that wait for the person are kept.
            let reason: StopReason = error == .wrongAccount ? .wrongAccount : .notReachable
            try end(.stopped(seq: 1, reason: reason), in: &device)
        }
    }

    /// Hands an addition over to a new conversation, because the other person has left this one for good.
    mutating func beginAnew(_ intent: Intent, in device: inout DeviceState) {
        guard case .add(let targets) = intent.change else { return }
        for target in targets { keyPackages.remove(target.inbox.channel) }
        record.intents.remove(intent.id)
        markDirty(in: &device)
        device.step.beginAnew(targets, from: IntentPlace(conversation: id, intent: intent.id))
    }

    /// Whether an inviter may add this device to the conversation again; see ``JoinPolicy``.
    mutating func mayBeBroughtBack(
        by inviter: AccountKey?, into group: Group, in device: inout DeviceState
    ) throws(KithError) -> Bool {
        let membership: JoinPolicy.Membership
        if record.isDirect {
            let other = record.contact.flatMap { device.contacts[$0]?.accountKey }
            membership = .conversationOfTwo(other: other, own: device.account)
        } else if try keptGroup.isKnown(in: device.store) {
            membership = .group(members: Set(try self.group(in: &device).group.memberAccounts))
        } else {
            membership = .unknownGroup(isInviterKnown: device.contacts.acquaintance(inviter) != nil)
        }
        return JoinPolicy.mayBringBack(
            inviter: inviter, to: membership, members: Set(group.memberAccounts))
    }

    // MARK: Welcomes

    /// Delivers the Welcomes of a commit, after this device has entered the commit's epoch. Each new member gets a separate
    /// Welcome. A large tree is delivered once for all new members.
    mutating func sendWelcomes(_ pending: PendingTurn, in device: inout DeviceState) throws(KithError) {
        guard let letters = WelcomeLetters(pending, record, outbox, device.relays) else { return }
        var tree = TreeSource.inWelcome
        var parcel: UInt64?
        if !pending.hasTreeInWelcome {
            let (address, number) = try deliverParcel(pending.commit.ratchetTree, pending.intent, in: &device)
            (tree, parcel) = (.parcel(address), number)
        }
        for recipient in pending.recipients {
            let delivery = try letters.delivery(to: recipient, tree, after: parcel, of: id, in: &device)
            if let delivery { try deliver(delivery, in: &device) }
        }
    }

    // MARK: Deliveries

    /// Stores a delivery to a channel, and sends it when the channel's relay is connected.
    ///
    /// - Returns: the delivery's number, by which other deliveries can wait for this delivery.
    @discardableResult
    mutating func deliver(_ delivery: ChannelDelivery, in device: inout DeviceState) throws(KithError) -> UInt64 {
        let number = device.deliveries.add(delivery, in: &device.step)
        device.keepConnected(to: delivery.relay)
        for event in device.openDelivery(number) { try didDeliver(event, in: &device) }
        return number
    }

    /// Delivers a commit or a tree to a new channel.
    ///
    /// - Returns: the parcel's address, and the delivery's number, by which other deliveries can wait for this delivery.
    mutating func deliverParcel(
        _ bytes: [UInt8], _ intent: UInt64, in device: inout DeviceState
    ) throws(KithError) -> (address: ParcelAddress, number: UInt64) {
        guard bytes.count <= ClientLimits.parcel else { throw .tooLong(limit: ClientLimits.parcel) }
        let random = device.random
        let (read, write) = (Token.random(from: random), Token.random(from: random))
        let address = ParcelAddress(
            channel: .random(from: random), readToken: read, key: random.bytes(32), length: UInt32(bytes.count))
        let parts = (address.seal(bytes) ?? []).map { ChannelDelivery.Part(id: .random(from: random), payload: $0) }
        let delivery = ChannelDelivery(
            relay: record.relay, channel: address.channel, appendToken: write,
            access: Access(read: Grant(for: read), append: Grant(for: write), turn: Grant(for: write)),
            parts: parts, after: nil, conversation: id, intent: intent)
        return (address, try deliver(delivery, in: &device))
    }

    /// Handles a change in the state of a delivery.
    mutating func didDeliver(_ event: DeliveryQueue.Event, in device: inout DeviceState) throws(KithError) {
        switch event {
        case .waits(let delivery, let obstacle):
            let name = delivery.account.flatMap { device.contacts[$0] }?.name ?? record.name(of: id, device.contacts)
            device.emit(.warning(id, .invitationWaits(for: name, obstacle), times: 1))
        case .ended(let delivery, let error, let mayExist):
            if let error {
                finishIntent(delivery.intent, .failure(error), in: &device)
                if !mayExist { try didNotInvite(delivery, in: &device) }
            }
            if delivery.isParcel { try didDeliverParcel(delivery.channel, error, in: &device) }
            finishIfInvited(delivery.intent, in: &device)
            if !delivery.isParcel { try emitSummary(in: &device) }
        }
    }

    /// Stops a conversation of two that has just begun, because its Welcome cannot be delivered. The other person never joined.
    private mutating func didNotInvite(
        _ delivery: ChannelDelivery, in device: inout DeviceState
    ) throws(KithError) {
        guard !delivery.isParcel, record.isDirect, record.status == .active, record.epoch == 1 else { return }
        try stop(.notReachable, in: &device)
    }

    /// Ends the commands that wait for an addition, if all of the addition's commits and Welcomes are done. In a conversation of
    /// two, the commands also wait until this device's contact card is in the log: without the card, the other person cannot
    /// invite this device to groups.
    func finishIfInvited(_ intent: UInt64, in device: inout DeviceState) {
        let place = IntentPlace(conversation: id, intent: intent)
        guard device.commands.isAny(for: place) else { return }
        let isDelivering = device.deliveries.contains { $0.conversation == id && $0.intent == intent }
        let isChanging = record.intents.contains { $0.id == intent }
        let isSendingCard =
            record.status.isOpen && !needsDecision(device.contacts)
            && (device.step.isCardDue(in: id) || outbox.contains(\.isCard))
        guard !isDelivering, !isChanging, !isSendingCard else { return }
        finishIntent(intent, .success(id), in: &device)
    }

    /// Calls ``finishIfInvited(_:in:)`` for every addition for which a command waits.
    func finishInvitations(in device: inout DeviceState) {
        for place in device.commands.places(in: id) { finishIfInvited(place.intent, in: &device) }
    }

    // MARK: Blocking

    /// Drops everything that waits for a person whom the user has just blocked, the person's invitation included. If nobody else
    /// was in the conversation yet, the conversation ends.
    mutating func didBlock(in device: inout DeviceState) throws(KithError) {
        dropBlocked(in: &device)
        let contacts = device.contacts
        if typists.end({ contacts[$0]?.isBlocked == true }) { emitTypists(in: &device) }
        guard record.isBlocked(device.contacts), record.status.isOpen else { return }
        let isInviting = !addTargets.isEmpty || device.deliveries.contains { $0.conversation == id }
        device.deliveries.drop({ $0.conversation == id && !$0.isParcel }, in: &device.step)
        if isInviting, record.epoch <= 1, !record.hasAnswer { try end(.left, in: &device) }
    }

    // MARK: Leaving

    /// Proposes this device's removal. The proposal is made again in every epoch, until another member has committed it.
    mutating func proposeLeaving(in device: inout DeviceState) {
        enqueue(
            OutboxItem(entryID: .random(from: device.random), sentAt: device.wall, body: .leaveProposal), in: &device)
    }

    /// Closes the channel and leaves, because this device is the last member.
    mutating func leaveAlone(in device: inout DeviceState) throws(KithError) {
        request(.close(channel: record.channel), .closeChannel, in: &device)
        finishLeaving(in: &device)
        try end(.left, in: &device)
    }

    mutating func finishLeaving(in device: inout DeviceState) {
        for intent in record.intents where intent.change == .leave {
            finishIntent(intent.id, .success(id), in: &device)
            record.intents.remove(intent.id)
        }
    }
}
