import Foundation
import KithRelay
import NIOCore
import NIOPosix
import NIOSSL

/// The throughput of TLS alone over loopback, in this process: one connection, on which the client only writes and the server
/// only counts. A relay that receives and sends a file has to do this work twice.
struct TLSFloor {
    let mebibytes: Int
    let identity: RelayIdentity

    private static let part = 256 << 10

    /// Returns the throughput in MiB per second.
    func run() async throws -> Double {
        let server = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let total = mebibytes << 20
        let done = server.next().makePromise(of: Void.self)
        let serving = try identity.tlsContext()
        let listening = try await ServerBootstrap(group: server)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: serving), Counter(total: total, done: done),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let calling = try NIOSSLContext(configuration: configuration)
        guard let address = listening.localAddress else { throw CocoaError(.featureUnsupported) }
        let channel = try await ClientBootstrap(group: client)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        try NIOSSLClientHandler(context: calling, serverHostname: nil))
                }
            }
            .connect(to: address).get()
        let bytes = ByteBuffer(repeating: 7, count: Self.part)
        // The handshake is over when the first byte has left.
        try await channel.writeAndFlush(ByteBuffer(bytes: [7]))
        let start = ContinuousClock.now
        var last = channel.eventLoop.makeSucceededVoidFuture()
        for _ in 0..<total / Self.part {
            // One part waits for the connection while another one is encrypted.
            let next: EventLoopFuture<Void> = channel.writeAndFlush(bytes)
            try await last.get()
            last = next
        }
        try await done.futureResult.get()
        let seconds = (ContinuousClock.now - start).seconds
        try await channel.close()
        try await listening.close()
        try await server.shutdownGracefully()
        try await client.shutdownGracefully()
        return Double(mebibytes) / seconds
    }
}

/// Counts the bytes of a connection, and keeps none of them.
private final class Counter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let total: Int
    private let done: EventLoopPromise<Void>
    private var count = 0

    init(total: Int, done: EventLoopPromise<Void>) {
        self.total = total
        self.done = done
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let before = count
        count += unwrapInboundIn(data).readableBytes
        if before < total, count >= total { done.succeed() }
    }
}
