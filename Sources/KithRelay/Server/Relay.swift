import Foundation
import KithWire
import NIOCore
import NIOPosix
import Synchronization

/// A relay in the caller's process.
///
/// ``run(in:_:onReady:)`` serves until its task is cancelled. A program that ends the relay in another way uses
/// ``start(in:_:)`` and ``stop()``.
public final class Relay: Sendable {
    /// The host that the relay listens on, as a numeric address.
    public var host: String { server.host }
    /// The port that the relay listens on.
    public var port: Int { server.port }
    /// The pin by which clients recognise the relay.
    public var pin: RelayPin { server.pin }
    /// The port that `/metrics` is served on; `nil` if it is not served.
    public var metricsPort: Int? { server.metricsPort }
    /// Lead of the machine's clock over the relay's time, in seconds; 0 unless the relay doubts the clock.
    public var clockAheadSeconds: Int { server.clockAheadSeconds }

    let server: RelayServer
    /// The store's own thread, which may wait for the disk.
    private let storeThread: MultiThreadedEventLoopGroup
    private let isStopping = Atomic<Bool>(false)

    private init(_ server: RelayServer, _ storeThread: MultiThreadedEventLoopGroup) {
        self.server = server
        self.storeThread = storeThread
    }

    /// Runs a relay until the task is cancelled or ``stop()`` is called. Then it answers the requests that are being
    /// committed, and closes connections and store.
    ///
    /// - Parameters:
    ///   - folder: the folder of the relay's key and store. It is created if it does not exist. One process may use it
    ///     at a time.
    ///   - configuration: addresses, limits and everything else that has a default.
    ///   - onReady: called once the relay accepts connections. If it throws, the relay is stopped.
    /// - Throws: the errors of ``start(in:_:)``; ``RelayListenError/stoppedListening`` if the system closes the
    ///   listening socket; an error that `onReady` throws. A cancelled task is no error.
    public static func run(
        in folder: URL, _ configuration: RelayConfiguration = RelayConfiguration(),
        onReady: (Relay) async throws -> Void = { _ in }
    ) async throws {
        let relay = try await start(in: folder, configuration)
        do {
            try await onReady(relay)
        } catch {
            await relay.stop()
            throw error
        }
        await withTaskCancellationHandler {
            await relay.server.listenerClosed()
        } onCancel: {
            Task { await relay.stop() }
        }
        let isAsked = Task.isCancelled || relay.isStopping.load(ordering: .relaxed)
        await relay.stop()
        if !isAsked { throw RelayListenError.stoppedListening }
    }

    /// Starts a relay, which serves until ``stop()``.
    ///
    /// - Parameters:
    ///   - folder: the folder of the relay's key and store. It is created if it does not exist. One process may use it
    ///     at a time.
    ///   - configuration: addresses, limits and everything else that has a default.
    /// - Throws: ``RelayListenError`` if an address can't be listened on, ``RelayIdentity/Failure`` if the key or the
    ///   certificate can't be used, ``StoreOpenError`` if the store can't be opened or another process uses it.
    public static func start(
        in folder: URL, _ configuration: RelayConfiguration = RelayConfiguration()
    ) async throws -> Relay {
        let identity: RelayIdentity =
            switch configuration.identity {
            case .kept: try .kept(in: folder)
            case .renewed: try .kept(in: folder, makingNew: true)
            case .files(let certificate, let key): try .given(certificateFile: certificate, keyFile: key)
            }
        let storeThread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let store: any ChannelStore =
                switch configuration.storage {
                case .folder: try SQLiteStore(folder: folder.path, eventLoop: storeThread.any())
                case .memory: MemoryStore(eventLoop: storeThread.any())
                }
            do {
                return Relay(
                    try await RelayServer.start(configuration, identity: identity, store: store), storeThread)
            } catch {
                await store.close()
                throw RelayListenError(error, configuration) as (any Error)? ?? error
            }
        } catch {
            try? await storeThread.shutdownGracefully()
            throw error
        }
    }

    /// Stops accepting, answers the requests that are being committed, closes every connection, and closes the store.
    /// Every caller returns when that is done.
    public func stop() async {
        isStopping.store(true, ordering: .relaxed)
        await server.shutDown()
        try? await storeThread.shutdownGracefully()
    }

    /// Returns whether the store in a relay's folder holds neither a channel nor a name. Creates the store if it does
    /// not exist.
    ///
    /// - Throws: ``StoreOpenError`` if the store can't be opened or another process uses it, ``StoreFailure`` if it
    ///   can't be read.
    package static func isUnused(in folder: URL) async throws -> Bool {
        let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let store = try SQLiteStore(folder: folder.path, eventLoop: thread.any())
            let totals = try await store.statistics()
            await store.close()
            try await thread.shutdownGracefully()
            return totals.channels + totals.names == 0
        } catch {
            try? await thread.shutdownGracefully()
            throw error
        }
    }
}
