import KithWire

/// A delivery in memory.
struct PendingDelivery {
    let delivery: ChannelDelivery
    /// The parts that the relay has.
    var done: Set<EntryID> = []
    var isOpen = false

    init(_ delivery: ChannelDelivery) { self.delivery = delivery }

    mutating func hangUp() { isOpen = false }
}

extension Messenger {
    /// Stores something that is to be put into a channel, and sends it when its relay is there.
    @discardableResult
    func deliver(_ delivery: ChannelDelivery) -> UInt64 {
        let number = nextNumbers.delivery
        nextNumbers.delivery += 1
        deliveries[number] = PendingDelivery(delivery)
        output.transaction.put(StoreKey(.delivery, item: number), delivery.encoded)
        want(delivery.relay)
        openDelivery(number)
        return number
    }

    func openDelivery(_ number: UInt64) {
        guard let pending = deliveries[number], !pending.isOpen, links.contains(pending.delivery.relay) else { return }
        let delivery = pending.delivery
        if let before = delivery.after, deliveries[before] != nil { return }
        deliveries[number]?.isOpen = true
        if let access = delivery.access {
            request(
                delivery.relay, .create(channel: delivery.channel, access: access, retentionSeconds: nil),
                for: .createDelivery(number))
        }
        request(
            delivery.relay, .present(channel: delivery.channel, epoch: 0, tokens: [delivery.appendToken]),
            for: .presentDelivery(number))
        for part in delivery.parts where !pending.done.contains(part.id) {
            request(
                delivery.relay,
                .append(channel: delivery.channel, epoch: 0, id: part.id, payload: part.payload[...]),
                for: .deliver(number, part: part.id))
        }
    }

    func didDeliverStep(
        _ number: UInt64, part: EntryID?, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        guard let pending = deliveries[number] else { return }
        switch result {
        case .success:
            guard let part else { return }
            deliveries[number]?.done.insert(part)
            if pending.delivery.parts.allSatisfy({ $0.id == part || pending.done.contains($0.id) }) {
                try didDeliver(number, nil)
            }
        // An answer to what was asked before a refusal that will pass: it is all asked again.
        case .failure where !pending.isOpen: break
        case .failure(let error) where error.code.isPassing:
            // Asked for patience: the next tick tries again.
            deliveries[number]?.isOpen = false
            deliveryRetryAt = min(deliveryRetryAt ?? .max, now + error.patienceMs)
        case .failure(let error):
            // The inbox was closed meanwhile.
            try didDeliver(number, error.code == .tooLarge ? .tooLong(limit: Int(clamping: error.detail)) : .inviteUsed)
        }
    }

    private func didDeliver(_ number: UInt64, _ error: KithError?) throws(KithError) {
        guard let delivery = deliveries.removeValue(forKey: number)?.delivery else { return }
        output.transaction.delete(StoreKey(.delivery, item: number))
        let place = IntentPlace(conversation: delivery.conversation, intent: delivery.intent)
        if let error {
            finish(commandsByIntent.removeValue(forKey: place), .failure(error))
        } else {
            for (other, pending) in deliveries where pending.delivery.after == number { openDelivery(other) }
        }
        let isWaiting =
            deliveries.values.contains {
                $0.delivery.conversation == delivery.conversation && $0.delivery.intent == delivery.intent
            } || conversations[delivery.conversation]?.record.intents.contains { $0.id == delivery.intent } == true
        if !isWaiting {
            finish(commandsByIntent.removeValue(forKey: place), .success(.conversation(delivery.conversation)))
        }
    }
}
