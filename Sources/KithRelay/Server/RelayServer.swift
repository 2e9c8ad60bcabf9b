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
    private let listenerLatch = Latch()
    private let metricsListener: (any Channel)?
    private let workers: [EventLoopWorker]
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
        let shared = EventLoopWorker.Shared(
            limits: configuration.limits, metrics: metrics, store: store,
            addresses: AddressTable(limits: configuration.limits))
        let workers = group.makeIterator().enumerated().map { index, eventLoop in
            EventLoopWorker(index: index, eventLoop: eventLoop, shared: shared)
        }
        let hub = Hub(
            store: store, configuration: configuration, metrics: metrics, loops: workers.count,
            deliver: { index, output in workers[index].deliver(output) })
        await hub.begin(trustingClock: configuration.trustsClock)
        let failures = AcceptFailures(metrics: metrics, logger: configuration.logger)
        let acceptor = ConnectionAcceptor(workers: workers, hub: hub, tls: tls, shared: shared, failures: failures)
        do {
            let listener = try await acceptor.listen(on: group, host: configuration.host, port: configuration.port)
            let metricsListener = try await serveMetrics(configuration, on: group, shared)
            return RelayServer(
                configuration, pin: identity.pin, hub: hub, threads: (group, workers),
                listeners: (listener, metricsListener))
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
        _ configuration: RelayConfiguration, on group: MultiThreadedEventLoopGroup, _ shared: EventLoopWorker.Shared
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
        _ configuration: RelayConfiguration, pin: RelayPin, hub: Hub,
        threads: (group: MultiThreadedEventLoopGroup, workers: [EventLoopWorker]),
        listeners: (relay: any Channel, metrics: (any Channel)?)
    ) {
        self.pin = pin
        self.hub = hub
        store = hub.store
        group = threads.group
        listener = listeners.relay
        metricsListener = listeners.metrics
        metricsPort = listeners.metrics?.localAddress?.port
        workers = threads.workers
        logger = configuration.logger
        host = listener.localAddress?.ipAddress ?? configuration.host
        port = listener.localAddress?.port ?? configuration.port
        let sweeps = workers.map { worker in
            Task {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(Self.sweepMs)) } catch { return }
                    worker.eventLoop.execute { worker.closeSilent(now: .now(), sweepMs: Self.sweepMs) }
                }
            }
        }
        let expiry = Self.watchAges(hub, logger)
        timers = sweeps + [expiry, Self.watchBursts(configuration.burstIsOver, workers[0].shared.metrics)]
        listener.closeFuture.whenComplete { [listenerLatch] _ in listenerLatch.open() }
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
    package func listenerClosed() async { await listenerLatch.wait() }

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
        for worker in workers {
            try? await worker.eventLoop.submit { worker.closeAll() }.get()
        }
        try? await group.shutdownGracefully()
        await store.close()
        logger.info("shut down")
    }
}
