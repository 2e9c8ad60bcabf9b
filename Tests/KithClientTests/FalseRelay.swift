import Foundation
import KithClient
import KithRelay
import KithWire
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing

/// A server on a loopback port in place of a relay. It counts the bytes of application data that reach it.
final class FalseRelay: Sendable {
    let address: RelayAddress
    let pin: RelayPin
    private let channel: any Channel
    let received: SharedCount

    /// - Parameters:
    ///   - answers: the answers to the first reads, in order.
    ///   - closes: whether the connection is closed after the last answer.
    init(folder: URL, tls: Bool = true, answers: [Answer], closes: Bool = false) async throws {
        let identity = try RelayIdentity.kept(in: folder)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(
                    folder.appendingPathComponent("relay-certificate.pem").path
                ).map { .certificate($0) },
                privateKey: .privateKey(
                    NIOSSLPrivateKey(file: folder.appendingPathComponent("relay-key.pem").path, format: .pem))))
        let received = SharedCount()
        self.received = received
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(answers: answers, closes: closes, received: received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        address = try #require(RelayAddress(host: "127.0.0.1", port: channel.localAddress?.port ?? 0))
        pin = identity.pin
    }

    func stop() async { try? await channel.close() }

    enum Answer: Sendable {
        /// These bytes.
        case bytes([UInt8])
        /// The response of a WebSocket server to the upgrade, and these bytes after it.
        case upgrade(then: [UInt8])
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var answers: [Answer]
        private let closes: Bool
        private let received: SharedCount

        init(answers: [Answer], closes: Bool, received: SharedCount) {
            self.answers = answers
            self.closes = closes
            self.received = received
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            received.add(buffer.readableBytes)
            guard !answers.isEmpty else { return }
            let bytes: [UInt8] =
                switch answers.removeFirst() {
                case .bytes(let bytes): bytes
                case .upgrade(let rest): Self.upgrade(String(buffer: buffer)) + rest
                }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            if answers.isEmpty, closes { context.close(promise: nil) }
        }

        private static func upgrade(_ request: String) -> [UInt8] {
            let key =
                request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19) ?? ""
            return Array(
                """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: \(WebSocketAccept.value(forKey: String(key)))\r
                \r\n
                """.utf8)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
