import KithWire
import NIOCore
import NIOSSL
import NIOTLS

/// Processes the bytes of a ``RelayWire``: the handshake, and WebSocket frames in both directions. While the user of the wire has
/// no room for messages, the handler does not read. The handler belongs to the channel's event loop.
final class RelayChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case handshaking
        case upgrading(WebSocketUpgrade)
        case open
        case closed
    }

    private let address: RelayAddress
    private let check: PinCheck
    private let handshakeTimeout: TimeAmount
    private let wire: RelayWire
    private let user: any RelayWireUser

    private var context: ChannelHandlerContext?
    private var phase = Phase.handshaking
    private var decoder = WebSocketDecoder(from: .server)
    private var writer = WebSocketWriter()
    private var masks = MaskSource()
    private var frames: [ClientFrame] = []
    private var handshakeDeadline: Scheduled<Void>?
    private var isReading = true
    /// The latest unanswered ping. One pong answers this ping and all earlier pings (RFC 6455 §5.5.3). The pong waits until the
    /// relay reads. The relay might first wait for this side to read, so this side continues to read.
    private var unansweredPing: [UInt8]?

    init(
        address: RelayAddress, check: PinCheck, handshakeTimeout: TimeAmount, wire: RelayWire, user: any RelayWireUser
    ) {
        self.address = address
        self.check = check
        self.handshakeTimeout = handshakeTimeout
        self.wire = wire
        self.user = user
    }

    // MARK: Opening

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wire.attach(self)
        if context.channel.isActive { begin(context) }
    }

    /// Called when the channel is closed. If the channel was closed before this handler was added, this function reports the
    /// end, because `channelInactive` is never called in this case.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        failInactive()
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard handshakeDeadline == nil else { return }
        handshakeDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: handshakeTimeout) {
            self.fail(.unreachable(.timedOut))
        }
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

    private func didUpgrade() {
        handshakeDeadline?.cancel()
        phase = .open
        user.didConnect(wire)
    }

    // MARK: Bytes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if case .upgrading(var upgrade) = phase {
            do throws(RelayConnectionError.NotARelay) {
                switch try upgrade.feed(buffer.readableBytesView) {
                case .needsMore:
                    phase = .upgrading(upgrade)
                    return
                case .upgraded(let rest):
                    didUpgrade()
                    buffer = ByteBuffer(bytes: rest)
                }
            } catch {
                return fail(.notARelay(error))
            }
        }
        guard case .open = phase, buffer.readableBytes > 0 else { return }
        do {
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.feed(bytes) { try receive($0) }
            }
        } catch let error as RelayConnectionError {
            fail(error)
        } catch let error as WebSocketError {
            fail(.protocolViolation(.framing(error)))
        } catch {
            fail(.protocolViolation(.malformedFrame))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        drain()
        context.fireChannelReadComplete()
    }

    private func receive(_ message: WebSocketMessage) throws(RelayConnectionError) {
        guard case .open = phase else { return }
        switch message {
        case .binary(let bytes): user.didReceive(bytes, on: wire)
        case .ping(let content): unansweredPing = content
        case .pong, .fragment: break
        case .close(let code): throw .closed(.byRelay(code: code))
        }
    }

    /// Requests more bytes from the channel if the wire's user has room for them.
    func read(context: ChannelHandlerContext) {
        guard isReading else { return }
        if case .open = phase, !user.unread.hasRoom(orCall: { [wire] in wire.resumeReading() }) {
            isReading = false
            user.didSetReading(false, of: wire)
        } else {
            context.read()
        }
    }

    /// Requests more bytes. Called when the user of the wire has room again for unread messages.
    func resumeReading() {
        guard !isReading, let context else { return }
        isReading = true
        user.didSetReading(true, of: wire)
        read(context: context)
    }

    // MARK: Bytes out

    /// If the channel is writable, writes the waiting frames. Then closes the connection if a close was requested, or if too many
    /// frames are still waiting.
    func drain() {
        guard let context else { return }
        if case .closed = phase { return }
        let (left, end) = wire.take(into: &frames, isWritable: context.channel.isWritable)
        for frame in frames { writer.write(frame, mask: masks.next()) }
        frames.removeAll(keepingCapacity: true)
        flush(context)
        if let end {
            fail(end)
        } else if left > ClientLimits.unsentFrames {
            fail(.protocolViolation(.wrongAnswer))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { drain() }
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
        fail(meaning)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failInactive()
        context.fireChannelInactive()
    }

    private func failInactive() {
        let meaning: RelayConnectionError =
            switch phase {
            case .handshaking, .upgrading: .notARelay(.saidNothing)
            case .open, .closed: .closed(.lost)
            }
        fail(meaning)
    }

    /// Closes the connection, and reports the end to the user once. If this side ends the connection, sends a close frame first.
    private func fail(_ error: RelayConnectionError) {
        if case .closed = phase { return }
        if case .open = phase, let code = Self.closeCode(after: error), let context {
            writer.writeClose(code: code, mask: masks.next())
            flush(context)
        }
        phase = .closed
        handshakeDeadline?.cancel()
        user.didClose(wire, check.mismatch ?? error)
        // Callers that wait for the end of the connection continue only when the socket is closed.
        guard let context else { return wire.didClose() }
        context.close().assumeIsolated().whenComplete { [wire] _ in wire.didClose() }
    }

    /// The WebSocket status in this side's close frame. `nil` if the relay has closed the connection, or if the connection is
    /// lost.
    private static func closeCode(after error: RelayConnectionError) -> UInt16? {
        switch error {
        case .closed(.here): 1000
        case .protocolViolation: WebSocketError.protocolError.rawValue
        default: nil
        }
    }
}
