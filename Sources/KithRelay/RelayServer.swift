import Foundation
import KithWire
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A relay that is listening, over a store that the caller has made.
package final class RelayServer: Sendable {
    /// The pin that clients know it by.
    package let pin: RelayPin
    /// The host it listens on, as a numeric address.
    package let host: String
    /// The port it listens on.
    package let port: Int
    /// The port that `/metrics` is served on, if it is.
    package let metricsPort: Int?

    /// Lead of the machine's clock over the relay's time, in seconds; 0 unless the relay doubts it.
    package var clockAheadSeconds: Int { hub.metrics.clockAheadSeconds.load(ordering: .relaxed) }

    private let hub: Hub
    private let store: any ChannelStore
    private let group: MultiThreadedEventLoopGroup
    let listener: any Channel
    /// Opens with the end of the listening. The listener's own future could not be waited for once its thread is gone.
    private let listenerClosed = Latch()
    private let metricsListener: (any Channel)?
    private let loops: [RelayLoop]
    private let timers: [Task<Void, Never>]
    private let logger: Logger
    private let ending = Mutex<Task<Void, Never>?>(nil)

    /// How often silent connections are looked for.
    private static let sweepMs = 250
    /// How often entries out of their retention are looked for.
    private static let expirySeconds = 60
    /// How often it is looked whether a burst of connections is over, and how many are one.
    private static let burstSeconds = 2
    private static let burstConnections = 256

    /// Starts a relay over `store`, which it closes when it is shut down.
    ///
    /// - Throws: an error of NIO if the address cannot be bound, ``MetricsFailure`` if that of `/metrics` cannot, or NIOSSL's
    ///   if the identity cannot be used.
    package static func start(
        _ configuration: RelayConfiguration, identity: RelayIdentity, store: any ChannelStore
    ) async throws -> RelayServer {
        let tls = try identity.tlsContext()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops))
        let metrics = RelayMetrics()
        let shared = RelayLoop.Shared(
            limits: configuration.limits, metrics: metrics, store: store,
            addresses: AddressTable(limits: configuration.limits))
        let loops = group.makeIterator().enumerated().map { index, eventLoop in
            RelayLoop(index: index, eventLoop: eventLoop, shared: shared)
        }
        let hub = Hub(
            store: store, limits: configuration.limits, metrics: metrics, relayPass: configuration.relayPass,
            nowMs: configuration.nowMs, uptime: configuration.uptime, loops: loops.count,
            deliver: { index, batch in loops[index].deliver(batch) })
        await hub.begin(trustingClock: configuration.trustsClock)
        let failures = AcceptFailures(metrics: metrics, logger: configuration.logger)
        let front = Front(loops: loops, hub: hub, tls: tls, shared: shared, failures: failures)
        do {
            let listener = try await front.listen(on: group, host: configuration.host, port: configuration.port)
            let metricsListener = try await serveMetrics(configuration, on: group, shared)
            return RelayServer(
                configuration, pin: identity.pin, hub: hub, group: group,
                listeners: (listener, metricsListener), loops: loops)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// The system does not let the relay serve `/metrics` where its configuration says.
    package struct MetricsFailure: Error {
        /// The system's error number.
        package let errno: Int32
    }

    private static func serveMetrics(
        _ configuration: RelayConfiguration, on group: MultiThreadedEventLoopGroup, _ shared: RelayLoop.Shared
    ) async throws -> (any Channel)? {
        guard let host = configuration.metricsHost else { return nil }
        let metrics = MetricsListener(metrics: shared.metrics, store: shared.store)
        do {
            return try await metrics.listen(on: group, host: host, port: configuration.metricsPort)
        } catch let error as IOError {
            throw MetricsFailure(errno: error.errnoCode)
        }
    }

    private init(
        _ configuration: RelayConfiguration, pin: RelayPin, hub: Hub, group: MultiThreadedEventLoopGroup,
        listeners: (relay: any Channel, metrics: (any Channel)?), loops: [RelayLoop]
    ) {
        self.pin = pin
        self.hub = hub
        store = hub.store
        self.group = group
        listener = listeners.relay
        metricsListener = listeners.metrics
        metricsPort = listeners.metrics?.localAddress?.port
        self.loops = loops
        logger = configuration.logger
        host = listener.localAddress?.ipAddress ?? configuration.host
        port = listener.localAddress?.port ?? configuration.port
        let sweeps = loops.map { loop in
            Task {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(Self.sweepMs)) } catch { return }
                    loop.eventLoop.execute { loop.closeSilent(now: .now(), sweepMs: Self.sweepMs) }
                }
            }
        }
        let expiry = Self.watchAges(hub, logger)
        timers = sweeps + [expiry, Self.watchBursts(configuration.burstIsOver, loops[0].shared.metrics)]
        listener.closeFuture.whenComplete { [listenerClosed] _ in listenerClosed.open() }
        logger.info("listening")
    }

    /// Drops what is old, and logs what an operator has to know: that the clock is doubted, and that something is damaged.
    private static func watchAges(_ hub: Hub, _ logger: Logger) -> Task<Void, Never> {
        Task {
            var wasAhead = false
            var damages: UInt64 = 0
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(expirySeconds)) } catch { return }
                await hub.expire()
                let aheadHours = await hub.clock.aheadMs / 3_600_000
                if (aheadHours > 0) != wasAhead {
                    wasAhead = aheadHours > 0
                    if wasAhead {
                        logger.warning(
                            "the clock has jumped ahead by \(aheadHours) hours; nothing expires by it for a day of running"
                        )
                    } else {
                        logger.notice("the clock is believed again")
                    }
                }
                let found = await hub.damages()
                if found > damages {
                    logger.error("something of a channel is damaged and was passed over; restore a backup")
                    damages = found
                }
            }
        }
    }

    /// A burst is over when fewer than half of its connections are left, and again as long as they become fewer.
    private static func watchBursts(_ isOver: @escaping @Sendable () -> Void, _ metrics: RelayMetrics) -> Task<
        Void, Never
    > {
        Task {
            var most = 0
            var isEnding = false
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(burstSeconds)) } catch { return }
                let open = metrics.connectionsOpen.load(ordering: .relaxed)
                // The rest of a burst, few as they may be, goes with it.
                isEnding = isEnding ? open < most : most >= burstConnections && open < most / 2
                most = isEnding ? open : max(most, open)
                if isEnding { isOver() }
            }
        }
    }

    /// Returns when nobody can connect any more: after ``shutDown()``, or because the system has ended the listening. Then
    /// the relay is of no use, and the caller should shut it down.
    package func untilDeaf() async { await listenerClosed.wait() }

    /// Stops accepting, answers what is being committed, says goodbye to every connection, and closes the store. Whoever
    /// asks for it again waits for the same.
    package func shutDown() async {
        let task = ending.withLock { task in
            let ending = task ?? Task { await end() }
            task = ending
            return ending
        }
        await task.value
    }

    private func end() async {
        logger.info("shutting down")
        try? await listener.close()
        try? await metricsListener?.close()
        await hub.shutDown()
        for timer in timers { timer.cancel() }
        // A loop that is shut down takes nothing more.
        for timer in timers { await timer.value }
        for loop in loops {
            try? await loop.eventLoop.submit { loop.closeAll() }.get()
        }
        try? await group.shutdownGracefully()
        await store.close()
        logger.info("shut down")
    }
}

/// The front between the listening socket and the hub.
private struct Front: Sendable {
    let loops: [RelayLoop]
    let hub: Hub
    let tls: NIOSSLContext
    let shared: RelayLoop.Shared
    let failures: AcceptFailures

    func listen(on group: any EventLoopGroup, host: String, port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(failures.handler())
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: max(1, shared.limits.unreadBacklog / 8), high: max(1, shared.limits.unreadBacklog / 2))
            )
            .childChannelInitializer { channel in initialize(channel) }
            .bind(host: host, port: port).get()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        shared.metrics.connectionsTotal.count()
        let networks = ClientNetworks(channel.remoteAddress)
        guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }),
            let rates = shared.addresses.enter(networks, atNanoseconds: Self.now)
        else {
            shared.metrics.connectionsRefused.count()
            return channel.close()
        }
        let connection = Connection(
            number: .random(in: .min ... .max), from: networks, rates, channel: channel, loop: loop, hub: hub)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        loop.add(connection)
        channel.closeFuture.whenComplete { _ in
            shared.addresses.leave(networks, wasOpen: bound.value.isWebSocket, atNanoseconds: Self.now)
            loop.remove(bound.value)
        }
        return channel.eventLoop.makeCompletedFuture {
            let front = HTTPFront { path in await page(path) }
            let boundFront = NIOLoopBound(front, eventLoop: channel.eventLoop)
            let mayOpen: @Sendable () -> Bool = {
                bound.value.isWebSocket = shared.addresses.open(networks)
                if !bound.value.isWebSocket { shared.metrics.connectionsRefused.count() }
                return bound.value.isWebSocket
            }
            let upgrader = WebSocketUpgrader(mayOpen: mayOpen) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    pipeline.removeHandler(boundFront.value, promise: nil)
                    try pipeline.addHandler(bound.value)
                }
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: tls))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,
                withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
            try pipeline.addHandler(front)
        }
    }

    private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    private func page(_ path: String) async -> HTTPPage {
        switch path {
        case "/healthz":
            if let reason = await hub.unreadiness() {
                HTTPPage(status: .serviceUnavailable, text: "not ready: \(reason)\n")
            } else {
                HTTPPage(status: .ok, text: "ready\n")
            }
        default:
            HTTPPage(status: .notFound, text: "nothing here\n")
        }
    }
}
