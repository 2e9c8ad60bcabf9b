import KithSupport
import KithWire
import NIOCore
import TLSCodec

/// The connection of one client, on one event loop. The connection decodes bytes into requests for the hub, and encodes answers
/// and entries into bytes.
///
/// The requests of one read go to the hub together. The answers of one round are sent in one write.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    let number: ConnectionNumber
    let networks: ClientNetworks
    /// Whether the connection counts as a WebSocket of its address.
    var isWebSocket = false
    /// Whether the connection transfers blobs. A connection that transfers blobs sends no `hello`.
    var isTransfer = false
    let worker: EventLoopWorker
    private let hub: Hub
    let channel: any Channel
    private(set) var context: ChannelHandlerContext?

    private(set) var decoder: WebSocketDecoder
    var writer = WebSocketWriter()
    var follows: [ChannelID: FollowProgress] = [:]
    /// Channels whose entries are being read from the store. A new follow starts no second read of a channel in this set.
    var reading: Set<ChannelID> = []
    /// Channels with a follow that waits for a read from the store.
    var awaitingRead: Set<ChannelID> = []
    var admission: Admission
    private var events: [HubEvent] = []

    private var rate: TokenBucket
    /// The rates of the connection's address and site. All connections of the address and of the site share these rates.
    let sourceRates: SourceRates
    private let openedAt = NIODeadline.now()
    private var lastFrameAt = NIODeadline.now()
    var hasSaidHello = false
    /// The earliest time at which output may be sent; `nil` for no delay.
    var heldUntil: NIODeadline?
    /// The latest unanswered ping. One pong answers this ping and all earlier pings (RFC 6455 §5.5.3).
    var unansweredPing: [UInt8]?
    /// Frames of follows that arrived while no output was allowed. The connection sends all answers before these frames, even
    /// answers that arrive after the frames.
    var later: [RelayFrame] = []
    /// Whether a `present` was decided since the last flush. If `true`, the next flush continues the follows that waited for the
    /// decision of the `present`.
    var areFollowsStale = false
    /// The time at which reading continues; `nil` if reading is not paused. Reading is paused if a rate is used up, or if there
    /// is no free slot for a large message. During a pause, nothing is read from the client or from the store.
    private(set) var pausedUntil: NIODeadline?
    private var isReadWanted = false
    /// Whether the first frame was received and the hub's answer is awaited. Later frames are decoded only after the
    /// client has been welcomed.
    private(set) var awaitsWelcome = false
    /// The time at which the connection took a slot for a large message; `nil` if the connection has no slot.
    var largeInputSince: NIODeadline?
    /// Whether the input violated the protocol. Input after a violation is ignored.
    private var isFailed = false
    /// Whether the peer is closing the connection while earlier requests still wait.
    private var isClosing = false
    /// Whether there is output that has not been sent.
    var hasOutput = false
    /// Whether the close frame has been written. The connection sends nothing after the close frame.
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
        // The cause is a broken TLS record or a reset: the peer is gone or hostile. Neither is worth a line in the log.
        context.close(promise: nil)
    }

    /// Closes the connection if `hello` is late, if the client is silent for too long, or if a large message takes too long.
    func closeIfSilent(now: NIODeadline, sweepMs: Int) {
        guard !isTransfer else { return }
        guard !isLargeInputOver(at: now) else {
            metrics.connectionsTimedOut.count()
            return channel.close(promise: nil)
        }
        let (since, allowed) = hasSaidHello ? (lastFrameAt, limits.idleMs) : (openedAt, limits.helloMs)
        // A connection that would exceed its time before the next sweep is closed now, so that no connection exceeds the limit.
        guard now + .milliseconds(Int64(sweepMs)) > since + .milliseconds(Int64(allowed)) else { return }
        metrics.connectionsTimedOut.count()
        channel.close(promise: nil)
    }

    /// Closes the connection because the relay shuts down.
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
        // Output that is held back must not be sent early, even if the connection ends.
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
        if hasOutput { flush() }
        context.fireChannelReadComplete()
    }

    private func submit() {
        guard !events.isEmpty else { return }
        hub.submit(events, from: networks.source)
        admission.submitted()
        events.removeAll(keepingCapacity: events.capacity <= 64)
    }

    /// Processes one message. Returns whether the next message may be processed now. If the client exceeds a rate, the relay
    /// reads the next requests later.
    private func receive(_ message: WebSocketMessage) -> Bool {
        guard !isFailed else { return true }
        lastFrameAt = .now()
        var cost = 1
        switch message {
        case .binary(let bytes):
            cost = receive(frame: bytes)
        case .ping(let content):
            unansweredPing = content
            hasOutput = true
        case .pong, .fragment:
            break
        case .close:
            isFailed = true
            isClosing = true
            admitWaiting()
        }
        return charge(1, cost, at: lastFrameAt) && !awaitsWelcome
    }

    /// Charges the frames to the connection's rate, and the cost of the frames to the address's rate. Returns whether both rates
    /// allow more frames.
    @discardableResult
    private func charge(_ frames: Int, _ cost: Int, at time: NIODeadline) -> Bool {
        let now = Int64(time.uptimeNanoseconds)
        rate.charge(frames, atNanoseconds: now)
        let wait = max(
            rate.wait(atNanoseconds: now), sourceRates.charge(cost, atNanoseconds: now))
        if wait > 0 { pause(forNanoseconds: wait) }
        return wait == 0
    }

    /// Charges the additional cost of denied `present` requests.
    func chargeDenied(_ count: Int) {
        charge(count * RelayLimits.deniedCost, count * RelayLimits.deniedCost, at: .now())
    }

    /// Charges the address for bytes that were read from the store.
    func chargeReading(_ bytes: Int) {
        let now = NIODeadline.now()
        let wait = sourceRates.charge(
            1 + bytes / RelayLimits.bytesOfOne, atNanoseconds: Int64(now.uptimeNanoseconds))
        if wait > 0 { pause(forNanoseconds: wait) }
    }

    /// Processes a frame of the protocol. Returns the frame's cost.
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
        // The signature is verified only after the welcome, so that a client without the pass cannot make the relay verify
        // signatures.
        guard hasSaidHello, case .register(let name, let record) = frame.request else { return .request(frame) }
        return .registration(requestID: frame.requestID, record.verified(for: name))
    }

    private func admit(_ item: ConnectionEvent, _ bytes: Int, _ cost: Int) -> Int {
        if admission.admit(item, bytes: bytes, cost: cost, canAnswer: canAnswer, now: lastFrameAt) {
            events.append(HubEvent(connection: number, event: item, cost: cost))
        }
        return cost
    }

    /// Whether answers can be sent soon. As long as answers cannot be sent soon, no request goes to the hub.
    var canAnswer: Bool { heldUntil == nil && channel.isWritable }

    /// Whether output may be sent now. Between the admission of a `present` and its answer, no output is sent.
    var isOpen: Bool { heldUntil == nil && !admission.isUndecided }

    /// Admits waiting requests. If no request waits, reads more input.
    func admitWaiting() {
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

    // MARK: Back-pressure

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadWanted = true }
    }

    private var mayRead: Bool {
        // A client sees in the TCP window whether the relay reads. So, like the output, the reading stops while a `present` is
        // undecided.
        pausedUntil == nil && !awaitsWelcome && admission.wantsMore && canAnswer && isOpen
    }

    func readIfWanted() {
        guard isReadWanted, mayRead, let context else { return }
        isReadWanted = false
        context.read()
    }

    /// If the connection may not store more of a large message now, stops reading.
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
        if hasOutput { flush() } else { readIfWanted() }
    }

    /// Decodes the input that was read earlier and not decoded.
    private func takeRest() {
        guard !isFailed, pausedUntil == nil, !awaitsWelcome else { return }
        decode { try decoder.resume { message in self.receive(message) } }
    }
}
