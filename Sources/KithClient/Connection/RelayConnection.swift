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
        let wire = RelayWire(on: loop)
        let driver = ConnectionDriver(wire: wire, pass: pass, timeouts: timeouts, opened: opened)
        do {
            return try await withTaskCancellationHandler {
                try await wire.connect(to: address, check: check, timeouts: timeouts, user: driver)
                let core = ConnectionCore(driver: driver)
                let welcome = try await opened.futureResult.get()
                guard let pin = check.found else { throw RelayConnectionError.notARelay(.noTLS) }
                return RelayConnection(welcome: welcome, pin: pin, core: core)
            } onCancel: {
                driver.close(.unreachable(.cancelled))
            }
        } catch {
            let error = RelayConnectionError(connecting: error)
            driver.close(error)
            throw error
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
        default: core.driver.submit(request, completion)
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
        let start = core.driver.wire.loop.makePromise(of: FollowBounds.self)
        let queue = FollowQueue(unread: core.driver.unread, start: start)
        let id = core.driver.follow(FollowTarget(channel, epoch: epoch, fromSeq: fromSeq), queue)
        let handle = RelayFollow.Handle(id: id, queue: queue, connection: core)
        do {
            let place = try await start.futureResult.get()
            return RelayFollow(firstSeq: place.firstSeq, lastSeq: place.lastSeq, handle: handle)
        } catch {
            throw error as? RelayConnectionError ?? .closed(.lost)
        }
    }

    /// Returns when the connection is over, for whatever reason.
    package func waitUntilClosed() async { await core.driver.wire.waitUntilClosed() }

    /// Says goodbye to the relay and closes. Requests without an answer fail with `closed(.here)`.
    package func close() async {
        core.driver.close(.closed(.here))
        await waitUntilClosed()
    }
}

/// The part of a connection that its follows share. The connection closes when nobody holds it any more.
final class ConnectionCore: Sendable {
    let driver: ConnectionDriver

    init(driver: ConnectionDriver) { self.driver = driver }

    deinit { driver.close(.closed(.here)) }
}
