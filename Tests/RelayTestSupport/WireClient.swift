import KithClient
import KithWire
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A connection to a relay that can violate the protocol at every step: raw bytes over TCP or TLS, the upgrade, frames.
package final class WireClient: Sendable {
    /// The stage up to which a connection follows the protocol by itself.
    package enum Stage: Sendable {
        case tcp, tls
    }

    package let channel: any Channel
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    deinit { channel.close(promise: nil) }

    package static func connect(
        to address: RelayAddress, _ stage: Stage = .tls, receiveBuffer: Int? = nil
    ) async throws -> WireClient {
        let inbox = Inbox()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if let receiveBuffer { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer) }
        let channel = try await bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if stage == .tls {
                    try channel.pipeline.syncOperations.addHandler(
                        try NIOSSLClientHandler(context: try tls.get(), serverHostname: nil))
                }
                try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox: inbox))
            }
        }.connect(host: address.host, port: address.port).get()
        return WireClient(channel: channel, inbox: inbox)
    }

    /// Opens a WebSocket, and says hello unless `hello` is `false`.
    package static func open(
        to address: RelayAddress, hello: Bool = true, pass: RelayPass? = nil, receiveBuffer: Int? = nil
    ) async throws -> WireClient {
        let wire = try await connect(to: address, receiveBuffer: receiveBuffer)
        wire.send(Self.upgradeRequest)
        try await wire.inbox.waitForUpgrade()
        if hello {
            wire.send([ClientFrame(requestID: 0, request: .hello(versions: [1], relayPass: pass))])
            _ = try await wire.nextFrame()
        }
        return wire
    }

    package static let upgradeRequest = Array(
        """
        GET /kith/v1 HTTP/1.1\r
        Host: relay\r
        Connection: Upgrade\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        \r\n
        """.utf8)

    private static let tls = Result {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .none
        return try NIOSSLContext(configuration: configuration)
    }

    // MARK: Output

    /// Sends bytes as they are.
    package func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Sends bytes and returns when the system has accepted them.
    package func sendAndWait(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Sends frames, all in one write.
    package func send(_ frames: [ClientFrame]) {
        var writer = WebSocketWriter()
        for frame in frames { writer.write(frame, mask: 0x1122_3344) }
        send(writer.bytes)
    }

    package func close() { channel.close(promise: nil) }

    /// Returns when the connection has ended.
    package func waitUntilClosed() async {
        try? await channel.closeFuture.get()
    }

    // MARK: Input

    /// Whether the socket is read.
    package func setReading(_ isReading: Bool) async throws {
        try await channel.setOption(.autoRead, value: isReading).get()
        if isReading { channel.read() }
    }

    /// All bytes until the relay closes the connection.
    package func everything() async throws -> [UInt8] {
        await waitUntilClosed()
        return inbox.takeRaw()
    }

    /// The bytes of the next frame.
    package func nextFrameBytes() async throws -> [UInt8] {
        guard let frame = await inbox.nextFrame() else { throw ConnectionOver() }
        return frame
    }

    package func nextFrame() async throws -> RelayFrame {
        try RelayFrame(decoding: try await nextFrameBytes())
    }

    /// Number of bytes that the relay has sent.
    package var bytesReceived: Int { inbox.bytesReceived }
    /// Whether the connection is closed.
    package var isOver: Bool { inbox.isOver }

    /// Counts and drops frames from now on.
    package func discardFrames() { inbox.discard() }

    /// Number of received frames.
    package var framesReceived: Int { inbox.count }
}

/// The connection was closed while a test waited for bytes.
package struct ConnectionOver: Error {
    package init() {}
}

/// The received bytes of a connection, and the tests that wait for them.
private final class Inbox: Sendable {
    private struct State {
        var bytes = 0
        var raw: [UInt8] = []
        var isUpgraded = false
        var isOver = false
        var isDiscarding = false
        var count = 0
        var decoder = WebSocketDecoder(from: .server)
        var upgrade: CheckedContinuation<Void, any Error>?
    }
    private let state = Mutex(State())
    private let frames: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation

    init() { (frames, continuation) = AsyncStream.makeStream(of: [UInt8].self) }

    var count: Int { state.withLock { $0.count } }

    var bytesReceived: Int { state.withLock { $0.bytes } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func discard() { state.withLock { $0.isDiscarding = true } }

    func takeRaw() -> [UInt8] { state.withLock { $0.raw } }

    func nextFrame() async -> [UInt8]? {
        for await frame in frames { return frame }
        return nil
    }

    func waitForUpgrade() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let (isThere, isOver) = state.withLock { state in
                if !state.isUpgraded && !state.isOver { state.upgrade = continuation }
                return (state.isUpgraded, state.isOver)
            }
            if isThere { continuation.resume() } else if isOver { continuation.resume(throwing: ConnectionOver()) }
        }
    }

    func received(_ bytes: [UInt8]) {
        let upgrade = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            state.bytes += bytes.count
            if state.isUpgraded {
                receive(bytes, &state)
                return nil
            }
            state.raw += bytes
            guard state.raw.starts(with: "HTTP/1.1 101".utf8), let end = state.raw.firstIndex(ofEnd: "\r\n\r\n") else {
                return nil
            }
            state.isUpgraded = true
            let rest = Array(state.raw[end...])
            receive(rest, &state)
            defer { state.upgrade = nil }
            return state.upgrade
        }
        upgrade?.resume()
    }

    private func receive(_ bytes: [UInt8], _ state: inout State) {
        let isDiscarding = state.isDiscarding
        var count = 0
        try? bytes.withUnsafeBytes { buffer in
            try state.decoder.feed(buffer) { message in
                guard case .binary(let frame) = message else { return }
                count += 1
                if !isDiscarding { continuation.yield(frame) }
            }
        }
        state.count += count
    }

    func over() {
        let upgrade = state.withLock { state in
            state.isOver = true
            defer { state.upgrade = nil }
            return state.upgrade
        }
        upgrade?.resume(throwing: ConnectionOver())
        continuation.finish()
    }
}

private final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let inbox: Inbox

    init(inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inbox.received(Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) { inbox.over() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension [UInt8] {
    /// The index behind the first occurrence of `text`.
    fileprivate func firstIndex(ofEnd text: String) -> Int? {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return nil }
        return (0...(count - wanted.count)).first { self[$0..<($0 + wanted.count)].elementsEqual(wanted) }
            .map { $0 + wanted.count }
    }
}
