import NIOCore
import NIOPosix
import Synchronization

/// A connection that is being made, and can be given up at any moment: nobody waits for the network then.
final class ConnectAttempt: Sendable {
    private struct State {
        /// The channels that may become the connection: there is one for each address that is tried.
        var channels: [any Channel] = []
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let lookup: HostLookup
    private let connected: EventLoopPromise<any Channel>

    init(on loop: any EventLoop) {
        lookup = HostLookup(on: loop)
        connected = loop.makePromise()
    }

    /// Connects.
    ///
    /// - Parameter prepare: adds a channel's handlers.
    /// - Throws: ``RelayConnectionError``, when the connection can't be made, or as soon as the attempt is cancelled.
    func connect(
        to address: RelayAddress, timeout: TimeAmount, on group: any EventLoopGroup,
        prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws(RelayConnectionError) -> any Channel {
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(timeout)
            .resolver(lookup)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.adopt(channel)
                    try prepare(channel)
                }
            }
        bootstrap.connect(host: address.host, port: address.port).whenComplete { result in
            switch result {
            case .success(let channel): self.connected.succeed(channel)
            case .failure(let error):
                self.connected.fail(RelayConnectionError(connecting: error, lookup: self.lookup))
            }
        }
        do { return try await connected.futureResult.get() } catch { throw RelayConnectionError(connecting: error) }
    }

    private func adopt(_ channel: any Channel) throws(RelayConnectionError) {
        let isCancelled = state.withLock { state in
            state.channels.append(channel)
            return state.isCancelled
        }
        if isCancelled { throw .unreachable(.cancelled) }
    }

    /// Ends it, and a connection that came of it.
    func cancel() {
        let channels = state.withLock { state in
            state.isCancelled = true
            return state.channels
        }
        connected.fail(RelayConnectionError.unreachable(.cancelled))
        for channel in channels { channel.close(promise: nil) }
    }
}
