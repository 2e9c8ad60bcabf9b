import KithClient
import KithRelay
import KithWire
import NIOCore
import NIOPosix
import NIOSSL
import RelayTestSupport
import Testing

@Suite("Transport")
struct TransportTests {
    /// Connects with a TLS configuration, sends `text`, and returns the bytes received until the relay closes; `nil` if
    /// the TLS handshake fails.
    private func ask(
        _ relay: TestRelay, _ text: String, port: Int? = nil, _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> String? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        change(&configuration)
        let context = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup.singleton
        let collected = group.any().makePromise(of: String?.self)
        do {
            let channel = try await ClientBootstrap(group: collected.futureResult.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if port == nil {
                            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                        }
                        try pipeline.addHandler(Collector(collected))
                    }
                }
                .connect(host: relay.server.host, port: port ?? relay.server.port).get()
            try? await channel.writeAndFlush(ByteBuffer(string: text))
        } catch {
            collected.succeed(nil)
        }
        return try await collected.futureResult.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var text = ""
        private var isFailed = false
        private let promise: EventLoopPromise<String?>

        init(_ promise: EventLoopPromise<String?>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if text.isEmpty { isFailed = true }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(isFailed ? nil : text) }
    }

    private static let healthz = "GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n"

    @Test("the relay accepts TLS 1.3 with X25519MLKEM768 or X25519, and nothing older")
    func tls() async throws {
        try await withRelay { relay in
            for curves: [NIOTLSCurve] in [[.x25519_MLKEM768], [.x25519]] {
                let answer = try await ask(relay, Self.healthz) { $0.curves = curves }
                #expect(answer?.hasPrefix("HTTP/1.1 200") == true)
            }
            #expect(try await ask(relay, Self.healthz) { $0.curves = [.secp256r1] } == nil)
            #expect(try await ask(relay, Self.healthz) { $0.maximumTLSVersion = .tlsv12 } == nil)
        }
    }

    @Test("the port answers /healthz and nothing else")
    func pages() async throws {
        let store = FailingStore(MemoryStore())
        try await withRelay(store: store) { relay in
            let healthy = try await ask(relay, Self.healthz)
            #expect(healthy?.hasPrefix("HTTP/1.1 200") == true && healthy?.hasSuffix("ready\n") == true)
            for path in ["/", "/kith/v1", "/kith/v2", "/../etc/passwd", "/metrics", "/healthz/"] {
                let answer = try await ask(relay, "GET \(path) HTTP/1.1\r\nhost: relay\r\n\r\n")
                #expect(answer?.hasPrefix("HTTP/1.1 404") == true, "\(path)")
            }
            let post = try await ask(relay, "POST /healthz HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n")
            #expect(post?.hasPrefix("HTTP/1.1 405") == true)
            let elsewhere = try await ask(
                relay,
                "GET /other HTTP/1.1\r\nhost: relay\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                    + "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            #expect(elsewhere?.hasPrefix("HTTP/1.1 404") == true)

            // The relay is not ready while its store can't write.
            let (alice, channel) = try await relay.connectWithChannel()
            store.fail(with: .full)
            _ = try? await alice.append("one", to: channel)
            let full = try await ask(relay, Self.healthz)
            #expect(full?.hasPrefix("HTTP/1.1 503") == true && full?.contains("the disk is full") == true)
            store.recover()
            try await alice.append("two", to: channel)
            #expect(try await ask(relay, Self.healthz)?.hasPrefix("HTTP/1.1 200") == true)
        }
    }

    @Test("metrics are served in plain HTTP on the operator's address, and not on the relay's port")
    func metrics() async throws {
        try await withRelay(configure: { $0.metricsHost = "127.0.0.1" }) { relay in
            let port = try #require(relay.server.metricsPort)
            let page = try await ask(relay, "GET /metrics HTTP/1.1\r\nhost: relay\r\n\r\n", port: port)
            #expect(page?.hasPrefix("HTTP/1.1 200") == true)
            #expect(page?.contains("\nkith_entries_accepted_total 0\n") == true)
            for path in ["/", "/healthz", "/kith/v1"] {
                let answer = try await ask(relay, "GET \(path) HTTP/1.1\r\nhost: relay\r\n\r\n", port: port)
                #expect(answer?.hasPrefix("HTTP/1.1 404") == true, "\(path)")
            }
        }
        try await withRelay { relay in #expect(relay.server.metricsPort == nil) }
    }

    private static let upgrade =
        "GET /kith/v1 HTTP/1.1\r\nhost: relay\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        + "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

    @Test("a WebSocket from a web page is refused")
    func origin() async throws {
        try await withRelay { relay in
            for origin in ["https://example.org", "null", ""] {
                let answer = try await ask(relay, Self.upgrade + "origin: \(origin)\r\n\r\n")
                #expect(answer?.hasPrefix("HTTP/1.1 403") == true, "\(origin)")
            }
        }
    }

    @Test("an address with too many connections gets an error, and can still ask for /healthz")
    func tooMany() async throws {
        try await withRelay(limits: { $0.connectionsPerAddress = 2 }) { relay in
            let connections = [try await relay.connect(), try await relay.connect()]
            let answer = try await ask(relay, Self.upgrade + "\r\n")
            #expect(answer?.hasPrefix("HTTP/1.1 503") == true)
            #expect(try await ask(relay, Self.healthz)?.hasPrefix("HTTP/1.1 200") == true)
            for connection in connections { await connection.close() }
        }
    }

    @Test("the status is requested from the pinned relay only")
    func status() async throws {
        try await withRelay(configure: { $0.metricsHost = "127.0.0.1" }) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.append("one", to: channel)
            let address = try #require(RelayAddress("\(relay.server.host):\(relay.server.port)"))
            let plain = try await RelayStatus.ask(address, trust: .pinned(relay.server.pin))
            #expect(plain.isReady && plain.metrics.isEmpty)
            let counts = try #require(RelayAddress("127.0.0.1:\(relay.server.metricsPort ?? 0)"))
            let status = try await RelayStatus.ask(
                address, trust: .pinned(relay.server.pin), metrics: try await RelayStatus.metrics(at: counts))
            #expect(status.isReady && status.health == "ready" && status.pin == relay.server.pin)
            #expect(status.metrics.contains { $0.name == "kith_entries_accepted_total" && $0.value == 1 })
            let other = RelayPin(ofSubjectPublicKeyInfo: [1])
            await #expect(throws: RelayConnectionError.pinMismatch(expected: other, found: relay.server.pin)) {
                try await RelayStatus.ask(address, trust: .pinned(other))
            }
        }
    }
}
