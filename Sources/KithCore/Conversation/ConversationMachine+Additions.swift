import KithWire
import MLS

// Joining and leaving: key packages of people to add, Welcomes for those who were added, and this device's own leaving.

extension ConversationMachine {
    // MARK: Key packages

    /// The next time to check a key package that was not valid when it arrived, in milliseconds; see ``Clocks/now``. If another
    /// key package was requested instead, its arrival wakes the conversation.
    var heldUntil: UInt64? { addTargets.compactMap { keyPackages.heldUntil($0.inbox.channel) }.min() }

    /// The people to add.
    var addTargets: [AddTarget] {
        record.intents.flatMap { intent -> [AddTarget] in
            if case .add(let targets) = intent.change { targets } else { [] }
        }
    }

    /// The key packages for the next commit of an intent; `nil` while some are still on their way.
    mutating func keyPackages(
        for targets: [AddTarget], _ intent: Intent, in device: inout DeviceState
    ) throws(KithError) -> [PendingTurn.Recipient]? {
        var ready: [PendingTurn.Recipient] = []
        var isWaiting = false
        for target in targets.prefix(ClientLimits.additionsPerCommit) {
            switch keyPackages[target.inbox.channel] {
            case .here(let keyPackage, let certificate):
                guard device.isCurrent(keyPackage, certificate, at: device.wall) else {
                    hold(keyPackage, certificate, target, intent, in: &device)
                    isWaiting = true
                    continue
                }
                keyPackages.isValid(target.inbox.channel)
                didMeet(certificate, target, in: &device)
                ready.append(PendingTurn.Recipient(inbox: target.inbox, keyPackage: keyPackage))
            case .failed(let error):
                try giveUp(target, intent, error, in: &device)
                // The next try adds the others.
                sync.pause(until: device.now)
                return nil
            // The others do not wait for a person whose last key package was not valid.
            case .asked where keyPackages.isHeld(target.inbox.channel): isWaiting = true
            case .asked: return nil
            case nil:
                for target in targets.prefix(ClientLimits.additionsPerCommit) { ask(for: target, in: &device) }
                return nil
            }
        }
        return ready.isEmpty && isWaiting ? nil : ready
    }

    /// Holds a key package that is not valid by this device's clock. The command that asked for the addition fails with the
    /// reason. The change stays pending.
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
        // By the relay's clock the key package is not valid either, as far as that clock is known. Its owner may have left
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
            keyPackages.didEnd(inbox, check(bytes, from: inbox, in: device))
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
            sync.pause(until: device.now + error.patienceMs)
        } else {
            keyPackages.didEnd(inbox, .failed(.inviteUsed))
            try advance(in: &device)
        }
    }

    /// Checks a key package. It counts only if it is sealed for this inbox, and if the account in the address certifies its
    /// device. So a relay can't put another in its place.
    private func check(_ bytes: KeyPackageBytes, from inbox: ChannelID, in device: DeviceState) -> KeyPackageFetch {
        guard let target = addTargets.first(where: { $0.inbox.channel == inbox }),
            let opened = target.inbox.sealKey.open(bytes.bytes, .keyPackage, channel: inbox.bytes),
            case .keyPackage(let keyPackage)? = try? MLSMessage.decode(opened),
            let certificate = keyPackage.leafNode.credential.deviceCertificate,
            certificate.accountKey.fingerprint == target.inbox.account
        else { return .failed(.wrongAccount) }
        // The lifetime is checked when the key package is used, because the result may change until then.
        var environment = device.environment
        if case .keyPackage(let lifetime) = keyPackage.leafNode.source { environment.now = lifetime.notBefore }
        do throws(MLSError) { try keyPackage.verify(in: environment) } catch { return .failed(.mls(error)) }
        if let error = conflict(certificate, target, in: device) { return .failed(error) }
        return .here(keyPackage, certificate)
    }

    /// The reason not to add a person: the account is this device's own; or, in a conversation of two, another contact has the
    /// name.
    private func conflict(
        _ certificate: DeviceCertificate, _ target: AddTarget, in device: DeviceState
    ) -> KithError? {
        if certificate.accountKey == device.account { return .inviteIsMine }
        guard record.isDirect, device.contacts[certificate.accountKey] == nil else { return nil }
        let wanted = target.alias ?? certificate.name
        guard let other = device.contacts.named(wanted) else { return nil }
        return .keyChanged(
            contact: wanted, pinned: other.accountKey.fingerprint, found: certificate.accountKey.fingerprint)
    }

    private mutating func didMeet(_ certificate: DeviceCertificate, _ target: AddTarget, in device: inout DeviceState) {
        let contact = device.remember(certificate, trust: target.trust, alias: target.alias)
        if record.isDirect, record.contact == nil {
            record.didMeet(contact)
            markDirty(in: &device)
        }
    }

    /// Gives up a person who can't be added. The others still can.
    private mutating func giveUp(
        _ target: AddTarget, _ intent: Intent, _ error: KithError, in device: inout DeviceState
    ) throws(KithError) {
        keyPackages.giveUp(target.inbox.channel)
        guard case .add(var targets)? = record.intent(intent.id)?.change else { return }
        targets.removeAll { $0.inbox.channel == target.inbox.channel }
        record.keep(targets, of: intent.id)
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

    private mutating func discard(in device: inout DeviceState) {
        resetConnection(in: &device)
        request(.close(channel: record.channel), .closeChannel, in: &device)
        isDiscarded = true
        let owner = id.rawValue
        device.step.delete(StoreKey(.conversation, item: owner))
        for table in [StoreTable.epoch, .record, .pendingCommit, .entry, .outbox, .expiry] {
            device.step.deleteAll(table, owner: owner)
        }
    }

    // MARK: Welcomes

    /// Delivers the Welcomes of a commit, after this device has entered its epoch. Each new member gets its own Welcome; a large
    /// tree is delivered once for all of them.
    mutating func sendWelcomes(_ pending: PendingTurn, in device: inout DeviceState) throws(KithError) {
        guard case .welcome(let welcome)? = pending.commit.welcome, let point = device.relays[record.relay],
            let view = record.epochBegin
        else { return }
        var tree = TreeSource.inWelcome
        var parcel: UInt64?
        if !pending.hasTreeInWelcome {
            let (address, number) = try deliverParcel(pending.commit.ratchetTree, pending.intent, in: &device)
            (tree, parcel) = (.parcel(address), number)
        }
        for recipient in pending.recipients {
            let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
            guard let one else { continue }
            let message = InboxMessage(
                relay: point, title: record.title, isDirect: record.isDirect,
                welcome: MLSMessage.welcome(one).encoded, tree: tree, view: view)
            let inbox = recipient.inbox
            let letter = try callingMLS { () throws(MLSError) in
                try InboxLetter(
                    message, to: recipient.keyPackage, channel: inbox.channel, random: device.random)
            }
            guard
                let sealed = inbox.sealKey.seal(
                    letter.encoded, .message, channel: inbox.channel.bytes, random: device.random)
            else { continue }
            let delivery = ChannelDelivery(
                relay: device.relays.id(for: inbox.relay, in: &device.step), channel: inbox.channel,
                appendToken: inbox.appendToken, access: nil,
                parts: [.init(id: .random(from: device.random), payload: sealed)], after: parcel,
                conversation: id, intent: pending.intent, account: inbox.account)
            try deliver(delivery, in: &device)
        }
    }

    // MARK: Deliveries

    /// Stores a delivery to a channel, and sends it when its relay is connected.
    ///
    /// - Returns: its number, which other deliveries may wait for.
    @discardableResult
    mutating func deliver(_ delivery: ChannelDelivery, in device: inout DeviceState) throws(KithError) -> UInt64 {
        let number = device.deliveries.add(delivery, in: &device.step)
        device.keepConnected(to: delivery.relay)
        for event in device.openDelivery(number) { try didDeliver(event, in: &device) }
        return number
    }

    /// Delivers a commit or a tree to a new channel.
    ///
    /// - Returns: the parcel's address, and the number of the delivery, which other deliveries may wait for.
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

    /// Stops a conversation of two that has just begun if its Welcome can't be delivered: the other person never joined.
    private mutating func didNotInvite(
        _ delivery: ChannelDelivery, in device: inout DeviceState
    ) throws(KithError) {
        guard !delivery.isParcel, record.isDirect, record.status == .active, record.epoch == 1 else { return }
        try stop(.notReachable, in: &device)
    }

    /// Ends the commands that wait for an addition when nothing of it is under way any more: no commit and no Welcome. In a
    /// conversation of two, the contact card must be in the log too; without it, the other person can't invite this device to
    /// groups.
    func finishIfInvited(_ intent: UInt64, in device: inout DeviceState) {
        let place = IntentPlace(conversation: id, intent: intent)
        guard device.commands.isAny(for: place) else { return }
        let isDelivering = device.deliveries.contains { $0.conversation == id && $0.intent == intent }
        let isChanging = record.intents.contains { $0.id == intent }
        let isSendingCard =
            record.status.isOpen && !isBlocked(device.contacts)
            && (device.step.isCardDue(in: id) || outbox.contains(\.isCard))
        guard !isDelivering, !isChanging, !isSendingCard else { return }
        finishIntent(intent, .success(id), in: &device)
    }

    /// Calls ``finishIfInvited(_:in:)`` for every addition that a command waits for.
    func finishInvitations(in device: inout DeviceState) {
        for place in device.commands.places(in: id) { finishIfInvited(place.intent, in: &device) }
    }

    // MARK: Leaving

    /// Proposes this device's removal. Proposes it again in every epoch, until another member has committed it.
    mutating func prepareLeaving(in device: inout DeviceState) throws(KithError) {
        let group = try group(in: &device).group
        guard group.memberCount > 1 else {
            // No member is left to commit the removal, so the channel is closed.
            request(.close(channel: record.channel), .closeChannel, in: &device)
            finishLeaving(in: &device)
            return try end(.left, in: &device)
        }
        let isProposed = group.pendingProposals.contains {
            $0.sender == .member(group.ownLeafIndex) && $0.proposal == .remove(group.ownLeafIndex)
        }
        guard !isProposed, !outbox.contains({ $0.body == .leaveProposal }) else { return }
        enqueue(
            OutboxItem(entryID: .random(from: device.random), sentAt: device.wall, body: .leaveProposal), in: &device)
    }

    mutating func finishLeaving(in device: inout DeviceState) {
        for intent in record.intents where intent.change == .leave {
            finishIntent(intent.id, .success(id), in: &device)
            record.remove(intent: intent.id)
        }
    }
}
