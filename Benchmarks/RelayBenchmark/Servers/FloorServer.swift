import ArgumentParser
import NIOCore
import NIOPosix
import NIOSSL

/// A TLS server without any logic: the least cost of any server over the same TLS library. It runs in a process of its own,
/// as the relay does.
struct FloorServer: BenchServer {
    let process: ChildProcess
    let endpoint: Endpoint

    /// The purpose of a connection. The first byte from the client states the purpose.
    enum Kind: UInt8 {
        /// The server sends all bytes back.
        case echo = 1
        /// The connection waits for records.
        case records
        /// For each `uint32` from the client, the server writes a record of that size to every waiting connection. The answer
        /// is a `uint64`: the nanoseconds until the last record was written.
        case trigger
    }

    init(_ bench: Bench) throws {
        let certificate = try bench.certificate()
        process = try ChildProcess(
            bench.ownPath,
            [
                "floor", "--certificate", certificate.certificateFile, "--key", certificate.keyFile, "--threads",
                "\(bench.options.threads ?? System.coreCount)",
            ])
        guard let port = Int(try process.readLine(within: 10)) else { throw ServerFailure("the floor has no port") }
        endpoint = Endpoint(port: port)
    }
}

/// The process behind ``FloorServer``.
struct FloorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "floor", shouldDisplay: false)

    @Option var certificate: String
    @Option var key: String
    @Option var threads: Int

    func run() async throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv13
        configuration.curves = [.x25519_MLKEM768, .x25519]
        let tls = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let audiences = group.makeIterator().map { Audience($0) }
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    try pipeline.addHandler(FloorHandler(audiences))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        print(listener.localAddress?.port ?? 0)
        fflush(nil)
        try await listener.closeFuture.get()
    }
}

/// The connections of one event loop that wait for records.
private final class Audience: Sendable {
    let eventLoop: any EventLoop
    private let members: NIOLoopBoundBox<[any Channel]>

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        members = .makeBoxSendingValue([], eventLoop: eventLoop)
    }

    func join(_ channel: any Channel) { members.value.append(channel) }

    /// Writes one record to every member. The future succeeds when the last record has been written.
    func write(size: Int) -> EventLoopFuture<Void> {
        eventLoop.flatSubmit {
            let record = ByteBuffer(repeating: 0x5a, count: size)
            let last = self.eventLoop.makePromise(of: Void.self)
            let members = self.members.value
            guard let final = members.last else {
                last.succeed()
                return last.futureResult
            }
            for member in members.dropLast() { member.writeAndFlush(record, promise: nil) }
            final.writeAndFlush(record, promise: last)
            return last.futureResult
        }
    }
}

private final class FloorHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let audiences: [Audience]
    private var kind: FloorServer.Kind?

    init(_ audiences: [Audience]) { self.audiences = audiences }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if kind == nil {
            kind = buffer.readInteger(as: UInt8.self).flatMap { FloorServer.Kind(rawValue: $0) }
            if kind == .records {
                audiences.first { $0.eventLoop === context.eventLoop }?.join(context.channel)
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [0])), promise: nil)
            }
        }
        guard buffer.readableBytes > 0 else { return }
        switch kind {
        case .echo:
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .trigger:
            guard let size = buffer.readInteger(as: UInt32.self) else { return }
            let start = NIODeadline.now()
            let channel = context.channel
            EventLoopFuture.andAllSucceed(audiences.map { $0.write(size: Int(size)) }, on: context.eventLoop)
                .whenSuccess {
                    let elapsed = (NIODeadline.now() - start).nanoseconds
                    channel.writeAndFlush(ByteBuffer(integer: UInt64(elapsed)), promise: nil)
                }
        case .records, nil:
            break
        }
    }
}
