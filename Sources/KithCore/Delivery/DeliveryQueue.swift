import KithWire

/// The deliveries of a profile to others' channels: Welcomes into inboxes, and parcels. Each is tried until the relay has all of it, or
/// says that it never will.
struct DeliveryQueue {
    private var pending: [UInt64: PendingDelivery] = [:]

    /// A change in the state of a delivery.
    enum Event {
        /// The relay has no room or no time for it; it is tried again.
        case waits(ChannelDelivery, InvitationObstacle)
        /// It is done, or can't be. `mayExist`: whether the relay may have it although it could not be delivered.
        case ended(ChannelDelivery, KithError?, mayExist: Bool)

        /// The conversation that the delivery is for.
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

    /// The oldest delivery to a channel.
    func delivery(to channel: ChannelID) -> ChannelDelivery? { all.first { $0.channel == channel } }

    func contains(_ isMeant: (ChannelDelivery) -> Bool) -> Bool { pending.values.contains { isMeant($0.delivery) } }

    /// The next times at which something is to be tried again, in milliseconds.
    func due(_ relays: RelayDirectory) -> [UInt64] {
        pending.values.compactMap { relays.isConnected($0.delivery.relay) ? $0.retryAt : nil }
    }

    /// The deliveries that are to be tried again now, by number.
    func ready(at now: UInt64) -> [UInt64] { numbers.filter { pending[$0]?.retryAt.map { $0 <= now } == true } }

    /// The deliveries to a relay, by number.
    func numbers(at relay: RelayID) -> [UInt64] { numbers.filter { pending[$0]?.delivery.relay == relay } }

    private var numbers: [UInt64] { pending.keys.sorted() }

    // MARK: Changes

    /// Takes a delivery from the store: it may have been sent before.
    mutating func load(_ number: UInt64, _ delivery: ChannelDelivery) {
        pending[number] = PendingDelivery(delivery, mayExist: true)
    }

    /// Stores a new delivery. ``open(_:_:at:in:)`` sends it.
    ///
    /// - Returns: its number, which others may wait for.
    mutating func add(_ delivery: ChannelDelivery, in step: inout Step) -> UInt64 {
        let number = step.numbers.nextDelivery()
        pending[number] = PendingDelivery(delivery, mayExist: false)
        step.put(StoreKey(.delivery, item: number), delivery.encoded)
        return number
    }

    /// Forgets deliveries that are of no use any more.
    mutating func drop(_ isMeant: (ChannelDelivery) -> Bool, in step: inout Step) {
        for number in numbers {
            guard let delivery = pending[number]?.delivery, isMeant(delivery) else { continue }
            pending[number] = nil
            step.delete(StoreKey(.delivery, item: number))
        }
    }

    /// Forgets what was under way at a relay.
    mutating func resetConnection(_ relay: RelayID) {
        for number in numbers(at: relay) { pending[number]?.resetConnection() }
    }

    /// Sends a delivery, if its relay is there and what comes before it has arrived.
    ///
    /// - Parameter now: the time that nobody sets, in milliseconds.
    mutating func open(
        _ number: UInt64, _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> [Event] {
        guard let opened = pending[number], !opened.isOpen, relays.isConnected(opened.delivery.relay),
            opened.retryAt.map({ $0 <= now }) != false
        else { return [] }
        let delivery = opened.delivery
        // A relay would close the connection.
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

    /// Takes the answer to a request of a delivery.
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
        // The next tick tries again, once nothing of this attempt is on its way.
        if delivery.patienceMs != nil, delivery.unanswered == 0 { delivery.pause(now: now) }
        pending[number] = delivery
        if delivery.isDone { events += end(number, nil, relays, at: now, in: &step) }
        return events
    }

    /// A delivery is over. What waited for it goes on if it arrived.
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
    /// Requests that have no answer yet.
    private(set) var unanswered = 0
    /// Whether the relay may have it although nothing says so: it was sent before, and the answer was lost.
    private(set) var mayExist: Bool
    /// The wait before all is asked again, in milliseconds: the relay asked for patience. Its answers to the other requests of the
    /// same attempt follow from that.
    private(set) var patienceMs: UInt64?
    /// When to try again, in milliseconds since 1970.
    private(set) var retryAt: UInt64?
    /// Consecutive refusals that asked to try again later.
    private var refusals = 0
    /// Whether the user was told that it waits.
    private var isTold = false

    init(_ delivery: ChannelDelivery, mayExist: Bool) {
        self.delivery = delivery
        self.mayExist = mayExist
    }

    var isDone: Bool { delivery.parts.allSatisfy { done.contains($0.id) } }

    /// An attempt begins, with this many requests.
    mutating func open(requests: Int) {
        isOpen = true
        patienceMs = nil
        retryAt = nil
        unanswered = requests
    }

    /// A request has its answer.
    mutating func didAnswer() { unanswered -= min(1, unanswered) }

    /// The relay asked for patience.
    ///
    /// - Returns: what is in the way, if the user is to be told: once, and only of an invitation. A relay that is busy for a moment
    ///   is not worth a word.
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

    /// Plans another try after a pause that doubles each time, at least as long as the relay asked for.
    mutating func pause(now: UInt64) {
        let asked = patienceMs ?? 0
        resetConnection()
        let doubled = RelayError.leastPatienceMs << UInt64(min(refusals, 16))
        refusals += 1
        retryAt = now + max(asked, min(doubled, ClientLimits.deliveryPauseMs))
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
