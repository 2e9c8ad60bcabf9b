import KithWire

/// A delivery in memory.
struct PendingDelivery {
    let delivery: ChannelDelivery
    /// The parts that the relay has.
    var done: Set<EntryID> = []
    var isOpen = false
    /// Requests that have no answer yet.
    var unanswered = 0
    /// Whether the relay may have it although nothing says so: it was sent before, and the answer was lost.
    var mayBeThere: Bool
    /// How long to wait before all is asked again, in milliseconds: the relay asked for patience. What it says to the
    /// other requests of the same attempt follows from that.
    var patienceMs: UInt64?
    /// When to try again, in milliseconds since 1970.
    var retryAt: UInt64?
    /// Consecutive refusals that asked to try again later.
    var refusals = 0
    /// Whether the user was told that it waits.
    var isTold = false

    init(_ delivery: ChannelDelivery, mayBeThere: Bool) {
        self.delivery = delivery
        self.mayBeThere = mayBeThere
    }

    mutating func hangUp() {
        if unanswered > 0 { mayBeThere = true }
        isOpen = false
        unanswered = 0
        patienceMs = nil
        retryAt = nil
    }

    /// Plans another try after a pause that doubles each time, at least as long as the relay asked for.
    mutating func pause(now: UInt64) {
        let asked = patienceMs ?? 0
        hangUp()
        let doubled = RelayError.leastPatienceMs << UInt64(min(refusals, 16))
        refusals += 1
        retryAt = now + max(asked, min(doubled, ClientLimits.deliveryPauseMs))
    }
}

extension Messenger {
    /// Stores something that is to be put into a channel, and sends it when its relay is there.
    @discardableResult
    func deliver(_ delivery: ChannelDelivery) throws(KithError) -> UInt64 {
        let number = step.numbers.delivery
        step.numbers.delivery += 1
        deliveries[number] = PendingDelivery(delivery, mayBeThere: false)
        step.put(StoreKey(.delivery, item: number), delivery.encoded)
        relays.want(delivery.relay, in: &step)
        try openDelivery(number)
        return number
    }

    func openDelivery(_ number: UInt64) throws(KithError) {
        guard let pending = deliveries[number], !pending.isOpen, relays.isConnected(pending.delivery.relay),
            pending.retryAt.map({ $0 <= now }) != false
        else { return }
        let delivery = pending.delivery
        // A relay would close the connection.
        guard delivery.parts.allSatisfy({ $0.payload.count <= WireLimits.payload }) else {
            return try didDeliver(number, .tooLong(limit: WireLimits.payload))
        }
        if let before = delivery.after, deliveries[before] != nil { return }
        let parts = delivery.parts.filter { !pending.done.contains($0.id) }
        deliveries[number]?.isOpen = true
        deliveries[number]?.patienceMs = nil
        deliveries[number]?.retryAt = nil
        deliveries[number]?.unanswered = parts.count + (delivery.access == nil ? 1 : 2)
        if let access = delivery.access {
            request(
                delivery.relay, .create(channel: delivery.channel, access: access, retentionSeconds: nil),
                for: .createDelivery(number))
        }
        request(
            delivery.relay, .present(channel: delivery.channel, epoch: 0, tokens: [delivery.appendToken]),
            for: .presentDelivery(number))
        for part in parts {
            request(
                delivery.relay,
                .append(channel: delivery.channel, epoch: 0, id: part.id, payload: part.payload[...]),
                for: .deliver(number, part: part.id))
        }
    }

    func didDeliverStep(
        _ number: UInt64, part: EntryID?, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        guard var pending = deliveries[number] else { return }
        pending.unanswered -= min(1, pending.unanswered)
        switch result {
        case .success: if let part { pending.done.insert(part) }
        case .failure(let error) where error.code.isPassing:
            pending.patienceMs = max(pending.patienceMs ?? 0, error.patienceMs)
            tellThatItWaits(&pending, error)
        case .failure(let error) where pending.patienceMs == nil:
            // The inbox was closed meanwhile.
            return try didDeliver(
                number, error.code == .tooLarge ? .tooLong(limit: Int(clamping: error.detail)) : .inviteUsed)
        case .failure: break
        }
        // The next tick tries again, once nothing of this attempt is on its way.
        if pending.patienceMs != nil, pending.unanswered == 0 { pending.pause(now: now) }
        deliveries[number] = pending
        if pending.delivery.parts.allSatisfy({ pending.done.contains($0.id) }) { try didDeliver(number, nil) }
    }

    /// Tells the user once that an invitation waits, and for whom. A relay that is busy for a moment is not worth a word.
    private func tellThatItWaits(_ pending: inout PendingDelivery, _ error: RelayError) {
        let obstacle = InvitationObstacle(error)
        let isFull = obstacle == .inboxFull || obstacle == .relayFull
        guard isFull || pending.refusals > 1, !pending.isTold, pending.delivery.access == nil,
            let conversation = conversations[pending.delivery.conversation]
        else { return }
        pending.isTold = true
        let name = name(of: pending.delivery, in: conversation)
        tell(.warning(conversation.id, .invitationWaits(for: name, obstacle), times: 1))
    }

    /// The person whom a delivery invites.
    private func name(of delivery: ChannelDelivery, in conversation: Conversation) -> String {
        delivery.account.flatMap { contacts[$0] }?.name ?? name(of: conversation)
    }

    /// Whether invitations to a conversation are on their way.
    func isInviting(to conversation: Conversation) -> Bool {
        deliveries.values.contains { $0.delivery.conversation == conversation.id && $0.delivery.access == nil }
    }

    /// Nobody is invited any more to a conversation of two that the user has left.
    func dropInvitations(to conversation: Conversation) {
        for (number, pending) in deliveries where pending.delivery.conversation == conversation.id {
            deliveries[number] = nil
            step.delete(StoreKey(.delivery, item: number))
        }
    }

    /// A Welcome that can't be delivered invited nobody. In a conversation of two that has just begun, nobody is there to talk to.
    private func didNotInvite(_ delivery: ChannelDelivery) throws(KithError) {
        guard delivery.access == nil, let conversation = conversations[delivery.conversation],
            conversation.record.isDirect, conversation.record.status == .active, conversation.record.epoch == 1
        else { return }
        try stop(conversation, .notReachable)
    }

    /// Ends the commands that wait for an addition when nothing of it is under way any more: neither the commit nor a Welcome, nor
    /// the contact card of a conversation of two, without which the other side can't invite this device to groups.
    func finishIfInvited(_ place: IntentPlace) {
        guard commandsByIntent[place] != nil, let conversation = conversations[place.conversation] else { return }
        let isDelivering = deliveries.values.contains {
            $0.delivery.conversation == place.conversation && $0.delivery.intent == place.intent
        }
        let isChanging = conversation.record.intents.contains { $0.id == place.intent }
        let isSendingCard =
            conversation.record.status.isOpen && !isBlocked(conversation)
            && conversation.outbox.contains { $0.item.isCard }
        guard !isDelivering, !isChanging, !isSendingCard else { return }
        finish(at: place, .success(.conversation(place.conversation)))
    }

    private func didDeliver(_ number: UInt64, _ error: KithError?) throws(KithError) {
        guard let pending = deliveries.removeValue(forKey: number) else { return }
        let delivery = pending.delivery
        step.delete(StoreKey(.delivery, item: number))
        let place = IntentPlace(conversation: delivery.conversation, intent: delivery.intent)
        if let error {
            finish(at: place, .failure(error))
            if !pending.mayBeThere { try didNotInvite(delivery) }
        } else {
            for other in deliveries.keys.sorted() where deliveries[other]?.delivery.after == number {
                try openDelivery(other)
            }
        }
        if delivery.access != nil, let conversation = conversations[delivery.conversation] {
            try didDeliverParcel(delivery.channel, conversation, error)
        }
        finishIfInvited(place)
        if delivery.access == nil, let conversation = conversations[delivery.conversation] {
            tell(.conversation(try summary(of: conversation)))
        }
    }
}

extension InvitationObstacle {
    /// Reads an inbox's state from a refusal that may pass. A relay names the size of a full inbox, and none for its disk.
    init(_ error: RelayError) {
        switch error.code {
        case .full: self = error.detail > 0 ? .inboxFull : .relayFull
        case .tooFast, .tooMany: self = .tooFast
        default: self = .unavailable
        }
    }
}
