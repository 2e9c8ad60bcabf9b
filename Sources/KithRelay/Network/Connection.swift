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
    /// What counts as the address of the other side.
    private let place: String
    private let loop: RelayLoop
    private let hub: Hub
    private let channel: any Channel
    private var context: ChannelHandlerContext?

    private var decoder: WebSocketDecoder
    private var writer = WebSocketWriter()
    private var follows: [ChannelID: Follow] = [:]
    /// Channels for which the store is being read: a follow that is replaced does not start another read beside.
    private var reading: Set<ChannelID> = []
    /// Channels whose follows wait for such a read.
    private var behind: Set<ChannelID> = []
    private var admission: Admission
    private var intake: [IntakeItem] = []

    private var rate: TokenBucket
    private let openedAt = NIODeadline.now()
    private var lastFrameAt = NIODeadline.now()
    private var hasSaidHello = false
    /// Nothing leaves before this time.
    private var heldUntil: NIODeadline?
    /// The newest ping that has not been answered: one pong stands for all before it (RFC 6455 §5.5.3).
    private var unansweredPing: [UInt8]?
    /// Frames of follows that came while nothing may leave. They go behind the answers, whenever those came.
    private var later: [RelayFrame] = []
    /// A `present` was decided: follows that could not send meanwhile go on with the next flush.
    private var areFollowsStale = false
    /// Nothing is read before this time.
    private var pausedUntil: NIODeadline?
    private var isReadWanted = false
    /// Whether the input broke the rules: nothing more of it counts.
    private var isFailed = false
    /// The other side is closing, and what it said before that has not all been dealt with.
    private var isClosing = false
    private var isTouched = false
    /// The close frame has been written: nothing follows it.
    private var isOver = false

    private var limits: RelayLimits { loop.shared.limits }
    private var metrics: RelayMetrics { loop.shared.metrics }

    init(number: ConnectionNumber, place: String, channel: any Channel, loop: RelayLoop, hub: Hub) {
        self.number = number
        self.place = place
        self.channel = channel
        self.loop = loop
        self.hub = hub
        decoder = WebSocketDecoder(from: .client, limit: loop.shared.limits.frame)
        admission = Admission(limits: loop.shared.limits)
        rate = TokenBucket(
            burst: loop.shared.limits.requestBurst, perSecond: loop.shared.limits.requestsPerSecond)
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        hub.submit([IntakeItem(connection: number, intake: .opened(loop: loop.index, place: place))])
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        hub.submit([IntakeItem(connection: number, intake: .closed)])
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken TLS record or a reset: the other side is gone or does not mean well. Neither is worth a line.
        context.close(promise: nil)
    }

    /// Closes a connection that did not say hello in time, or said nothing for long.
    func closeIfSilent(now: NIODeadline, sweepMs: Int) {
        let (since, allowed) = hasSaidHello ? (lastFrameAt, limits.idleMs) : (openedAt, limits.helloMs)
        // Whoever would be over the time at the next sweep goes now: the limit is kept, not passed by a little.
        guard now + .milliseconds(Int64(sweepMs)) > since + .milliseconds(Int64(allowed)) else { return }
        metrics.connectionsTimedOut.count()
        channel.close(promise: nil)
    }

    /// Says that the relay is going, and closes.
    func goAway() {
        guard context != nil else { return channel.close(promise: nil) }
        close(code: 1001)
    }

    private func close(code: UInt16) {
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
        do {
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.feed(bytes) { message in self.receive(message) }
            }
        } catch {
            isFailed = true
            submit()
            close(code: (error as? WebSocketError)?.rawValue ?? WebSocketError.protocolError.rawValue)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        submit()
        if isTouched { flush() }
        context.fireChannelReadComplete()
    }

    private func submit() {
        guard !intake.isEmpty else { return }
        hub.submit(intake)
        admission.submitted()
        intake.removeAll(keepingCapacity: intake.capacity <= 64)
    }

    private func receive(_ message: WebSocketMessage) {
        guard !isFailed else { return }
        lastFrameAt = .now()
        switch message {
        case .binary(let bytes):
            receive(frame: bytes)
        case .ping(let content):
            unansweredPing = content
            isTouched = true
        case .pong:
            break
        case .close:
            isFailed = true
            isClosing = true
            goOn()
        }
    }

    private func receive(frame bytes: [UInt8]) {
        metrics.requests.count()
        let wait = rate.take(atNanoseconds: Int64(lastFrameAt.uptimeNanoseconds))
        if wait > 0 { pause(forNanoseconds: wait) }
        do throws(TLSCodecError) {
            let frame = try ClientFrame(decoding: bytes)
            guard wait == 0 else { return refuse(frame.requestID, .tooFast(waitNanoseconds: wait), bytes.count) }
            if case .register(let name, let record) = frame.request {
                let record = record.verified(for: name)
                admit(.registration(requestID: frame.requestID, record), bytes.count)
            } else {
                admit(.request(frame), bytes.count)
            }
        } catch {
            let requestID = bytes.dropFirst().prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            guard case .tooLong(let limit) = error else {
                isFailed = true
                return refuse(requestID, RelayError(.badFrame, "the frame does not parse"), bytes.count)
            }
            let tooLarge = RelayError(.tooLarge, "a field is too large", detail: UInt64(limit))
            refuse(requestID, wait == 0 ? tooLarge : .tooFast(waitNanoseconds: wait), bytes.count)
        }
    }

    private func refuse(_ requestID: UInt32, _ error: RelayError, _ bytes: Int) {
        admit(.refused(requestID: requestID, error), bytes)
    }

    private func admit(_ item: Intake, _ bytes: Int) {
        guard admission.admit(item, bytes: bytes, canAnswer: canAnswer, now: lastFrameAt) else { return }
        intake.append(IntakeItem(connection: number, intake: item))
    }

    /// Whether answers can leave soon: if they cannot, nothing more is asked of the hub.
    private var canAnswer: Bool { heldUntil == nil && channel.isWritable }

    /// Whether anything at all may leave now. It may not from the admission of a `present` until its answer leaves.
    private var isOpen: Bool { heldUntil == nil && !admission.isUndecided }

    /// Lets through what waits, and reads more when nothing does.
    private func goOn() {
        while let item = admission.next(canAnswer: canAnswer, now: .now()) {
            intake.append(IntakeItem(connection: number, intake: item))
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
        pausedUntil == nil && admission.wantsMore && canAnswer && isOpen
    }

    private func readIfWanted() {
        guard isReadWanted, mayRead, let context else { return }
        isReadWanted = false
        context.read()
    }

    private func pause(forNanoseconds wait: Int64) {
        guard pausedUntil == nil else { return }
        let until = NIODeadline.now() + .nanoseconds(wait)
        pausedUntil = until
        channel.eventLoop.assumeIsolated().scheduleTask(deadline: until) {
            self.pausedUntil = nil
            self.readIfWanted()
        }
    }

    // MARK: Out

    private var canSend: Bool {
        isOpen && channel.isWritable && writer.bytes.count < limits.unreadBacklog / 2
    }

    /// Takes an answer. Returns whether the connection has to be flushed after the batch; said once for each batch.
    func answer(_ answer: LoopBatch.Answer) -> Bool {
        guard !isOver else { return false }
        // A follow begins when the hub says so, whenever the answer leaves: what is committed next is meant for it.
        let isGated = admission.isUndecided
        if isGated { apply(answer) }
        switch admission.answered(answer, now: .now()) {
        case .send(let answer):
            write(answer)
            if !isGated { apply(answer) }
            if case .closes = answer.effect { close(code: 1008) }
        case .wait:
            return false
        case .sendAll(let answers, let deadline):
            if let deadline { hold(until: deadline) }
            areFollowsStale = true
            for answer in answers { write(answer) }
            let closes = answers.contains { if case .closes = $0.effect { true } else { false } }
            if closes { close(code: 1008) }
        }
        return touch()
    }

    private func write(_ answer: LoopBatch.Answer) {
        writer.write(RelayFrame(requestID: answer.requestID, reply: answer.reply))
    }

    /// Does what the answer changes at the connection, but for closing it.
    private func apply(_ answer: LoopBatch.Answer) {
        switch answer.effect {
        case .none, .closes:
            break
        case .welcomed:
            hasSaidHello = true
        case .follows(let channel, let start):
            var follow = Follow(requestID: answer.requestID, start: start)
            let step = follow.resume(canSend: canSend)
            follows[channel] = follow
            perform(step, channel, answer.requestID)
        case .unfollows(let channel):
            follows[channel] = nil
        }
    }

    /// Writes a frame of a follow, or keeps it until something may leave again.
    private func emit(_ reply: Reply, _ requestID: UInt32) {
        let frame = RelayFrame(requestID: requestID, reply: reply)
        if isOpen { writer.write(frame) } else { later.append(frame) }
    }

    private func touch() -> Bool {
        defer { isTouched = true }
        return !isTouched
    }

    /// Writes what has gathered, in one piece.
    func flush() {
        isTouched = false
        defer { goOn() }
        guard isOpen, !isOver, let context else { return }
        if let ping = unansweredPing {
            unansweredPing = nil
            writer.writePong(ping)
        }
        for frame in later { writer.write(frame) }
        later = []
        if areFollowsStale {
            areFollowsStale = false
            resumeFollows()
        }
        guard !writer.isEmpty else { return }
        metrics.bytesOut.count(writer.bytes.count)
        let buffer = channel.allocator.buffer(bytes: writer.bytes)
        // Keeps the storage of a busy connection, and gives back that of an idle one and of a large frame.
        writer.removeAll(keepingUpTo: writer.bytes.count < 512 ? 0 : 64 << 10)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func hold(until deadline: NIODeadline) {
        guard deadline > .now(), heldUntil.map({ $0 < deadline }) ?? true else { return }
        heldUntil = deadline
        channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            guard self.heldUntil == deadline else { return }
            self.heldUntil = nil
            self.flush()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if channel.isWritable {
            resumeFollows()
            if isTouched { flush() } else { goOn() }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Follows

    /// Takes what the hub has for a follower. Returns whether the connection has to be flushed after the batch.
    func take(_ broadcast: LoopBatch.Broadcast, _ shared: EncodedOnce) -> Bool {
        let channel = broadcast.channel
        guard var follow = follows[channel] else { return false }
        switch broadcast.content {
        case .entries(let entries):
            let step = follow.committed(entries, canSend: canSend, fits: shared.size <= limits.unreadBacklog / 2)
            follows[channel] = follow
            if step == .send || step == .sendAndEnd {
                metrics.entriesDelivered.count(entries.count)
                if shared.isShared {
                    for frame in shared.frames { writer.write(encoded: frame, requestID: follow.requestID) }
                } else {
                    write(entries[...], of: channel, follow.requestID)
                }
            }
            perform(step, channel, follow.requestID)
        case .advanced(let seq):
            let step = follow.advanced(to: seq, canSend: canSend)
            follows[channel] = follow
            perform(step, channel, follow.requestID)
        case .whisper(let epoch, _):
            // A whisper is for who listens now; it waits for nobody.
            guard epoch == follow.epoch, canSend else { return false }
            for frame in shared.frames { writer.write(encoded: frame, requestID: follow.requestID) }
        case .gone:
            follows[channel] = nil
            emit(.error(.gone), follow.requestID)
        }
        return writer.isEmpty ? false : touch()
    }

    /// Takes what the store had for a follower.
    func take(_ result: Result<[Entry], StoreFailure>, for catchUp: RelayLoop.CatchUp) {
        reading.remove(catchUp.channel)
        defer { readNext() }
        guard var follow = follows[catchUp.channel] else { return }
        guard follow.requestID == catchUp.requestID, follow.nextSeq == catchUp.first else {
            // It was read for a follow that this one has replaced.
            follow.readFailed()
            follows[catchUp.channel] = follow
            behind.insert(catchUp.channel)
            return
        }
        switch result {
        case .success(let entries):
            let (mine, step) = follow.read(entries)
            follows[catchUp.channel] = follow
            write(mine, of: catchUp.channel, follow.requestID)
            metrics.entriesDelivered.count(mine.count)
            perform(step, catchUp.channel, follow.requestID)
            // Others have their turn before this channel's next read.
            behind.insert(catchUp.channel)
        case .failure(let failure):
            follows[catchUp.channel] = nil
            emit(.error(RelayError(failure)), follow.requestID)
        }
        flush()
    }

    /// Starts reads for follows that wait for one.
    private func readNext() {
        while canSend, reading.count < limits.catchUpsPerConnection, let channel = behind.popFirst() { resume(channel) }
        if isTouched { flush() }
    }

    private func write(_ entries: ArraySlice<Entry>, of channel: ChannelID, _ requestID: UInt32) {
        for chunk in entries.chunkedForFrames {
            emit(.entries(channel: channel, entries: Array(chunk)), requestID)
        }
    }

    private func resumeFollows() {
        for channel in Array(follows.keys) { resume(channel) }
        if isTouched { flush() }
    }

    private func resume(_ channel: ChannelID) {
        guard var follow = follows[channel] else { return }
        let step = follow.resume(canSend: canSend)
        follows[channel] = follow
        perform(step, channel, follow.requestID)
        if !writer.isEmpty { isTouched = true }
    }

    private func perform(_ step: Follow.Step, _ channel: ChannelID, _ requestID: UInt32) {
        switch step {
        case .nothing, .send:
            break
        case .sendAndEnd, .end:
            let epoch = follows.removeValue(forKey: channel)?.epoch ?? 0
            emit(.epochEnded(channel: channel, epoch: epoch), requestID)
        case .read(let first, let last):
            let isRead = reading.contains(channel)
            guard !isRead, reading.count < limits.catchUpsPerConnection else {
                follows[channel]?.readFailed()
                // One that is being read comes back when that is done.
                if !isRead { behind.insert(channel) }
                return
            }
            reading.insert(channel)
            loop.enqueue(
                RelayLoop.CatchUp(
                    connection: number, requestID: requestID, channel: channel, first: first, last: last))
        case .trimmed(let firstSeq):
            follows[channel] = nil
            emit(.error(.trimmed(firstSeq: firstSeq)), requestID)
        }
    }
}

extension RelayError {
    fileprivate static func tooFast(waitNanoseconds wait: Int64) -> RelayError {
        RelayError(.tooFast, "too many requests", retryAfterMs: UInt32(clamping: wait / 1_000_000 + 1))
    }
}
