import NIOCore
import NIOPosix
import Synchronization

/// An attempt to make a TCP connection. A cancellation has effect at once, even if the network does not respond.
final class ConnectAttempt: Sendable {
    private struct State {
        /// The channels of this attempt: one for each address that is being tried. The first channel that connects becomes the
        /// connection.
        var channels: [any Channel] = []
        /// Whether one of the channels has connected, or the attempt was cancelled.
        var isOver = false
    }

    private let state = Mutex(State())
    private let lookup: HostLookup
    private let connected: EventLoopPromise<Void>

    init(on loop: any EventLoop) {
        lookup = HostLookup(on: loop)
        connected = loop.makePromise()
    }

    /// Connects.
    ///
    /// - Parameter prepare: adds the handlers to the first channel that connects.
    /// - Throws: ``RelayConnectionError`` if the connection cannot be made, or as soon as the attempt is cancelled.
    func connect(
        to address: RelayAddress, timeout: TimeAmount, on group: any EventLoopGroup,
        prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws(RelayConnectionError) {
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(timeout)
            .resolver(lookup)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.adopt(channel) }
            }
        bootstrap.connect(host: address.host, port: address.port).flatMapThrowing { channel in
            do {
                try self.finish()
                try prepare(channel)
            } catch {
                channel.close(promise: nil)
                throw error
            }
        }.whenComplete { result in
            switch result {
            case .success: self.connected.succeed()
            case .failure(let error):
                self.connected.fail(RelayConnectionError(connecting: error, lookup: self.lookup))
            }
        }
        do { try await connected.futureResult.get() } catch { throw RelayConnectionError(connecting: error) }
    }

    private func adopt(_ channel: any Channel) throws(RelayConnectionError) {
        let isOver = state.withLock { state in
            state.channels.append(channel)
            return state.isOver
        }
        if isOver { throw .unreachable(.cancelled) }
    }

    private func finish() throws(RelayConnectionError) {
        let isCancelled = state.withLock { state in
            defer { (state.isOver, state.channels) = (true, []) }
            return state.isOver
        }
        if isCancelled { throw .unreachable(.cancelled) }
    }

    /// Ends the attempt. Has no effect after a channel has been connected.
    func cancel() {
        let channels = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver ? nil : state.channels
        }
        guard let channels else { return }
        connected.fail(RelayConnectionError.unreachable(.cancelled))
        for channel in channels { channel.close(promise: nil) }
    }
}
