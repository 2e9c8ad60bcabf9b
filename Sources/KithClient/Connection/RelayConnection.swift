import KithWire
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Which key a relay may have.
package enum RelayTrust: Hashable, Sendable {
    /// This one and no other.
    case pinned(RelayPin)
    /// Whichever it has, for a first contact. The caller remembers ``RelayConnection/pin`` (see ``KnownRelays``).
    case firstContact
}

/// A connection to a relay: TLS 1.3, pinned, then WebSocket, then `hello`.
///
/// Requests may be made from anywhere and in any number at once; they leave in the order they were made, and those made
/// while the connection is busy leave together. The connection closes when the last copy of it and of its follows goes.
package final class RelayConnection: Sendable {
    /// What the relay said of itself.
    package let welcome: RelayWelcome
    /// The key the relay has.
    package let pin: RelayPin
    let core: ConnectionCore

    private init(welcome: RelayWelcome, pin: RelayPin, core: ConnectionCore) {
        self.welcome = welcome
        self.pin = pin
        self.core = core
    }

    /// Connects, checks the relay's key before anything is sent to it, and says hello. Cancelling the task ends it at once.
    ///
    /// - Parameters:
    ///   - pass: for a relay that wants one.
    ///   - group: where the connection's work is done.
    /// - Throws: ``RelayConnectionError``.
    package static func connect(
        to address: RelayAddress, trust: RelayTrust, pass: RelayPass? = nil, timeouts: RelayTimeouts = RelayTimeouts(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(RelayConnectionError) -> RelayConnection {
        let loop = group.next()
        let opened = loop.makePromise(of: RelayWelcome.self)
        let check = PinCheck(trust)
        let outbox = Outbox()
        let attempt = ConnectAttempt(on: loop)
        do {
            return try await withTaskCancellationHandler {
                let channel = try await attempt.connect(to: address, timeout: timeouts.connect, on: loop) { channel in
                    let handler = RelayChannelHandler(
                        address: address, pass: pass, outbox: outbox, timeouts: timeouts, opened: opened)
                    try channel.pipeline.syncOperations.addHandlers(try check.makeTLSHandler(for: address), handler)
                }
                let core = ConnectionCore(channel: channel, outbox: outbox)
                let welcome = try await opened.futureResult.get()
                guard let pin = check.found else { throw RelayConnectionError.notARelay(.noTLS) }
                return RelayConnection(welcome: welcome, pin: pin, core: core)
            } onCancel: {
                opened.fail(RelayConnectionError.unreachable(.cancelled))
                attempt.cancel()
            }
        } catch {
            opened.fail(error)
            throw check.mismatch ?? RelayConnectionError(connecting: error)
        }
    }

    /// Makes a request and calls `completion` with the answer, on the connection's event loop: keep it short there. The
    /// way with the least work per message.
    ///
    /// - Parameter request: anything but `hello`, `follow` and `unfollow`, which this connection makes itself; those are
    ///   not sent and fail with ``RelayConnectionError/notByHand``.
    package func submit(
        _ request: Request, completion: @escaping @Sendable (Result<Reply, RelayConnectionError>) -> Void
    ) {
        switch request {
        case .hello, .follow, .unfollow: completion(.failure(.notByHand))
        default: core.put(.request(request, completion))
        }
    }

    /// Makes a request and waits for its answer.
    ///
    /// - Throws: ``RelayConnectionError``; `refused` if the relay answers with an error.
    package func request(_ request: Request) async throws(RelayConnectionError) -> Reply {
        let result = await withCheckedContinuation { continuation in
            submit(request) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Follows one epoch of a channel from a seq on. Needs the epoch's read token, presented before.
    ///
    /// - Throws: ``RelayConnectionError``; `refused` if the relay does not let this connection follow.
    package func follow(
        _ channel: ChannelID, epoch: UInt64, fromSeq: UInt64
    ) async throws(RelayConnectionError) -> RelayFollow {
        let start = core.channel.eventLoop.makePromise(of: FollowStart.self)
        let id = core.nextFollowID()
        let buffer = FollowBuffer(backlog: core.backlog, start: start)
        let handle = RelayFollow.Handle(id: id, buffer: buffer, connection: core)
        core.put(.follow(id, channel: channel, epoch: epoch, fromSeq: fromSeq, buffer))
        do {
            let place = try await start.futureResult.get()
            return RelayFollow(firstSeq: place.firstSeq, lastSeq: place.lastSeq, handle: handle)
        } catch {
            throw error as? RelayConnectionError ?? .closed(.lost)
        }
    }

    /// Returns when the connection is over, for whatever reason.
    package func waitUntilClosed() async {
        try? await core.channel.closeFuture.get()
    }

    /// Says goodbye to the relay and closes. Requests without an answer fail with `closed(.here)`.
    package func close() async {
        core.put(.close)
        await waitUntilClosed()
    }
}

/// What a connection and its follows share: the way to the event loop.
final class ConnectionCore: Sendable {
    let channel: any Channel
    let backlog = Backlog()
    private let outbox: Outbox
    private let follows = Atomic<UInt32>(0)

    init(channel: any Channel, outbox: Outbox) {
        self.channel = channel
        self.outbox = outbox
    }

    deinit { channel.close(promise: nil) }

    func nextFollowID() -> FollowID { FollowID(value: follows.add(1, ordering: .relaxed).newValue) }

    func put(_ item: Outbox.Item) {
        guard outbox.put(item) else { return }
        // Not `eventLoop.execute` with the handler in hand: it is on the loop only.
        channel.eventLoop.execute { [channel, outbox] in
            guard let context = try? channel.pipeline.syncOperations.context(handlerType: RelayChannelHandler.self),
                let handler = context.handler as? RelayChannelHandler
            else { return outbox.end(.closed(.lost)) }
            handler.drain(context)
        }
    }
}
