import KithWire
import MLS
import TLSCodec

// Key packages of those who are to be added, and Welcomes for those who were.

extension Messenger {
    /// The key packages for the next commit of an intent; nil while some are still on their way.
    func keyPackages(
        for targets: [AddTarget], _ intent: Intent, _ conversation: Conversation
    ) throws(KithError) -> [PendingTurn.Recipient]? {
        var ready: [PendingTurn.Recipient] = []
        var isWaiting = false
        for target in targets.prefix(ClientLimits.additionsPerCommit) {
            switch conversation.keyPackages[target.inbox.channel] {
            case .here(let keyPackage, let certificate):
                guard isCurrent(keyPackage, certificate, at: wall) else {
                    hold(keyPackage, certificate, target, intent, conversation)
                    isWaiting = true
                    continue
                }
                conversation.keyPackages.isValid(target.inbox.channel)
                try didMeet(certificate, target, conversation)
                ready.append(PendingTurn.Recipient(inbox: target.inbox, keyPackage: keyPackage))
            case .failed(let error):
                try giveUp(target, intent, conversation, error)
                // Whoever else is to be added still is.
                conversation.sync.retryAt = now
                return nil
            // The others do not wait for one whose key package was not valid before.
            case .asked where conversation.keyPackages.isHeld(target.inbox.channel): isWaiting = true
            case .asked: return nil
            case nil:
                for target in targets.prefix(ClientLimits.additionsPerCommit) { ask(for: target, conversation) }
                return nil
            }
        }
        return ready.isEmpty && isWaiting ? nil : ready
    }

    /// Waits with a key package that is not valid by this device's clock. The command that wanted it ends, and says why; the
    /// change remains to be made.
    private func hold(
        _ keyPackage: KeyPackage, _ certificate: DeviceCertificate, _ target: AddTarget, _ intent: Intent,
        _ conversation: Conversation
    ) {
        let (channel, relay) = (target.inbox.channel, relays.id(for: target.inbox.relay, in: &step))
        let isOwnClock = clocks.relayTime(relay).map { isCurrent(keyPackage, certificate, at: $0) } ?? false
        let name = target.alias ?? certificate.name
        finishIntent(
            intent.id, of: conversation,
            .failure(.keyPackageNotCurrent(name, clockDoubt: isOwnClock ? clockDoubt(about: relay) : nil)))
        // By the relay's clock it may be of no use either: its owner may have left another.
        if conversation.keyPackages.hold(channel, at: now), !isOwnClock {
            conversation.keyPackages.forget(channel)
            ask(for: target, conversation)
        }
    }

    private func ask(for target: AddTarget, _ conversation: Conversation) {
        let inbox = target.inbox
        guard conversation.keyPackages[inbox.channel] == nil else { return }
        let relay = relays.id(for: inbox.relay, in: &step)
        guard relays.isConnected(relay) else { return }
        conversation.keyPackages.didAsk(relay, for: inbox.channel)
        request(
            relay, .present(channel: inbox.channel, epoch: 0, tokens: [inbox.appendToken]),
            for: .presentTarget(conversation.id, inbox.channel))
        request(relay, .withdraw(channel: inbox.channel), for: .withdraw(conversation.id, inbox.channel))
    }

    func didPresentTarget(
        _ id: ConversationID, _ channel: ChannelID, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        if case .failure(let error) = result { try didNotGet(channel, conversations[id], error) }
    }

    func didWithdraw(
        _ id: ConversationID, _ channel: ChannelID, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        guard let conversation = conversations[id], conversation.keyPackages.isUnderWay(channel) else { return }
        switch result {
        case .success(.keyPackage(let bytes, _)):
            conversation.keyPackages.didEnd(channel, check(bytes, channel, conversation))
            try pump(conversation)
        case .success: break
        case .failure(let error): try didNotGet(channel, conversation, error)
        }
    }

    private func didNotGet(
        _ channel: ChannelID, _ conversation: Conversation?, _ error: RelayError
    ) throws(KithError) {
        guard let conversation, conversation.keyPackages.isUnderWay(channel) else { return }
        if error.code.isPassing {
            conversation.keyPackages.forget(channel)
            conversation.sync.retryAt = now + error.patienceMs
        } else {
            conversation.keyPackages.didEnd(channel, .failed(.inviteUsed))
            try pump(conversation)
        }
    }

    /// A key package counts only if it is sealed for this inbox and its device is certified by the account that the address
    /// names: a relay cannot put another in its place.
    private func check(
        _ bytes: KeyPackageBytes, _ channel: ChannelID, _ conversation: Conversation
    ) -> KeyPackageFetch {
        let targets = conversation.record.intents.flatMap { intent -> [AddTarget] in
            if case .add(let targets) = intent.change { targets } else { [] }
        }
        guard let target = targets.first(where: { $0.inbox.channel == channel }) else { return .failed(.wrongAccount) }
        guard let opened = target.inbox.sealKey.open(bytes.bytes, .keyPackage, channel: channel.bytes),
            case .keyPackage(let keyPackage)? = try? MLSMessage.decode(opened),
            let certificate = keyPackage.leafNode.credential.deviceCertificate,
            certificate.accountKey.fingerprint == target.inbox.account
        else { return .failed(.wrongAccount) }
        // Whether it is valid now is judged when it is used, and may change until then.
        var environment = environment
        if case .keyPackage(let lifetime) = keyPackage.leafNode.source { environment.now = lifetime.notBefore }
        do throws(MLSError) { try keyPackage.verify(in: environment) } catch { return .failed(.mls(error)) }
        if let error = conflict(certificate, target, conversation) { return .failed(error) }
        return .here(keyPackage, certificate)
    }

    /// Whether somebody else goes by that name here.
    private func conflict(
        _ certificate: DeviceCertificate, _ target: AddTarget, _ conversation: Conversation
    ) -> KithError? {
        if certificate.accountKey == profile.account.publicKey { return .inviteIsMine }
        guard conversation.record.isDirect, contacts[certificate.accountKey] == nil else { return nil }
        let wanted = target.alias ?? certificate.name
        guard let other = contacts.named(wanted) else { return nil }
        return .keyChanged(
            contact: wanted, pinned: other.accountKey.fingerprint, found: certificate.accountKey.fingerprint)
    }

    private func didMeet(
        _ certificate: DeviceCertificate, _ target: AddTarget, _ conversation: Conversation
    ) throws(KithError) {
        let id = remember(certificate, trust: target.trust, alias: target.alias)
        if conversation.record.isDirect, conversation.record.contact == nil {
            conversation.record.didMeet(id)
            touch(conversation)
        }
    }

    /// Somebody can't be added: the others still can.
    private func giveUp(
        _ target: AddTarget, _ intent: Intent, _ conversation: Conversation, _ error: KithError
    ) throws(KithError) {
        conversation.keyPackages.giveUp(target.inbox.channel)
        guard case .add(var targets)? = conversation.record.intent(intent.id)?.change else { return }
        targets.removeAll { $0.inbox.channel == target.inbox.channel }
        conversation.record.keep(targets, of: intent.id)
        touch(conversation)
        finishIntent(intent.id, of: conversation, .failure(error))
        if targets.isEmpty { dropIntent(intent.id, of: conversation, .failure(error)) }
        // Nobody was ever there to talk to: there was no conversation. One that the other has left keeps its history.
        guard conversation.record.isDirect, conversation.record.epoch == 0 else { return }
        if conversation.outbox.isEmpty {
            discard(conversation)
        } else {
            // What was typed for them is not thrown away.
            try end(
                conversation, .stopped(seq: 1, reason: error == .wrongAccount ? .wrongAccount : .notReachable))
        }
    }

    private func discard(_ conversation: Conversation) {
        hangUp(conversation)
        request(
            conversation.record.relay, .close(channel: conversation.record.channel), for: .closeChannel(conversation.id)
        )
        conversations[conversation.id] = nil
        conversationsByChannel[conversation.record.channel] = nil
        touched.remove(conversation.id)
        let owner = conversation.id.rawValue
        step.delete(StoreKey(.conversation, item: owner))
        for table in [StoreTable.epoch, .record, .pendingCommit, .entry, .outbox, .expiry] {
            step.deleteAll(table, owner: owner)
        }
    }

    // MARK: Welcomes

    /// Puts the Welcomes of a commit on their way, once this device has entered its epoch: to each member its own, and a large tree
    /// once for all.
    func sendWelcomes(_ pending: PendingTurn, _ conversation: Conversation) throws(KithError) {
        guard case .welcome(let welcome)? = pending.commit.welcome, let point = relays[conversation.record.relay],
            let view = conversation.record.epochBegin
        else { return }
        var tree = TreeSource.inWelcome
        var parcel: UInt64?
        if !pending.hasTreeInWelcome {
            let (address, delivery) = try deliverParcel(pending.commit.ratchetTree, pending.intent, conversation)
            (tree, parcel) = (.parcel(address), delivery)
        }
        for recipient in pending.recipients {
            let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
            guard let one else { continue }
            let message = InboxMessage(
                relay: point, title: conversation.record.title, isDirect: conversation.record.isDirect,
                welcome: MLSMessage.welcome(one).encoded, tree: tree, view: view)
            let inbox = recipient.inbox
            let letter = try callingMLS { () throws(MLSError) in
                try InboxLetter(message, to: recipient.keyPackage, channel: inbox.channel, random: random)
            }
            guard
                let sealed = inbox.sealKey.seal(
                    letter.encoded, .message, channel: inbox.channel.bytes, random: random)
            else { continue }
            try deliver(
                ChannelDelivery(
                    relay: relays.id(for: inbox.relay, in: &step), channel: inbox.channel,
                    appendToken: inbox.appendToken,
                    access: nil, parts: [.init(id: .random(from: random), payload: sealed)], after: parcel,
                    conversation: conversation.id, intent: pending.intent, account: inbox.account))
        }
    }
}
