import Foundation
import KithWire
import NIOCore
import NIOPosix
import Synchronization

/// A relay inside the caller's process.
///
/// ``run(in:_:onReady:)`` serves until its task is cancelled. To end the relay without a cancellation, use ``start(in:_:)`` and
/// ``stop()``.
public final class Relay: Sendable {
    /// The host on which the relay listens, as a numeric address.
    public var host: String { server.host }
    /// The port on which the relay listens.
    public var port: Int { server.port }
    /// The pin by which clients recognise the relay.
    public var pin: RelayPin { server.pin }
    /// The port that serves `/metrics`; `nil` if no port does.
    public var metricsPort: Int? { server.metricsPort }
    /// Seconds by which the machine's clock is ahead of the relay's time; 0 unless the relay doubts the clock.
    public var clockAheadSeconds: Int { server.clockAheadSeconds }

    let server: RelayServer
    /// The thread of the store, which waits for the disk.
    private let storeThread: MultiThreadedEventLoopGroup
    private let isStopping = Atomic<Bool>(false)

    private init(_ server: RelayServer, _ storeThread: MultiThreadedEventLoopGroup) {
        self.server = server
        self.storeThread = storeThread
    }

    /// Runs a relay until the task is cancelled or ``stop()`` is called. Before the call returns, the relay answers the requests
    /// that are being committed, and closes its connections and its store.
    ///
    /// - Parameters:
    ///   - folder: the folder with the relay's key and store. A missing folder is created. Only one process at a time may use the
    ///     folder.
    ///   - configuration: the addresses, the limits and other settings. All settings have defaults.
    ///   - onReady: called when the relay accepts connections. If `onReady` throws an error, the relay stops.
    /// - Throws: the errors of ``start(in:_:)``, the error that `onReady` throws, and ``RelayListenError/stoppedListening`` if
    ///   the system closes the listening socket. A cancelled task is no error.
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

    /// Starts a relay. The relay serves until ``stop()`` is called.
    ///
    /// - Parameters:
    ///   - folder: the folder with the relay's key and store. A missing folder is created. Only one process at a time may use the
    ///     folder.
    ///   - configuration: the addresses, the limits and other settings. All settings have defaults.
    /// - Throws: ``RelayListenError`` if the relay cannot listen on an address, ``RelayIdentity/Failure`` if the relay cannot use
    ///   the key or the certificate, ``StoreOpenError`` if the relay cannot open the store or a different process uses the store.
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
                // The store has locked the folder.
                let blobs = configuration.storage == .folder ? try FileBlobStore(folder: folder.path) : nil
                do {
                    return Relay(
                        try await RelayServer.start(configuration, identity: identity, store: store, blobs: blobs),
                        storeThread)
                } catch {
                    await blobs?.close()
                    throw error
                }
            } catch {
                await store.close()
                throw RelayListenError(error, configuration) as (any Error)? ?? error
            }
        } catch {
            try? await storeThread.shutdownGracefully()
            throw error
        }
    }

    /// Stops accepting connections, answers the requests that are being committed, and closes every connection and the store. If
    /// several callers stop the relay, each call waits until the relay has stopped.
    public func stop() async {
        isStopping.store(true, ordering: .relaxed)
        await server.shutDown()
        try? await storeThread.shutdownGracefully()
    }

    /// Returns whether the store in a relay's folder has no channel, no name and no blob. If the store is missing, creates an
    /// empty store.
    ///
    /// - Throws: ``StoreOpenError`` if the store cannot be opened or a different process uses the store, ``StoreFailure`` if the
    ///   store cannot be read.
    package static func isUnused(in folder: URL) async throws -> Bool {
        let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let store = try SQLiteStore(folder: folder.path, eventLoop: thread.any())
            let result: Result<Bool, any Error>
            do {
                let totals = try await store.statistics()
                let blobs = try FileBlobStore(folder: folder.path)
                result = .success(totals.channels + totals.names == 0 && blobs.statistics().count == 0)
                await blobs.close()
            } catch { result = .failure(error) }
            await store.close()
            try await thread.shutdownGracefully()
            return try result.get()
        } catch {
            try? await thread.shutdownGracefully()
            throw error
        }
    }
}
