import KithSupport
import KithWire
import NIOCore
import TLSCodec

/// One client: bytes in, requests to the hub; answers and entries in, bytes out. Lives on one event loop.
///
/// Everything that one read brought goes to the hub at once, and everything that one round answered leaves in one write.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    let number: ConnectionNumber
    let networks: ClientNetworks
    /// Whether it has taken a place among the WebSockets of its address.
    var isWebSocket = false
    let worker: EventLoopWorker
    private let hub: Hub
    let channel: any Channel
    private(set) var context: ChannelHandlerContext?

    private(set) var decoder: WebSocketDecoder
    var writer = WebSocketWriter()
    var follows: [ChannelID: FollowProgress] = [:]
    /// Channels for which the store is being read: a follow that is replaced does not start another read beside.
    var reading: Set<ChannelID> = []
    /// Channels whose follows wait for such a read.
    var awaitingRead: Set<ChannelID> = []
    var admission: Admission
    private var events: [HubEvent] = []

    private var rate: TokenBucket
    /// The rates that it shares with the other connections of its address, and of its site.
    let sourceRates: SourceRates
    private let openedAt = NIODeadline.now()
    private var lastFrameAt = NIODeadline.now()
    var hasSaidHello = false
    /// Nothing leaves before this time.
    var heldUntil: NIODeadline?
    /// The newest ping that has not been answered: one pong stands for all before it (RFC 6455 §5.5.3).
    var unansweredPing: [UInt8]?
    /// Frames of follows that came while nothing may leave. They go behind the answers, whenever those came.
    var later: [RelayFrame] = []
    /// A `present` was decided: follows that could not send meanwhile go on with the next flush.
    var areFollowsStale = false
    /// Nothing is read before this time, neither from the client nor from the store: a rate is used up.
    private(set) var pausedUntil: NIODeadline?
    private var isReadWanted = false
    /// The first frame is with the hub. What comes behind it is looked at when the client has been welcomed.
    private(set) var awaitsWelcome = false
    /// Since when the connection has held a place for a large message; `nil` if it holds none.
    var largeInputSince: NIODeadline?
    /// Whether the input broke the rules: nothing more of it counts.
    private var isFailed = false
    /// The other side is closing, and what it said before that has not all been dealt with.
    private var isClosing = false
    var isTouched = false
    /// The close frame has been written: nothing follows it.
    private(set) var isOver = false

    var limits: RelayLimits { worker.shared.limits }
    var metrics: RelayMetrics { worker.shared.metrics }

    init(
        from networks: ClientNetworks, _ sourceRates: SourceRates, channel: any Channel, worker: EventLoopWorker,
        hub: Hub
    ) {
        number = .random(in: .min ... .max)
        self.networks = networks
        self.sourceRates = sourceRates
        self.channel = channel
        self.worker = worker
        self.hub = hub
        decoder = WebSocketDecoder(from: .client, limit: worker.shared.limits.frame)
        admission = Admission(limits: worker.shared.limits)
        rate = TokenBucket(
            burst: worker.shared.limits.requestBurst, perSecond: worker.shared.limits.requestsPerSecond)
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let opened = ConnectionEvent.opened(loop: worker.index, source: networks.source, rates: sourceRates)
        hub.submit([HubEvent(connection: number, event: opened)], from: networks.source)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        leaveLargeInput()
        hub.submit([HubEvent(connection: number, event: .closed)], from: networks.source)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken TLS record or a reset: the other side is gone or does not mean well. Neither is worth a line.
        context.close(promise: nil)
    }

    /// Closes a connection that did not say hello in time, said nothing for long, or takes too long for a large message.
    func closeIfSilent(now: NIODeadline, sweepMs: Int) {
        guard !isLargeInputOver(at: now) else {
            metrics.connectionsTimedOut.count()
            return channel.close(promise: nil)
        }
        let (since, allowed) = hasSaidHello ? (lastFrameAt, limits.idleMs) : (openedAt, limits.helloMs)
        // A connection that would be over the time at the next sweep goes now: none exceeds the limit.
        guard now + .milliseconds(Int64(sweepMs)) > since + .milliseconds(Int64(allowed)) else { return }
        metrics.connectionsTimedOut.count()
        channel.close(promise: nil)
    }

    /// Says that the relay is going, and closes.
    func goAway() {
        guard context != nil else { return channel.close(promise: nil) }
        close(code: 1001)
    }

    func close(code: UInt16) {
        guard !isOver else { return }
        isFailed = true
        isClosing = false
        follows = [:]
        later = []
        unansweredPing = nil
        // Output that is held back must not leave sooner because the connection ends.
        if !isOpen { writer.removeAll() }
        heldUntil = nil
        admission.dropAll()
        writer.writeClose(code: code)
        flush()
        isOver = true
        context?.close(promise: nil)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFailed else { return }
        let buffer = unwrapInboundIn(data)
        metrics.bytesIn.count(buffer.readableBytes)
        decode {
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.push(bytes) { message in self.receive(message) }
            }
            guard !isHelloTooLong else { throw WebSocketError.messageTooBig }
        }
    }

    private func decode(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            isFailed = true
            submit()
            close(code: (error as? WebSocketError)?.rawValue ?? WebSocketError.protocolError.rawValue)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        submit()
        holdBackInput()
        if isTouched { flush() }
        context.fireChannelReadComplete()
    }

    private func submit() {
        guard !events.isEmpty else { return }
        hub.submit(events, from: networks.source)
        admission.submitted()
        events.removeAll(keepingCapacity: events.capacity <= 64)
    }

    /// Takes one message. Returns whether the next may be taken now: a rate is kept by reading later, so that a request
    /// over it costs nothing until its time has come.
    private func receive(_ message: WebSocketMessage) -> Bool {
        guard !isFailed else { return true }
        lastFrameAt = .now()
        var cost = 1
        switch message {
        case .binary(let bytes):
            cost = receive(frame: bytes)
        case .ping(let content):
            unansweredPing = content
            isTouched = true
        case .pong, .fragment:
            break
        case .close:
            isFailed = true
            isClosing = true
            goOn()
        }
        return charge(1, cost, at: lastFrameAt) && !awaitsWelcome
    }

    /// Charges a frame to the connection's rate, and what it costs to the address's. Returns whether both have anything left.
    @discardableResult
    private func charge(_ frames: Int, _ cost: Int, at time: NIODeadline) -> Bool {
        let now = Int64(time.uptimeNanoseconds)
        rate.charge(frames, atNanoseconds: now)
        let wait = max(
            rate.wait(atNanoseconds: now), sourceRates.charge(cost, atNanoseconds: now))
        if wait > 0 { pause(forNanoseconds: wait) }
        return wait == 0
    }

    /// Charges for presents that were denied, beside what they cost as requests.
    func chargeDenied(_ count: Int) {
        charge(count * RelayLimits.deniedCost, count * RelayLimits.deniedCost, at: .now())
    }

    /// Charges the address for bytes that the store was read for.
    func chargeReading(_ bytes: Int) {
        let now = NIODeadline.now()
        let wait = sourceRates.charge(
            1 + bytes / RelayLimits.bytesOfOne, atNanoseconds: Int64(now.uptimeNanoseconds))
        if wait > 0 { pause(forNanoseconds: wait) }
    }

    /// Takes a frame of the protocol. Returns what it costs.
    private func receive(frame bytes: [UInt8]) -> Int {
        metrics.requests.count()
        if !hasSaidHello { awaitsWelcome = true }
        let cost = bytes.count / RelayLimits.bytesOfOne
        do throws(TLSCodecError) {
            let frame = try ClientFrame(decoding: bytes)
            return admit(event(of: frame), bytes.count, cost + frame.request.cost)
        } catch {
            let requestID = bytes.dropFirst().prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            guard case .tooLong(let limit) = error else {
                isFailed = true
                let badFrame = RelayError(.badFrame, "the frame does not parse")
                return admit(.refused(requestID: requestID, badFrame), bytes.count, cost + 1)
            }
            let tooLarge = RelayError(.tooLarge, "a field is too large", detail: UInt64(limit))
            return admit(.refused(requestID: requestID, tooLarge), bytes.count, cost + 1)
        }
    }

    private func event(of frame: ClientFrame) -> ConnectionEvent {
        // Not before the welcome: a client without the pass must not have signatures verified.
        guard hasSaidHello, case .register(let name, let record) = frame.request else { return .request(frame) }
        return .registration(requestID: frame.requestID, record.verified(for: name))
    }

    private func admit(_ item: ConnectionEvent, _ bytes: Int, _ cost: Int) -> Int {
        if admission.admit(item, bytes: bytes, cost: cost, canAnswer: canAnswer, now: lastFrameAt) {
            events.append(HubEvent(connection: number, event: item, cost: cost))
        }
        return cost
    }

    /// Whether answers can leave soon: if they cannot, nothing more is asked of the hub.
    var canAnswer: Bool { heldUntil == nil && channel.isWritable }

    /// Whether anything at all may leave now. It may not from the admission of a `present` until its answer leaves.
    var isOpen: Bool { heldUntil == nil && !admission.isUndecided }

    /// Lets through what waits, and reads more when nothing does.
    func goOn() {
        if awaitsWelcome && hasSaidHello {
            awaitsWelcome = false
            takeRest()
        }
        while let item = admission.next(canAnswer: canAnswer, now: .now()) {
            events.append(HubEvent(connection: number, event: item.event, cost: item.cost))
        }
        submit()
        if isClosing && admission.isDrained { close(code: 1000) }
        readIfWanted()
    }

    // MARK: Reading only what can be dealt with

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadWanted = true }
    }

    private var mayRead: Bool {
        // Reading would show in the TCP window as output does on the wire, so it stops for an undecided `present` too.
        pausedUntil == nil && !awaitsWelcome && admission.wantsMore && canAnswer && isOpen
    }

    func readIfWanted() {
        guard isReadWanted, mayRead, let context else { return }
        isReadWanted = false
        context.read()
    }

    /// Looks again later if nothing more of a large message may be held now.
    private func holdBackInput() {
        guard !isFailed else { return leaveLargeInput() }
        if !mayHoldInput() { pause(forNanoseconds: 1) }
    }

    private func pause(forNanoseconds wait: Int64) {
        guard pausedUntil == nil else { return }
        metrics.connectionsPaused.count()
        let until = NIODeadline.now() + max(.nanoseconds(wait), .milliseconds(RelayLimits.shortestPauseMs))
        pausedUntil = until
        channel.eventLoop.assumeIsolated().scheduleTask(deadline: until) { self.endPause() }
    }

    private func endPause() {
        pausedUntil = nil
        takeRest()
        submit()
        holdBackInput()
        readNext()
        if isTouched { flush() } else { readIfWanted() }
    }

    /// Takes what was read before and left.
    private func takeRest() {
        guard !isFailed, pausedUntil == nil, !awaitsWelcome else { return }
        decode { try decoder.resume { message in self.receive(message) } }
    }
}
