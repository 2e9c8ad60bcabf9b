import NIOCore
import NIOPosix
import NIOSSL

/// A server's address and protocol.
struct Endpoint: Sendable {
    enum Security: Hashable, Sendable {
        case plain
        /// TLS 1.3, with these key exchanges offered.
        case tls([NIOTLSCurve])
    }

    var host = "127.0.0.1"
    let port: Int
    var security: Security = .tls([.x25519_MLKEM768, .x25519])
    /// The address to connect from; the system's choice if `nil`.
    var source: String?

    func offering(_ curves: [NIOTLSCurve]) -> Endpoint {
        var endpoint = self
        endpoint.security = .tls(curves)
        return endpoint
    }
}

/// One thread of load: an event loop, its connections, and their counts. The actor runs on that loop, so no work changes
/// threads while messages are in flight.
actor LoadLoop {
    nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let tally = Tally()
    private var connections: [LoadConnection] = []
    private var series: Series?
    private var contexts: [Endpoint.Security: NIOSSLContext] = [:]

    /// The number of a connection of this loop.
    typealias Index = Int

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        executor = eventLoop.executor
    }

    // MARK: Connections

    /// Opens a connection and returns when its load is ready; fails after `seconds`.
    @discardableResult
    func connect(
        to endpoint: Endpoint, within seconds: Int64 = 30, _ make: @Sendable (Tally) -> any LoadProtocol
    ) async throws -> Index {
        let tls = try context(for: endpoint.security)
        let ready = eventLoop.makePromise(of: Void.self)
        let timeout = eventLoop.scheduleTask(in: .seconds(seconds)) {
            ready.fail(LoadFailure("a connection was not ready within \(seconds) s"))
        }
        let index = connections.count
        connections.append(LoadConnection(make(tally), tally: tally, isSecure: tls != nil, ready: ready))
        do {
            var bootstrap = ClientBootstrap(group: eventLoop)
            if let source = endpoint.source {
                bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0))
            }
            _ =
                try await bootstrap
                .connectTimeout(.seconds(seconds))
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
                .channelInitializer { channel in
                    self.assumeIsolated { load in
                        channel.eventLoop.makeCompletedFuture {
                            let pipeline = channel.pipeline.syncOperations
                            if let tls {
                                try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
                            }
                            try pipeline.addHandler(load.connections[index])
                        }
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port).get()
        } catch {
            ready.fail(error)
        }
        try await ready.futureResult.get()
        timeout.cancel()
        return index
    }

    private func context(for security: Endpoint.Security) throws -> NIOSSLContext? {
        guard case .tls(let curves) = security else { return nil }
        if let known = contexts[security] { return known }
        var configuration = TLSConfiguration.makeClientConfiguration()
        // Loopback only, to a server that this program has started, so its identity need not be checked.
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv13
        configuration.curves = curves
        configuration.shutdownTimeout = .milliseconds(500)
        let context = try NIOSSLContext(configuration: configuration)
        contexts[security] = context
        return context
    }

    func close(_ index: Index) { connections[index].close() }

    /// Closes all connections and returns when they are closed, after ten seconds at the latest.
    func closeAll() async {
        for connection in connections { connection.close() }
        for _ in 0..<1000 where connections.contains(where: \.isOpen) {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: Sending

    /// Lets all senders send until ``stop()``.
    func start() { allow(.max) }

    /// Lets all senders together send this number of messages.
    func allow(_ quota: Int) {
        tally.quota = quota
        for connection in connections { connection.push() }
    }

    /// Makes one sender send one message.
    func sendOne(from sender: Index) {
        tally.quota = 1
        connections[sender].push()
    }

    func stop() { tally.quota = 0 }

    /// A reading of the tally and the clock.
    struct Reading: Sendable {
        let at: NIODeadline
        let delivered: Int
        let acknowledged: Int
        let bytesReceived: Int
    }

    func read() -> Reading {
        Reading(
            at: .now(), delivered: tally.delivered, acknowledged: tally.acknowledged,
            bytesReceived: tally.bytesReceived)
    }

    /// Returns when `condition` holds; throws after `seconds`.
    func wait(
        atMost seconds: Double, for what: String, until condition: @Sendable (Reading) -> Bool
    ) async throws {
        let deadline = NIODeadline.now() + .nanoseconds(Int64(seconds * 1e9))
        while !condition(read()) {
            guard NIODeadline.now() < deadline else { throw LoadFailure("waited \(seconds) s in vain for \(what)") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    // MARK: One at a time

    /// The times from the sending of a message to its delivery and to its acknowledgement, in nanoseconds.
    struct RoundTrip: Sendable {
        var delivered: Int64 = 0
        var acknowledged: Int64 = 0
    }

    /// Makes `sender` send messages one at a time, each after the previous message was delivered and acknowledged. Returns
    /// `count` times.
    ///
    /// - Parameters:
    ///   - trips: the number of consecutive messages that are timed as one.
    ///   - first: work to do before each series of `trips` messages. The time of the series includes this work. The argument is
    ///     the number of earlier series.
    func oneAtATime(
        _ count: Int, from sender: Index, trips: Int = 1, within seconds: Int64 = 60,
        first: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> [RoundTrip] {
        let done = eventLoop.makePromise(of: [RoundTrip].self)
        series = Series(count: count, trips: trips, tally: tally, first: first, done: done)
        tally.onProgress = { self.progressed(sender) }
        defer {
            tally.onProgress = {}
            series = nil
        }
        let timeout = eventLoop.scheduleTask(in: .seconds(seconds)) {
            done.fail(LoadFailure("\(count) single messages took more than \(seconds) s"))
        }
        defer { timeout.cancel() }
        sendNext(from: sender)
        return try await done.futureResult.get()
    }

    private func sendNext(from sender: Index) {
        series?.begin()
        sendOne(from: sender)
    }

    private func progressed(_ sender: Index) {
        guard series?.progressed() == true else { return }
        // This runs after the read that brought the acknowledgement, because that read still uses the connection.
        eventLoop.execute { self.assumeIsolated { $0.sendNext(from: sender) } }
    }
}

/// A series of single messages.
private final class Series {
    private let count: Int
    private let trips: Int
    private let tally: Tally
    private let first: (Int) -> Void
    private let done: EventLoopPromise<[LoadLoop.RoundTrip]>
    private var sentAt: NIODeadline = .now()
    private var trip = 0
    private var times: [LoadLoop.RoundTrip] = []
    private var delivered: Int
    private var acknowledged: Int
    private var current = LoadLoop.RoundTrip()

    init(
        count: Int, trips: Int, tally: Tally, first: @escaping (Int) -> Void,
        done: EventLoopPromise<[LoadLoop.RoundTrip]>
    ) {
        self.count = count
        self.trips = trips
        self.tally = tally
        self.first = first
        self.done = done
        delivered = tally.delivered
        acknowledged = tally.acknowledged
        times.reserveCapacity(count)
    }

    /// Called before a message is sent.
    func begin() {
        guard trip == 0 else { return }
        sentAt = .now()
        first(times.count)
    }

    /// Takes the tally's new counts. Returns whether the next message is to be sent.
    func progressed() -> Bool {
        let elapsed = (NIODeadline.now() - sentAt).nanoseconds
        if tally.delivered > delivered {
            delivered = tally.delivered
            current.delivered = elapsed
        }
        if tally.acknowledged > acknowledged {
            acknowledged = tally.acknowledged
            current.acknowledged = elapsed
        }
        guard current.delivered > 0, current.acknowledged > 0 else { return false }
        trip = (trip + 1) % trips
        defer { current = LoadLoop.RoundTrip() }
        guard trip == 0 else { return true }
        times.append(current)
        guard times.count < count else {
            done.succeed(times)
            return false
        }
        return true
    }
}
