import KithWire
import NIOCore
import NIOSSL
import NIOTLS

/// The shell around ``RelaySession``: bytes from the socket in, bytes to the socket out, and answers to those who wait
/// for them. Everything in it happens on the channel's event loop.
final class RelayChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case handshaking
        case upgrading(WebSocketUpgrade)
        case open
        case closed
    }

    private let address: RelayAddress
    private let pass: RelayPass?
    private let outbox: Outbox
    private let opened: EventLoopPromise<RelayWelcome>
    private let timeouts: RelayTimeouts

    private var phase = Phase.handshaking
    private var decoder = WebSocketDecoder(from: .server)
    private var writer = WebSocketWriter()
    private var masks = MaskSource()
    private var session: RelaySession<Ticket>
    private var follows: [FollowID: FollowBuffer] = [:]
    private var items: [Outbox.Item] = []
    private var ticking: RepeatedTask?
    private var handshakeDeadline: Scheduled<Void>?
    /// The newest ping that has not been answered. One pong stands for all before it (RFC 6455 §5.5.3), and it waits until
    /// the relay reads: reading itself goes on, since the relay may be waiting for that.
    private var unansweredPing: [UInt8]?
    /// Frames that the relay's own frames have called for since it stopped reading.
    private var unreadReactions = 0

    /// Who asked.
    private enum Ticket {
        case request(RequestTicket)
        case follow(FollowBuffer)
    }

    init(
        address: RelayAddress, pass: RelayPass?, outbox: Outbox, timeouts: RelayTimeouts,
        opened: EventLoopPromise<RelayWelcome>
    ) {
        self.address = address
        self.pass = pass
        self.outbox = outbox
        self.timeouts = timeouts
        self.opened = opened
        session = RelaySession(timeouts: timeouts, now: .now())
    }

    // MARK: Opening

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        handshakeDeadline = context.eventLoop.scheduleTask(in: timeouts.handshake) {
            let (handler, context) = bound.value
            handler.fail(.unreachable(.timedOut), context)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent, case .handshaking = phase {
            let upgrade = WebSocketUpgrade(to: address)
            phase = .upgrading(upgrade)
            context.writeAndFlush(
                wrapOutboundOut(context.channel.allocator.buffer(bytes: upgrade.request)), promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func didUpgrade(_ context: ChannelHandlerContext) {
        phase = .open
        let now = NIODeadline.now()
        send(session.hello(pass: pass, now: now))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // Often enough to be on time for the shortest of the timeouts.
        let shortest = min(timeouts.answer, timeouts.pingAfter, TimeAmount.seconds(4)).nanoseconds
        let interval = TimeAmount.nanoseconds(max(10_000_000, shortest / 4))
        ticking = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = bound.value
            handler.tick(context)
        }
    }

    // MARK: Bytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if case .upgrading(var upgrade) = phase {
            do throws(RelayConnectionError.NotARelay) {
                switch try upgrade.feed(buffer.readableBytesView) {
                case .needsMore:
                    phase = .upgrading(upgrade)
                    return
                case .upgraded(let rest):
                    didUpgrade(context)
                    buffer = ByteBuffer(bytes: rest)
                }
            } catch {
                return fail(.notARelay(error), context)
            }
        }
        guard case .open = phase, buffer.readableBytes > 0 else { return }
        do {
            let now = NIODeadline.now()
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.feed(bytes) { try receive($0, now, context) }
            }
        } catch let error as RelayConnectionError {
            fail(error, context)
        } catch let error as WebSocketError {
            fail(.protocolViolation(.framing(error)), context)
        } catch {
            fail(.protocolViolation(.malformedFrame), context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush(context)
        context.fireChannelReadComplete()
    }

    private func receive(_ message: WebSocketMessage, _ now: NIODeadline, _ context: ChannelHandlerContext) throws {
        guard case .open = phase else { return }
        switch message {
        case .binary(let bytes):
            try handle(try session.receive(bytes, now: now), size: bytes.count, now, context)
        case .ping(let content):
            unansweredPing = content
        case .pong, .fragment:
            break
        case .close(let code):
            throw RelayConnectionError.closed(.byRelay(code: code))
        }
    }

    private func handle(
        _ event: RelaySession<Ticket>.Event, size: Int, _ now: NIODeadline, _ context: ChannelHandlerContext
    ) throws {
        switch event {
        case .opened(let welcome):
            handshakeDeadline?.cancel()
            opened.succeed(welcome)
        case .answered(.request(let completion), let result):
            completion(result.mapError { .refused($0) })
        case .answered(.follow, _), .followStarted(_, .request, _, _), .followed(_, .request, _),
            .followEnded(_, .request, _):
            // The session gives a ticket back for what it was given for.
            break
        case .followStarted(_, .follow(let buffer), let firstSeq, let lastSeq):
            buffer.begin(FollowStart(firstSeq: firstSeq, lastSeq: lastSeq))
        case .followed(let id, .follow(let buffer), let event):
            if buffer.put(event, bytes: size) == .holdBack, let frame = session.park(id, now: now) {
                try react(frame, context)
            }
            if case .epochEnded = event { end(id, buffer, nil) }
        case .followEnded(let id, .follow(let buffer), let error):
            end(id, buffer, error.map { .refused($0) })
        case .send(let frame):
            try react(frame, context)
        case .nothing:
            break
        }
    }

    private func end(_ id: FollowID, _ buffer: FollowBuffer, _ error: RelayConnectionError?) {
        follows[id] = nil
        buffer.end(error)
    }

    // MARK: Requests

    /// Sends what has gathered in the outbox.
    func drain(_ context: ChannelHandlerContext) {
        outbox.take(into: &items)
        let now = NIODeadline.now()
        for item in items { carryOut(item, now, context) }
        items.removeAll(keepingCapacity: true)
        flush(context)
    }

    private func carryOut(_ item: Outbox.Item, _ now: NIODeadline, _ context: ChannelHandlerContext) {
        switch item {
        case .request(let request, let completion):
            do throws(RelayConnectionError) {
                send(try session.submit(request, ticket: .request(completion), now: now))
            } catch {
                completion(.failure(error))
            }
        case .follow(let id, let channel, let epoch, let fromSeq, let buffer):
            do throws(RelayConnectionError) {
                let frame = try session.follow(
                    id, channel: channel, epoch: epoch, fromSeq: fromSeq, ticket: .follow(buffer), now: now)
                follows[id] = buffer
                if let frame { send(frame) }
            } catch {
                buffer.end(error)
            }
        case .resume(let id):
            if let frame = session.resume(id, now: now) { send(frame) }
        case .leave(let id):
            follows.removeValue(forKey: id)?.end(nil)
            if let frame = session.leave(id, now: now) { send(frame) }
        case .close:
            if case .open = phase {
                writer.writeClose(code: 1000, mask: masks.next())
                flush(context)
            }
            fail(.closed(.here), context)
        }
    }

    private func tick(_ context: ChannelHandlerContext) {
        do throws(RelayConnectionError) {
            if let frame = try session.tick(now: .now()) { send(frame) }
            flush(context)
        } catch {
            fail(error, context)
        }
    }

    private func send(_ frame: ClientFrame) {
        writer.write(frame, mask: masks.next())
    }

    /// Sends a frame that the relay has called for, but not without end to one that does not read.
    private func react(_ frame: ClientFrame, _ context: ChannelHandlerContext) throws {
        unreadReactions = context.channel.isWritable ? 0 : unreadReactions + 1
        guard unreadReactions <= ClientLimits.unreadReactions else {
            throw RelayConnectionError.protocolViolation(.wrongAnswer)
        }
        send(frame)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush(context) }
        context.fireChannelWritabilityChanged()
    }

    private func flush(_ context: ChannelHandlerContext) {
        if let ping = unansweredPing, context.channel.isWritable {
            unansweredPing = nil
            writer.writePong(ping, mask: masks.next())
        }
        guard !writer.isEmpty else { return }
        let buffer = context.channel.allocator.buffer(bytes: writer.bytes)
        writer.removeAll()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    // MARK: The end

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let meaning: RelayConnectionError =
            switch phase {
            case .handshaking: .notARelay(RelayConnectionError.isEnd(error) ? .saidNothing : .noTLS)
            case .upgrading, .open, .closed: .closed(.lost)
            }
        fail(meaning, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let meaning: RelayConnectionError =
            switch phase {
            case .handshaking, .upgrading: .notARelay(.saidNothing)
            case .open, .closed: .closed(.lost)
            }
        fail(meaning, context)
        context.fireChannelInactive()
    }

    /// Tells everybody who waits, once, and closes.
    private func fail(_ error: RelayConnectionError, _ context: ChannelHandlerContext) {
        if case .closed = phase { return }
        if case .open = phase, case .protocolViolation = error {
            writer.writeClose(code: WebSocketError.protocolError.rawValue, mask: masks.next())
            flush(context)
        }
        phase = .closed
        ticking?.cancel()
        handshakeDeadline?.cancel()
        opened.fail(error)
        let (requests, _) = session.close()
        for case .request(let completion) in requests { completion(.failure(error)) }
        for buffer in follows.values { buffer.end(error) }
        follows = [:]
        outbox.end(error)
        context.close(promise: nil)
    }
}
