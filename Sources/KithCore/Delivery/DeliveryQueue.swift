import KithWire

/// The deliveries of a profile: Welcomes for other people's inboxes, and parcels. Each delivery is retried until the relay has
/// all parts of the delivery, or refuses the delivery for good.
struct DeliveryQueue {
    private var pending: [UInt64: PendingDelivery] = [:]

    /// A change in the state of a delivery.
    enum Event {
        /// The relay has no room or no time for the delivery. The delivery will be retried.
        case waits(ChannelDelivery, InvitationObstacle)
        /// The delivery has arrived, or has failed for good. `mayExist`: whether the relay may have the delivery in spite of the
        /// failure.
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

    /// The deliveries, the oldest first.
    var all: [ChannelDelivery] { numbers.compactMap { pending[$0]?.delivery } }

    /// Returns the oldest delivery to a channel.
    func delivery(to channel: ChannelID) -> ChannelDelivery? { all.first { $0.channel == channel } }

    func contains(_ isMeant: (ChannelDelivery) -> Bool) -> Bool { pending.values.contains { isMeant($0.delivery) } }

    /// The times of the next retries, in milliseconds.
    func due(_ relays: RelayDirectory) -> [UInt64] {
        pending.values.compactMap { relays.isConnected($0.delivery.relay) ? $0.retryAt : nil }
    }

    /// Returns the numbers of the deliveries that are due for a retry.
    func ready(at now: UInt64) -> [UInt64] { numbers.filter { pending[$0]?.retryAt.map { $0 <= now } == true } }

    /// Returns the numbers of the deliveries to a relay.
    func numbers(at relay: RelayID) -> [UInt64] { numbers.filter { pending[$0]?.delivery.relay == relay } }

    private var numbers: [UInt64] { pending.keys.sorted() }

    // MARK: Changes

    /// Adds a delivery from the store. The device may already have sent the delivery before the profile was opened.
    mutating func load(_ number: UInt64, _ delivery: ChannelDelivery) {
        pending[number] = PendingDelivery(delivery, mayExist: true)
    }

    /// Stores a new delivery. ``open(_:_:at:in:)`` sends the delivery.
    ///
    /// - Returns: the delivery's number. Later deliveries may refer to this number in ``ChannelDelivery/after``.
    mutating func add(_ delivery: ChannelDelivery, in step: inout Step) -> UInt64 {
        let number = step.numbers.nextDelivery()
        pending[number] = PendingDelivery(delivery, mayExist: false)
        step.put(StoreKey(.delivery, item: number), delivery.encoded)
        return number
    }

    /// Drops the deliveries for which `isMeant` returns `true`.
    mutating func drop(_ isMeant: (ChannelDelivery) -> Bool, in step: inout Step) {
        for number in numbers {
            guard let delivery = pending[number]?.delivery, isMeant(delivery) else { continue }
            pending[number] = nil
            step.delete(StoreKey(.delivery, item: number))
        }
    }

    /// Resets the deliveries to a relay, because the connection to the relay has ended.
    mutating func resetConnection(_ relay: RelayID) {
        for number in numbers(at: relay) { pending[number]?.resetConnection() }
    }

    /// Sends a delivery. Does nothing if the relay is not connected or has asked for a pause, or if an earlier delivery has to
    /// arrive first.
    ///
    /// - Parameter now: the current time, in milliseconds; see ``Clocks/now``.
    mutating func open(
        _ number: UInt64, _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> [Event] {
        guard let opened = pending[number], !opened.isOpen, relays.isConnected(opened.delivery.relay),
            opened.retryAt.map({ $0 <= now }) != false
        else { return [] }
        let delivery = opened.delivery
        // A part that is too large is not sent, because the relay would close the connection.
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
        case .failure(let error) where delivery.pauseMs == nil:
            // The inbox was closed in the meantime.
            let reason: KithError =
                error.code == .tooLarge ? .tooLong(limit: Int(clamping: error.detail)) : .inviteUsed
            return end(number, reason, relays, at: now, in: &step)
        case .failure: break
        }
        // After a temporary refusal, a tick sends the delivery again. The pause until then begins when all requests have an
        // answer.
        if delivery.pauseMs != nil, delivery.unanswered == 0 { delivery.pause(now: now) }
        pending[number] = delivery
        if delivery.isDone { events += end(number, nil, relays, at: now, in: &step) }
        return events
    }

    /// Removes a delivery. If the delivery has arrived, sends the deliveries that waited for it.
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

/// A delivery with the state of its current attempt.
private struct PendingDelivery {
    let delivery: ChannelDelivery
    /// The parts that the relay already has.
    var done: Set<EntryID> = []
    private(set) var isOpen = false
    /// Number of requests without an answer.
    private(set) var unanswered = 0
    /// Whether the relay might have the delivery although this device does not know it. The value is `true` if the answer to an
    /// earlier attempt was lost.
    private(set) var mayExist: Bool
    /// The pause, in milliseconds, after which all requests of the delivery are repeated. `nil` unless the relay has
    /// temporarily refused a request of this attempt. After a temporary refusal, a final refusal in the same attempt is
    /// ignored: the final refusal is only a consequence of the temporary one.
    private(set) var pauseMs: UInt64?
    /// The time of the next attempt, in milliseconds; see ``Clocks/now``.
    private(set) var retryAt: UInt64?
    /// Number of successive temporary refusals.
    private var refusals = 0
    /// Whether the user was told that the delivery waits.
    private var isTold = false

    init(_ delivery: ChannelDelivery, mayExist: Bool) {
        self.delivery = delivery
        self.mayExist = mayExist
    }

    var isDone: Bool { delivery.parts.allSatisfy { done.contains($0.id) } }

    /// Begins an attempt that consists of the given number of requests.
    mutating func open(requests: Int) {
        isOpen = true
        pauseMs = nil
        retryAt = nil
        unanswered = requests
    }

    /// Counts an answered request.
    mutating func didAnswer() { unanswered -= min(1, unanswered) }

    /// Notes that the relay has refused a request of the delivery temporarily.
    ///
    /// - Returns: the obstacle to report to the user; `nil` for none. At most one obstacle of a delivery is reported, and
    ///   only if the delivery is an invitation. A relay that is busy for a moment is not reported.
    mutating func wait(for error: RelayError) -> InvitationObstacle? {
        pauseMs = max(pauseMs ?? 0, error.retryDelayMs)
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
        pauseMs = nil
        retryAt = nil
    }

    /// Schedules a retry. Each pause is twice as long as the previous pause, up to ``ClientLimits/deliveryPauseMs``. If the relay
    /// has asked for a longer pause, the client makes that pause.
    mutating func pause(now: UInt64) {
        let asked = pauseMs ?? 0
        resetConnection()
        let doubled = RelayError.defaultRetryMs << UInt64(min(refusals, 16))
        refusals += 1
        retryAt = now + max(asked, min(doubled, ClientLimits.deliveryPauseMs))
    }
}

extension InvitationObstacle {
    /// Derives the obstacle from a temporary refusal. If the relay refuses a letter for lack of space, `detail` shows the
    /// reason: it is positive if the inbox is full, and 0 if the relay's disk is full.
    init(_ error: RelayError) {
        switch error.code {
        case .full: self = error.detail > 0 ? .inboxFull : .relayFull
        case .tooFast, .tooMany: self = .tooFast
        default: self = .unavailable
        }
    }
}
