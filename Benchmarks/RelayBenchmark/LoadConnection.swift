import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The protocol half of one connection that makes load: bytes in, bytes out. The same shell drives Kith and its peers, so
/// that what the load itself costs is the same for both.
protocol LoadProtocol: AnyObject {
    /// Called once, when TLS is up; what is appended to `out` is sent.
    func connected(_ out: inout [UInt8])
    /// Called with bytes as they come; what is appended to `out` is sent, in one piece for each read.
    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws
}

/// The network half.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let load: any LoadProtocol
    private var out: [UInt8] = []
    private var context: ChannelHandlerContext?

    init(_ load: any LoadProtocol) { self.load = load }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            load.connected(&out)
            flush()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try unwrapInboundIn(data).withUnsafeReadableBytes { try load.received($0, &out) }
        } catch {
            print("load: \(error)")
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    /// Lets the load write outside of a read.
    func push(_ body: (inout [UInt8]) -> Void) {
        body(&out)
        flush()
    }

    private func flush() {
        guard !out.isEmpty, let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: out)), promise: nil)
        out.removeAll(keepingCapacity: true)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case NIOSSLError.uncleanShutdown? = error as? NIOSSLError {} else { print("load: \(error)") }
        context.close(promise: nil)
    }
}

/// Opens connections over TLS 1.3 to a server on loopback, without checking who it is.
struct LoadClient {
    let group: any EventLoopGroup
    let host: String
    let port: Int
    let tls: NIOSSLContext

    init(group: any EventLoopGroup, host: String = "127.0.0.1", port: Int) throws {
        self.group = group
        self.host = host
        self.port = port
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv13
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// Connects; `make` runs on the connection's event loop.
    func connect(_ make: @escaping @Sendable () -> any LoadProtocol) async throws -> any Channel {
        let tls = self.tls
        return try await ClientBootstrap(group: group)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
                    try pipeline.addHandler(LoadConnection(make()))
                }
            }
            .connect(host: host, port: port).get()
    }
}
