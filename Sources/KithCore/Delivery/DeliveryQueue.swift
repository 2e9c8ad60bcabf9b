import KithWire

/// The deliveries of a profile: Welcomes for others' inboxes, and parcels. Each is retried until the relay has all of it or
/// refuses for good.
struct DeliveryQueue {
    private var pending: [UInt64: PendingDelivery] = [:]

    /// A change in the state of a delivery.
    enum Event {
        /// The relay has no room or no time for it. It will be retried.
        case waits(ChannelDelivery, InvitationObstacle)
        /// It arrived, or failed for good. `mayExist`: whether the relay may have it although the delivery failed.
        case ended(ChannelDelivery, KithError?, mayExist: Bool)

        /// The conversation of the delivery.
        var conversation: ConversationID {
            switch self {
            case .waits(let delivery, _), .ended(let delivery, _, _): delivery.conversation
            }
        }
    }

    // MARK: Reading

    var count: Int { pending.count }

    /// The deliveries, oldest first.
    var all: [ChannelDelivery] { numbers.compactMap { pending[$0]?.delivery } }

    /// The oldest delivery to a channel.
    func delivery(to channel: ChannelID) -> ChannelDelivery? { all.first { $0.channel == channel } }

    func contains(_ isMeant: (ChannelDelivery) -> Bool) -> Bool { pending.values.contains { isMeant($0.delivery) } }

    /// The times of the next retries, in milliseconds.
    func due(_ relays: RelayDirectory) -> [UInt64] {
        pending.values.compactMap { relays.isConnected($0.delivery.relay) ? $0.retryAt : nil }
    }

    /// The deliveries to retry now, by number.
    func ready(at now: UInt64) -> [UInt64] { numbers.filter { pending[$0]?.retryAt.map { $0 <= now } == true } }

    /// The deliveries to a relay, by number.
    func numbers(at relay: RelayID) -> [UInt64] { numbers.filter { pending[$0]?.delivery.relay == relay } }

    private var numbers: [UInt64] { pending.keys.sorted() }

    // MARK: Changes

    /// Adds a delivery from the store. It may have been sent before.
    mutating func load(_ number: UInt64, _ delivery: ChannelDelivery) {
        pending[number] = PendingDelivery(delivery, mayExist: true)
    }

    /// Stores a new delivery. ``open(_:_:at:in:)`` sends it.
    ///
    /// - Returns: its number, which later deliveries may name in ``ChannelDelivery/after``.
    mutating func add(_ delivery: ChannelDelivery, in step: inout Step) -> UInt64 {
        let number = step.numbers.nextDelivery()
        pending[number] = PendingDelivery(delivery, mayExist: false)
        step.put(StoreKey(.delivery, item: number), delivery.encoded)
        return number
    }

    /// Drops deliveries that are no longer needed.
    mutating func drop(_ isMeant: (ChannelDelivery) -> Bool, in step: inout Step) {
        for number in numbers {
            guard let delivery = pending[number]?.delivery, isMeant(delivery) else { continue }
            pending[number] = nil
            step.delete(StoreKey(.delivery, item: number))
        }
    }

    /// Resets the deliveries to a relay whose connection ended.
    mutating func resetConnection(_ relay: RelayID) {
        for number in numbers(at: relay) { pending[number]?.resetConnection() }
    }

    /// Sends a delivery, if its relay is connected and the previous delivery has arrived.
    ///
    /// - Parameter now: ``Clocks/now``, in milliseconds.
    mutating func open(
        _ number: UInt64, _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> [Event] {
        guard let opened = pending[number], !opened.isOpen, relays.isConnected(opened.delivery.relay),
            opened.retryAt.map({ $0 <= now }) != false
        else { return [] }
        let delivery = opened.delivery
        // The relay would close the connection.
        guard delivery.parts.allSatisfy({ $0.payload.count <= WireLimits.payload }) else {
            return end(number, .tooLong(limit: WireLimits.payload), relays, at: now, in: &step)
        }
        if let before = delivery.after, pending[before] != nil { return [] }
        let parts = delivery.parts.filter { !opened.done.contains($0.id) }
        pending[number]?.open(requests: parts.count + (delivery.access == nil ? 1 : 2))
        if let access = delivery.access {
            step.request(
                delivery.relay, .create(channel: delivery.channel, access: access, retentionSeconds: nil),
                for: .delivery(number, .create))
        }
        step.request(
            delivery.relay, .present(channel: delivery.channel, epoch: 0, tokens: [delivery.appendToken]),
            for: .delivery(number, .present))
        for part in parts {
            step.request(
                delivery.relay,
                .append(channel: delivery.channel, epoch: 0, id: part.id, payload: part.payload[...]),
                for: .delivery(number, .part(part.id)))
        }
        return []
    }

    /// Handles the answer to a request of a delivery.
    ///
    /// - Parameter answer: the number of the delivery, the request, and the relay's answer.
    mutating func didAnswer(
        _ answer: (number: UInt64, request: DeliveryRequest, result: Result<Reply, RelayError>),
        _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> [Event] {
        let number = answer.number
        guard var delivery = pending[number] else { return [] }
        var events: [Event] = []
        delivery.didAnswer()
        switch answer.result {
        case .success: if case .part(let part) = answer.request { delivery.done.insert(part) }
        case .failure(let error) where error.code.isPassing:
            if let obstacle = delivery.wait(for: error) { events.append(.waits(delivery.delivery, obstacle)) }
        case .failure(let error) where delivery.patienceMs == nil:
            // The inbox was closed meanwhile.
            let reason: KithError =
                error.code == .tooLarge ? .tooLong(limit: Int(clamping: error.detail)) : .inviteUsed
            return end(number, reason, relays, at: now, in: &step)
        case .failure: break
        }
        // The next tick retries, once no request of this attempt is outstanding.
        if delivery.patienceMs != nil, delivery.unanswered == 0 { delivery.pause(now: now) }
        pending[number] = delivery
        if delivery.isDone { events += end(number, nil, relays, at: now, in: &step) }
        return events
    }

    /// Removes a delivery. If it arrived, sends the deliveries that waited for it.
    private mutating func end(
        _ number: UInt64, _ error: KithError?, _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> [Event] {
        guard let ended = pending.removeValue(forKey: number) else { return [] }
        step.delete(StoreKey(.delivery, item: number))
        var events: [Event] = []
        if error == nil {
            for other in numbers where pending[other]?.delivery.after == number {
                events += open(other, relays, at: now, in: &step)
            }
        }
        return events + [.ended(ended.delivery, error, mayExist: ended.mayExist)]
    }
}

/// A delivery in memory.
private struct PendingDelivery {
    let delivery: ChannelDelivery
    /// The parts that the relay has.
    var done: Set<EntryID> = []
    private(set) var isOpen = false
    /// Requests without an answer yet.
    private(set) var unanswered = 0
    /// Whether the relay may have it without a confirmation: it was sent before, and the answer was lost.
    private(set) var mayExist: Bool
    /// The pause before all requests are repeated, in milliseconds, if the relay asked for one. Its answers to the other requests
    /// of the same attempt follow from that.
    private(set) var patienceMs: UInt64?
    /// The time of the next attempt, in milliseconds since 1970.
    private(set) var retryAt: UInt64?
    /// Consecutive refusals that asked to try again later.
    private var refusals = 0
    /// Whether the user knows that the delivery waits.
    private var isTold = false

    init(_ delivery: ChannelDelivery, mayExist: Bool) {
        self.delivery = delivery
        self.mayExist = mayExist
    }

    var isDone: Bool { delivery.parts.allSatisfy { done.contains($0.id) } }

    /// Begins an attempt with this many requests.
    mutating func open(requests: Int) {
        isOpen = true
        patienceMs = nil
        retryAt = nil
        unanswered = requests
    }

    /// A request was answered.
    mutating func didAnswer() { unanswered -= min(1, unanswered) }

    /// The relay asked to retry later.
    ///
    /// - Returns: the obstacle, if the user should know of it: once, and only for an invitation. A relay that is busy for a
    ///   moment is not reported.
    mutating func wait(for error: RelayError) -> InvitationObstacle? {
        patienceMs = max(patienceMs ?? 0, error.patienceMs)
        let obstacle = InvitationObstacle(error)
        let isFull = obstacle == .inboxFull || obstacle == .relayFull
        guard isFull || refusals > 1, !isTold, delivery.access == nil else { return nil }
        isTold = true
        return obstacle
    }

    mutating func resetConnection() {
        if unanswered > 0 { mayExist = true }
        isOpen = false
        unanswered = 0
        patienceMs = nil
        retryAt = nil
    }

    /// Plans a retry after a pause that doubles each time and is at least as long as the relay asked for.
    mutating func pause(now: UInt64) {
        let asked = patienceMs ?? 0
        resetConnection()
        let doubled = RelayError.leastPatienceMs << UInt64(min(refusals, 16))
        refusals += 1
        retryAt = now + max(asked, min(doubled, ClientLimits.deliveryPauseMs))
    }
}

extension InvitationObstacle {
    /// Derives the obstacle from a temporary refusal. A relay names a size if the inbox is full, and none if its disk is full.
    init(_ error: RelayError) {
        switch error.code {
        case .full: self = error.detail > 0 ? .inboxFull : .relayFull
        case .tooFast, .tooMany: self = .tooFast
        default: self = .unavailable
        }
    }
}
