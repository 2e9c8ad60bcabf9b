import KithWire
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The keys that are accepted from a relay.
package enum RelayTrust: Hashable, Sendable {
    /// Only this key.
    case pinned(RelayPin)
    /// Any key, for the first contact. The caller has to store ``RelayConnection/pin`` (see ``KnownRelays``).
    case firstContact
}

/// A connection to a relay: TLS 1.3 with a pinned key, WebSocket, and a successful `hello`.
///
/// Any number of threads may make requests at the same time. Requests are sent in the order in which they were made. While the
/// connection is busy, it collects new requests and sends them together. The connection closes when nothing refers to this object
/// or to one of its follows any more.
package final class RelayConnection: Sendable {
    /// The relay's answer to `hello`.
    package let welcome: RelayWelcome
    /// The relay's key.
    package let pin: RelayPin
    let core: ConnectionCore

    private init(welcome: RelayWelcome, pin: RelayPin, core: ConnectionCore) {
        self.welcome = welcome
        self.pin = pin
        self.core = core
    }

    /// Connects, checks the relay's key, and then sends `hello`. If the task is cancelled, the attempt ends at once.
    ///
    /// - Parameters:
    ///   - pass: the pass, if the relay requires one.
    ///   - group: the event loops for the connection's work.
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

    /// Makes a request, and calls `completion` with the answer. `completion` runs on the connection's event loop and must return
    /// quickly. This function does less work per request than ``request(_:)``.
    ///
    /// - Parameter request: any request except `hello`, `follow` and `unfollow`, which only the connection itself makes. A call
    ///   with one of the three requests sends nothing, and fails with ``RelayConnectionError/notByHand``.
    package func submit(
        _ request: Request, completion: @escaping @Sendable (Result<Reply, RelayConnectionError>) -> Void
    ) {
        switch request {
        case .hello, .follow, .unfollow: completion(.failure(.notByHand))
        default: core.driver.submit(request, completion)
        }
    }

    /// Makes a request and returns its answer.
    ///
    /// - Throws: ``RelayConnectionError``. The error is `refused` if the relay answers with an error.
    package func request(_ request: Request) async throws(RelayConnectionError) -> Reply {
        let result = await withCheckedContinuation { continuation in
            submit(request) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Follows one epoch of a channel, beginning at a seq. Present the epoch's read token before the call.
    ///
    /// - Throws: ``RelayConnectionError``. The error is `refused` if the relay does not allow the follow.
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

    /// Returns when the connection is over, for any reason.
    package func waitUntilClosed() async { await core.driver.wire.waitUntilClosed() }

    /// Closes the connection, with a close frame. Unanswered requests fail with `closed(.here)`.
    package func close() async {
        core.driver.close(.closed(.here))
        await waitUntilClosed()
    }
}

/// The part of a connection that its follows share. The connection closes when nothing refers to this part any more.
final class ConnectionCore: Sendable {
    let driver: ConnectionDriver

    init(driver: ConnectionDriver) { self.driver = driver }

    deinit { driver.close(.closed(.here)) }
}
