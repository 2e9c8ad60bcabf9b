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

    init(_ delivery: ChannelDelivery, mayBeThere: Bool) {
        self.delivery = delivery
        self.mayBeThere = mayBeThere
    }

    mutating func hangUp() {
        if unanswered > 0 { mayBeThere = true }
        isOpen = false
        unanswered = 0
        patienceMs = nil
    }
}

extension Messenger {
    /// Stores something that is to be put into a channel, and sends it when its relay is there.
    @discardableResult
    func deliver(_ delivery: ChannelDelivery) throws(KithError) -> UInt64 {
        let number = nextNumbers.delivery
        nextNumbers.delivery += 1
        deliveries[number] = PendingDelivery(delivery, mayBeThere: false)
        output.transaction.put(StoreKey(.delivery, item: number), delivery.encoded)
        want(delivery.relay)
        try openDelivery(number)
        return number
    }

    func openDelivery(_ number: UInt64) throws(KithError) {
        guard let pending = deliveries[number], !pending.isOpen, links.contains(pending.delivery.relay) else { return }
        let delivery = pending.delivery
        // A relay would close the connection.
        guard delivery.parts.allSatisfy({ $0.payload.count <= WireLimits.payload }) else {
            return try didDeliver(number, .tooLong(limit: WireLimits.payload))
        }
        if let before = delivery.after, deliveries[before] != nil { return }
        let parts = delivery.parts.filter { !pending.done.contains($0.id) }
        deliveries[number]?.isOpen = true
        deliveries[number]?.patienceMs = nil
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
        case .failure(let error) where pending.patienceMs == nil:
            // The inbox was closed meanwhile.
            return try didDeliver(
                number, error.code == .tooLarge ? .tooLong(limit: Int(clamping: error.detail)) : .inviteUsed)
        case .failure: break
        }
        // The next tick tries again, once nothing of this attempt is on its way.
        if let patience = pending.patienceMs, pending.unanswered == 0 {
            pending.hangUp()
            deliveryRetryAt = min(deliveryRetryAt ?? .max, now + patience)
        }
        deliveries[number] = pending
        if pending.delivery.parts.allSatisfy({ pending.done.contains($0.id) }) { try didDeliver(number, nil) }
    }

    /// A Welcome that can't be delivered invited nobody. In a conversation of two that has just begun, nobody is there to talk to.
    private func didNotInvite(_ delivery: ChannelDelivery) throws(KithError) {
        guard delivery.access == nil, let conversation = conversations[delivery.conversation],
            conversation.record.isDirect, conversation.record.status == .active, conversation.record.epoch == 1
        else { return }
        try stop(conversation, .notReachable)
    }

    private func didDeliver(_ number: UInt64, _ error: KithError?) throws(KithError) {
        guard let pending = deliveries.removeValue(forKey: number) else { return }
        let delivery = pending.delivery
        output.transaction.delete(StoreKey(.delivery, item: number))
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
        let isWaiting =
            deliveries.values.contains {
                $0.delivery.conversation == delivery.conversation && $0.delivery.intent == delivery.intent
            } || conversations[delivery.conversation]?.record.intents.contains { $0.id == delivery.intent } == true
        if !isWaiting {
            finish(at: place, .success(.conversation(delivery.conversation)))
        }
    }
}
