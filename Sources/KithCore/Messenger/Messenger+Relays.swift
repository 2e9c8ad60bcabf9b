import KithWire

extension Messenger {
    /// A relay as users are told of it. One that only contacts' cards name is named by the first of them.
    package func knownRelay(_ id: RelayID) -> KnownRelay? {
        guard let point = relays[id] else { return nil }
        let isOwn = inboxes.values.contains { inbox in
            if case .contact = inbox.record.purpose { return false }
            return inbox.record.relay == id
        }
        let naming = contacts.all.filter { contact in
            contact.inbox.map { $0.relay.address == point.address && $0.relay.pin == point.pin } ?? false
        }.min { $0.id < $1.id }
        return KnownRelay(address: point.address, pin: point.pin, namedBy: isOwn ? nil : naming?.name)
    }

    /// Relays that have something of this profile's.
    var relaysInUse: [RelayID] {
        let ids =
            conversations.values.filter { $0.record.status.isOpen && mayAct(in: $0) }.map(\.record.relay)
            + inboxes.values.map(\.record.relay) + deliveries.all.map(\.relay)
            + conversations.values.flatMap { conversation in
                conversation.record.intents.flatMap { intent -> [RelayID] in
                    guard case .add(let targets) = intent.change else { return [] }
                    return targets.compactMap { relays.known($0.inbox.relay) }
                }
            }
        return Set(ids).sorted()
    }

    func didConnect(_ relay: RelayID) throws(KithError) {
        guard relays.didConnect(relay) else { return }
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id] else { continue }
            if inbox.record.relay == relay { try open(inbox: id) }
        }
        for id in conversations.keys.sorted() {
            guard let conversation = conversations[id] else { continue }
            if conversation.record.relay == relay {
                try open(conversation)
            }
            // It may be waiting for a key package from here.
            else if conversation.sync.isLive {
                try pump(conversation)
            }
        }
        parcels.didConnect(relay, relays, in: &step)
        for number in deliveries.numbers(at: relay) { try openDelivery(number) }
        for asker in nameRequests.askers(at: relay) { try sendNameRequest(asker) }
        for id in inboxes.keys.sorted() where inboxes[id]?.record.relay == relay { try renewName(of: id) }
    }

    func didDisconnect(_ relay: RelayID) {
        relays.didDisconnect(relay)
        step.forget(relay)
        nameRequests.didDisconnect(relay)
        for conversation in conversations.values {
            if conversation.record.relay == relay { hangUp(conversation) }
            conversation.keyPackages.didDisconnect(relay)
        }
        for id in inboxes.keys.sorted() where inboxes[id]?.record.relay == relay {
            inboxes[id]?.hangUp()
            // The entry that it is for comes again.
            parcels.forget(.tree(id), in: &step)
        }
        parcels.didDisconnect(relay)
        deliveries.hangUp(relay)
    }

    func didAnswer(_ relay: RelayID, _ tag: UInt64, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let purpose = step.takeRequest(tag, relay) else { return }
        if purpose.takesRoom, let state = relays.noteRoom(at: relay, result), let known = knownRelay(relay) {
            tell(.relay(known, state))
        }
        switch purpose {
        case .createChannel(let id): try didCreate(id, result)
        case .present(let id, let epoch): try didPresent(id, epoch, result)
        case .append(let id, let entry): try didAppend(id, entry, result)
        case .turn(let id, let entry): try didTurn(id, entry, result)
        case .whisper, .closeChannel: break
        case .createInbox(let id), .presentInbox(let id): try didOpenStep(inbox: id, result)
        case .deposit(let id): try didDeposit(inbox: id, result)
        case .closeInbox(let id): didClose(inbox: id, result)
        case .trimInbox(let id, let seq): didTrim(inbox: id, through: seq, result)
        case .presentTarget(let id, let channel): try didPresentTarget(id, channel, result)
        case .withdraw(let id, let channel): try didWithdraw(id, channel, result)
        case .createDelivery(let number), .presentDelivery(let number): try didDeliverStep(number, part: nil, result)
        case .deliver(let number, let part): try didDeliverStep(number, part: part, result)
        case .presentParcel(let purpose):
            if case .failure(let error) = result {
                try handle(parcels.didRefuse(purpose, error, at: now, in: &step))
            }
        case .name(let id): try didAnswerName(id, result)
        }
    }

    func didStartFollow(
        _ relay: RelayID, _ tag: UInt64, firstSeq: UInt64, lastSeq: UInt64
    ) throws(KithError) {
        switch step.purpose(ofFollow: tag, relay) {
        case .conversation(let id, let epoch):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            try didStartFollow(conversation, epoch: epoch, firstSeq: firstSeq, lastSeq: lastSeq)
        case .inbox(let id):
            guard let inbox = inboxes[id], inbox.followTag == tag else { return }
            try didStartFollow(inbox, id, lastSeq: lastSeq)
        case .parcel(let purpose):
            if parcels.isFollowing(purpose, tag) {
                try handle(parcels.didStartFollow(purpose, lastSeq: lastSeq, in: &step))
            }
        case nil: break
        }
    }

    func didFollow(_ relay: RelayID, _ tag: UInt64, _ event: FollowEvent) throws(KithError) {
        switch step.purpose(ofFollow: tag, relay) {
        case .conversation(let id, let epoch):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            switch event {
            case .entries(let entries): try process(entries, of: conversation)
            case .whisper(let payload): try didHear(payload, in: conversation)
            case .epochEnded:
                _ = step.endFollow(tag, relay)
                conversation.sync.endFollow()
                // Its commit is still on its way; what it does is done when it is here.
                if parcels.isFetching(.commit(id)) { return }
                // The turn was the last entry; whoever could not apply it has stopped.
                if conversation.record.epoch == epoch {
                    try stop(conversation, .brokenLog)
                } else {
                    try open(conversation)
                }
            }
        case .inbox(let id):
            if case .entries(let entries) = event { try process(entries, inbox: id) }
        case .parcel(let purpose):
            if case .entries(let entries) = event, parcels.isFollowing(purpose, tag) {
                try handle(parcels.take(entries, of: purpose, in: &step))
            }
        case nil: break
        }
    }

    func didRefuseFollow(_ relay: RelayID, _ tag: UInt64, _ error: RelayError) throws(KithError) {
        switch step.endFollow(tag, relay) {
        case .conversation(let id, _):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            conversation.sync.endFollow()
            try didRefuseFollow(conversation, error)
        case .inbox(let id): try didRefuseFollow(inbox: id, error)
        case .parcel(let purpose):
            if parcels.isFollowing(purpose, tag) {
                try handle(parcels.didRefuse(purpose, error, at: now, in: &step))
            }
        case nil: break
        }
    }
}

extension ConversationStatus {
    /// Whether the relay is still asked about it.
    var isOpen: Bool {
        switch self {
        case .preparing, .active: true
        case .removed, .left, .stopped: false
        }
    }
}
