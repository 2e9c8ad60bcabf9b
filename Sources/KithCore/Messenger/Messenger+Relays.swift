import KithWire

extension Messenger {
    /// The number of a relay that the user named: its pass counts from now on.
    func relayID(given point: RelayPoint) -> RelayID {
        if let id = knownRelay(point), point.pass != nil, relays[id]?.pass != point.pass { remember(point, as: id) }
        return relayID(for: point)
    }

    /// Has a relay that is known reached with another pass.
    func setPass(_ point: RelayPoint) throws(KithError) {
        guard knownRelay(point) != nil else { throw .notFound("\(point.address)") }
        _ = relayID(given: point)
    }

    /// The number of a relay in an invite that the user opened: its pass counts if the relay is known without one.
    func relayID(opened point: RelayPoint) -> RelayID {
        if let id = knownRelay(point), point.pass != nil, relays[id]?.pass == nil { remember(point, as: id) }
        return relayID(for: point)
    }

    /// The number of a relay that a letter or a contact card names. It is remembered if it is new, and connected to. The pass of
    /// a relay that is known stays as it is, also if there is none.
    ///
    /// - Parameter isWanted: whether to connect to a relay that is known.
    func relayID(for point: RelayPoint, isWanted: Bool = true) -> RelayID {
        if let id = knownRelay(point) {
            if isWanted { want(id) }
            return id
        }
        let id = RelayID(rawValue: nextNumbers.relay)
        nextNumbers.relay += 1
        remember(point, as: id)
        want(id)
        return id
    }

    /// The number of a relay that is known, by its address and key.
    func knownRelay(_ point: RelayPoint) -> RelayID? {
        relays.first { $0.value.address == point.address && $0.value.pin == point.pin }?.key
    }

    /// A relay as users are told of it. One that only contacts' cards name is named by the first of them.
    package func knownRelay(_ id: RelayID) -> KnownRelay? {
        guard let point = relays[id] else { return nil }
        let isOwn = inboxes.values.contains { inbox in
            if case .contact = inbox.record.purpose { return false }
            return inbox.record.relay == id
        }
        let naming = contacts.values.filter { contact in
            contact.inbox.map { $0.relay.address == point.address && $0.relay.pin == point.pin } ?? false
        }.min { $0.id < $1.id }
        return KnownRelay(address: point.address, pin: point.pin, namedBy: isOwn ? nil : naming?.name)
    }

    private func remember(_ point: RelayPoint, as id: RelayID) {
        relays[id] = point
        output.transaction.put(StoreKey(.relay, item: id.rawValue), point.encoded)
        if wanted.contains(id) { output.effects.append(.connect(id, point)) }
    }

    /// Keeps a connection to a relay from now on.
    func want(_ id: RelayID) {
        guard let point = relays[id], wanted.insert(id).inserted else { return }
        output.effects.append(.connect(id, point))
    }

    /// Relays that have something of this profile's.
    var relaysInUse: [RelayID] {
        let ids =
            conversations.values.filter { $0.record.status.isOpen && mayAct(in: $0) }.map(\.record.relay)
            + inboxes.values.map(\.record.relay) + deliveries.values.map(\.delivery.relay)
            + conversations.values.flatMap { conversation in
                conversation.record.intents.flatMap { intent -> [RelayID] in
                    guard case .add(let targets) = intent.change else { return [] }
                    return targets.compactMap { knownRelay($0.inbox.relay) }
                }
            }
        return Set(ids).sorted()
    }

    func didConnect(_ relay: RelayID) throws(KithError) {
        guard wanted.contains(relay) else { return }
        links.insert(relay)
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
        for purpose in parcels.keys.sorted() where parcels[purpose]?.relay == relay { openParcel(purpose) }
        for number in deliveries.keys.sorted() where deliveries[number]?.delivery.relay == relay {
            try openDelivery(number)
        }
        for id in nameRequests.keys.sorted() where nameRequests[id]?.relay == relay { try sendNameRequest(id) }
        for id in inboxes.keys.sorted() where inboxes[id]?.record.relay == relay { try renewName(of: id) }
    }

    func didDisconnect(_ relay: RelayID) {
        links.remove(relay)
        fullRelays.remove(relay)
        tags.forget(relay)
        // A renewal begins anew with the next connection.
        nameRequests = nameRequests.filter {
            if case .renewal = $0.key { $0.value.relay != relay } else { true }
        }
        for conversation in conversations.values {
            if conversation.record.relay == relay { hangUp(conversation) }
            // Key packages that were asked for at this relay will not come.
            conversation.fetches = conversation.fetches.filter {
                if case .asked(relay) = $0.value { false } else { true }
            }
        }
        for id in inboxes.keys.sorted() where inboxes[id]?.record.relay == relay {
            inboxes[id]?.hangUp()
            // The entry that it is for comes again.
            forgetParcel(.tree(id))
        }
        for (purpose, parcel) in parcels where parcel.relay == relay { parcels[purpose]?.hangUp() }
        for number in deliveries.keys where deliveries[number]?.delivery.relay == relay { deliveries[number]?.hangUp() }
    }

    func didAnswer(_ relay: RelayID, _ tag: UInt64, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let purpose = tags.takeRequest(tag, relay) else { return }
        if purpose.takesRoom { noteRoom(at: relay, result) }
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
        case .presentParcel(let purpose): try didPresentParcel(purpose, result)
        case .name(let id): try didAnswerName(id, result)
        }
    }

    /// Tells when a relay begins to have no room, and when it has some again.
    private func noteRoom(at relay: RelayID, _ result: Result<Reply, RelayError>) {
        switch result {
        case .success: if fullRelays.remove(relay) != nil { tell(relay, .connected) }
        // With a number, it is one inbox that is full.
        case .failure(let error) where error.code == .full && error.detail == 0:
            if fullRelays.insert(relay).inserted { tell(relay, .full) }
        case .failure: break
        }
    }

    private func tell(_ relay: RelayID, _ state: RelayState) {
        if let known = knownRelay(relay) { tell(.relay(known, state)) }
    }

    func didStartFollow(
        _ relay: RelayID, _ tag: UInt64, firstSeq: UInt64, lastSeq: UInt64
    ) throws(KithError) {
        switch tags.follow(tag, relay) {
        case .conversation(let id, let epoch):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            try didStartFollow(conversation, epoch: epoch, firstSeq: firstSeq, lastSeq: lastSeq)
        case .inbox(let id):
            guard let inbox = inboxes[id], inbox.followTag == tag else { return }
            try didStartFollow(inbox, id, lastSeq: lastSeq)
        case .parcel(let purpose):
            if parcels[purpose]?.followTag == tag { try didStartFollow(parcel: purpose, lastSeq: lastSeq) }
        case nil: break
        }
    }

    func didFollow(_ relay: RelayID, _ tag: UInt64, _ event: FollowEvent) throws(KithError) {
        switch tags.follow(tag, relay) {
        case .conversation(let id, let epoch):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            switch event {
            case .entries(let entries): try process(entries, of: conversation)
            case .whisper(let payload): try didHear(payload, in: conversation)
            case .epochEnded:
                _ = tags.takeFollow(tag, relay)
                conversation.sync.endFollow()
                // Its commit is still on its way; what it does is done when it is here.
                if parcels[.commit(id)] != nil { return }
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
            if case .entries(let entries) = event, parcels[purpose]?.followTag == tag {
                try process(entries, parcel: purpose)
            }
        case nil: break
        }
    }

    func didRefuseFollow(_ relay: RelayID, _ tag: UInt64, _ error: RelayError) throws(KithError) {
        switch tags.takeFollow(tag, relay) {
        case .conversation(let id, _):
            guard let conversation = conversations[id], conversation.sync.isFollowing(tag) else { return }
            conversation.sync.endFollow()
            try didRefuseFollow(conversation, error)
        case .inbox(let id): try didRefuseFollow(inbox: id, error)
        case .parcel(let purpose):
            if parcels[purpose]?.followTag == tag { try didRefuseParcel(purpose, error) }
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
