import Foundation
import KithWire
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A listening relay that uses the caller's store.
package final class RelayServer: Sendable {
    /// The pin by which clients recognise the relay.
    package let pin: RelayPin
    /// The host on which the relay listens, as a numeric address.
    package let host: String
    /// The port on which the relay listens.
    package let port: Int
    /// The port that serves `/metrics`; `nil` if no port does.
    package let metricsPort: Int?

    /// Seconds by which the machine's clock is ahead of the relay's time; 0 unless the relay doubts the clock.
    package var clockAheadSeconds: Int { hub.metrics.clockAheadSeconds.load(ordering: .relaxed) }

    let hub: Hub
    private let store: any ChannelStore
    private let blobs: (any BlobStore)?
    private let group: MultiThreadedEventLoopGroup
    let listener: any Channel
    /// A gate that opens when the listener closes. Callers wait for this gate, because the listener's own future cannot be
    /// awaited after the end of its thread.
    private let listenerLatch = Latch()
    private let metricsListener: (any Channel)?
    private let workers: [EventLoopWorker]
    private let timers: [Task<Void, Never>]
    private let logger: Logger
    private let ending = Mutex<Task<Void, Never>?>(nil)

    /// Interval between sweeps for silent connections, in milliseconds.
    private static let sweepMs = 250
    /// Interval between searches for expired data, in seconds.
    private static let expirySeconds = 60
    /// Interval between checks whether a burst of connections is over, in seconds. A burst has at least `burstConnections`
    /// connections.
    private static let burstSeconds = 2
    private static let burstConnections = 256

    /// Starts a relay that uses `store`. If `blobs` is not `nil`, the relay also keeps blobs. At shutdown, the relay closes both
    /// stores.
    ///
    /// - Throws: an error of NIO if the relay cannot listen on its address, ``MetricsFailure`` if the relay cannot listen on the
    ///   address of `/metrics`, or an error of NIOSSL if the relay cannot use the identity.
    package static func start(
        _ configuration: RelayConfiguration, identity: RelayIdentity, store: any ChannelStore,
        blobs: (any BlobStore)? = nil
    ) async throws -> RelayServer {
        let tls = try identity.tlsContext()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops))
        let metrics = RelayMetrics()
        let shared = EventLoopWorker.Shared(
            limits: configuration.limits, metrics: metrics, store: store,
            addresses: AddressTable(limits: configuration.limits),
            blobs: blobs.map { BlobService(store: $0, limits: configuration.limits.blobs) })
        let workers = group.makeIterator().enumerated().map { index, eventLoop in
            EventLoopWorker(index: index, eventLoop: eventLoop, shared: shared)
        }
        let hub = Hub(
            store: store, blobs: shared.blobs, configuration: configuration, metrics: metrics, loops: workers.count,
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

    /// The system does not let the relay serve `/metrics` on the configured address.
    package struct MetricsFailure: Error {
        /// The system's error number.
        package let errno: Int32
    }

    private static func serveMetrics(
        _ configuration: RelayConfiguration, on group: MultiThreadedEventLoopGroup, _ shared: EventLoopWorker.Shared
    ) async throws -> (any Channel)? {
        guard let host = configuration.metricsHost else { return nil }
        let metrics = MetricsListener(metrics: shared.metrics, store: shared.store, blobs: shared.blobs?.store)
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
        blobs = hub.blobs?.store
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
        timers =
            sweeps + [
                expiry, Self.watchBlobs(hub), Self.watchBursts(configuration.burstIsOver, workers[0].shared.metrics),
            ]
        listener.closeFuture.whenComplete { [listenerLatch] _ in listenerLatch.open() }
        logger.info("listening")
    }

    /// Starts the task that expires old data. The task also logs a doubt in the clock and newly found damage: the operator has to
    /// know of both.
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
                            "the clock jumped ahead by \(aheadHours) hours; nothing expires by it for a day of running"
                        )
                    } else {
                        logger.notice("the clock is trusted again")
                    }
                }
                let found = await hub.damages()
                if found > damages {
                    logger.error("the store found damaged data and skipped it; restore a backup")
                    damages = found
                }
            }
        }
    }

    /// Starts the task that deletes expired blobs.
    private static func watchBlobs(_ hub: Hub) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(BlobLimits.sweepSeconds)) } catch { return }
                await hub.expireBlobs()
            }
        }
    }

    /// Starts the task that calls `isOver` when fewer than half of a burst's connections are left. As long as the number of
    /// connections continues to fall from one check to the next, the task calls `isOver` again at each check.
    private static func watchBursts(_ isOver: @escaping @Sendable () -> Void, _ metrics: RelayMetrics) -> Task<
        Void, Never
    > {
        Task {
            var most = 0
            var isEnding = false
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(burstSeconds)) } catch { return }
                let open = metrics.connectionsOpen.load(ordering: .relaxed)
                // While a burst ends, every decrease counts, even a small one.
                isEnding = isEnding ? open < most : most >= burstConnections && open < most / 2
                most = isEnding ? open : max(most, open)
                if isEnding { isOver() }
            }
        }
    }

    /// Waits until clients can no longer connect, because ``shutDown()`` or the system has closed the listener. If the system has
    /// closed the listener, the caller should shut the relay down.
    package func listenerClosed() async { await listenerLatch.wait() }

    /// Stops accepting connections, answers the requests that are being committed, and closes every connection and the store. If
    /// several callers shut the relay down, each call waits until the relay has shut down.
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
        // The timers must end first, because they use event loops that are shut down next.
        for timer in timers { await timer.value }
        for worker in workers {
            try? await worker.eventLoop.submit { worker.closeAll() }.get()
        }
        // The results of file writes are passed to the event loops, so the event loops must run until all transfers have ended.
        let deadline = ContinuousClock.now + .milliseconds(BlobLimits.lastBytesMs)
        while workers.first?.shared.transfers.isUnused == false, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(2))
        }
        try? await group.shutdownGracefully()
        await blobs?.close()
        await store.close()
        logger.info("shut down")
    }
}
