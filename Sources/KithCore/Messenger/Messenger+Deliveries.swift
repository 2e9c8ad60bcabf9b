import KithWire
import MLS

// Deliveries to others' inboxes, and the relay's answers to them.

extension Messenger {
    /// Stores something that is to be put into a channel, and sends it when its relay is there.
    ///
    /// - Returns: its number, which other deliveries may wait for.
    @discardableResult
    func deliver(_ delivery: ChannelDelivery) throws(KithError) -> UInt64 {
        let number = deliveries.add(delivery, in: &step)
        relays.want(delivery.relay, in: &step)
        try openDelivery(number)
        return number
    }

    /// Puts something into a channel that is made for it.
    ///
    /// - Returns: where it will be, and the number of the delivery that others may wait for.
    func deliverParcel(
        _ bytes: [UInt8], _ intent: UInt64, _ conversation: Conversation
    ) throws(KithError) -> (ParcelAddress, delivery: UInt64) {
        guard bytes.count <= ClientLimits.parcel else { throw .tooLong(limit: ClientLimits.parcel) }
        let (read, write) = (Token.random(from: random), Token.random(from: random))
        let address = ParcelAddress(
            channel: .random(from: random), readToken: read, key: random.bytes(32), length: UInt32(bytes.count))
        let parts = (address.seal(bytes) ?? []).map { ChannelDelivery.Part(id: .random(from: random), payload: $0) }
        let number = try deliver(
            ChannelDelivery(
                relay: conversation.record.relay, channel: address.channel, appendToken: write,
                access: Access(read: Grant(for: read), append: Grant(for: write), turn: Grant(for: write)),
                parts: parts, after: nil, conversation: conversation.id, intent: intent))
        return (address, number)
    }

    func openDelivery(_ number: UInt64) throws(KithError) {
        try handle(deliveries.open(number, relays, at: now, in: &step))
    }

    func didDeliverStep(
        _ number: UInt64, part: EntryID?, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        try handle(deliveries.didAnswer((number, part, result), relays, at: now, in: &step))
    }

    private func handle(_ events: [DeliveryQueue.Event]) throws(KithError) {
        for event in events {
            switch event {
            case .waits(let delivery, let obstacle):
                guard let conversation = conversations[delivery.conversation] else { continue }
                let name = delivery.account.flatMap { contacts[$0] }?.name ?? name(of: conversation)
                tell(.warning(conversation.id, .invitationWaits(for: name, obstacle), times: 1))
            case .ended(let delivery, let error, let mayBeThere):
                try didDeliver(delivery, error, mayBeThere: mayBeThere)
            }
        }
    }

    private func didDeliver(_ delivery: ChannelDelivery, _ error: KithError?, mayBeThere: Bool) throws(KithError) {
        let place = IntentPlace(conversation: delivery.conversation, intent: delivery.intent)
        if let error {
            finish(at: place, .failure(error))
            if !mayBeThere { try didNotInvite(delivery) }
        }
        if delivery.isParcel, let conversation = conversations[delivery.conversation] {
            try didDeliverParcel(delivery.channel, conversation, error)
        }
        finishIfInvited(place)
        if !delivery.isParcel, let conversation = conversations[delivery.conversation] {
            tell(.conversation(try summary(of: conversation)))
        }
    }

    /// A Welcome that can't be delivered invited nobody. In a conversation of two that has just begun, nobody is there to talk to.
    private func didNotInvite(_ delivery: ChannelDelivery) throws(KithError) {
        guard !delivery.isParcel, let conversation = conversations[delivery.conversation],
            conversation.record.isDirect, conversation.record.status == .active, conversation.record.epoch == 1
        else { return }
        try stop(conversation, .notReachable)
    }

    /// Whether invitations to a conversation are on their way.
    func isInviting(to conversation: Conversation) -> Bool {
        deliveries.contains { $0.conversation == conversation.id && !$0.isParcel }
    }

    /// Ends the commands that wait for an addition when nothing of it is under way any more: neither the commit nor a Welcome, nor
    /// the contact card of a conversation of two, without which the other side can't invite this device to groups.
    func finishIfInvited(_ place: IntentPlace) {
        guard commands.isAny(for: place), let conversation = conversations[place.conversation] else { return }
        let isDelivering = deliveries.contains { $0.conversation == place.conversation && $0.intent == place.intent }
        let isChanging = conversation.record.intents.contains { $0.id == place.intent }
        let isSendingCard =
            conversation.record.status.isOpen && !isBlocked(conversation)
            && (conversation.isCardDue || conversation.outbox.contains(\.isCard))
        guard !isDelivering, !isChanging, !isSendingCard else { return }
        finish(at: place, .success(place.conversation))
    }
}
