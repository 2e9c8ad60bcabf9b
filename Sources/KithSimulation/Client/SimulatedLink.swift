import KithClient
import KithSupport
import KithWire
import NIOCore

/// A client's way to one relay: what `RelayLink` and `RelayConnection` do, over the same session machine, in virtual time.
final class SimulatedLink {
    enum Ticket {
        case request(UInt64)
        case follow(UInt64)
    }

    let id: RelayID
    let point: RelayPoint
    unowned let client: SimulatedClient
    /// The number of the connection that stands or is being made.
    var connection: Int?
    private var session: RelaySession<Ticket>?
    private var isWelcomed = false
    private var follows: [UInt64: FollowID] = [:]
    private var lastFollow: UInt32 = 0
    /// When the last event of a follow is taken: each follow has a task of its own, which may be late.
    private var takenAt: [UInt64: UInt64] = [:]
    private var backoff = Backoff.reconnecting
    private(set) var isStopped = false

    init(_ id: RelayID, _ point: RelayPoint, _ client: SimulatedClient) {
        self.id = id
        self.point = point
        self.client = client
    }

    private var world: Simulation { client.world }

    // MARK: The connection

    /// The connection stands: says hello.
    func didOpen(_ connection: Int) {
        self.connection = connection
        var session = RelaySession<Ticket>(timeouts: RelayTimeouts(), now: .uptimeNanoseconds(0))
        world.send(session.hello(pass: point.pass, now: .uptimeNanoseconds(0)), on: connection)
        self.session = session
    }

    /// The connection is over, or could not be made; another is made after a while.
    func didClose() {
        let wasOpen = isWelcomed
        connection = nil
        session = nil
        isWelcomed = false
        follows = [:]
        takenAt = [:]
        guard !isStopped else { return }
        if wasOpen { client.put(.disconnected(id)) }
        let wait = backoff.nextMs(using: &world.random)
        world.schedule(.connect(client: client.index, client.incarnation, id), after: wait)
    }

    /// Ends the connection and makes no other.
    func stop() {
        isStopped = true
        if let connection { world.hangUp(connection) }
        connection = nil
        session = nil
    }

    /// Whether a connection is to be made now.
    var wantsConnection: Bool { !isStopped && connection == nil }

    // MARK: Out

    func request(_ request: Request, tag: UInt64) {
        guard let connection, isWelcomed else { return }
        guard let frame = try? session?.submit(request, ticket: .request(tag), now: .uptimeNanoseconds(0)) else {
            return
        }
        world.send(frame, on: connection)
    }

    func follow(_ channel: ChannelID, epoch: UInt64, fromSeq: UInt64, tag: UInt64) {
        guard let connection, isWelcomed else { return }
        lastFollow += 1
        let follow = FollowID(value: lastFollow)
        follows[tag] = follow
        do throws(RelayConnectionError) {
            let frame = try session?.follow(
                follow, channel: channel, epoch: epoch, fromSeq: fromSeq, ticket: .follow(tag),
                now: .uptimeNanoseconds(0))
            if let frame { world.send(frame, on: connection) }
        } catch { world.violate("\(client.name) follows a channel that it follows already") }
    }

    func unfollow(_ tag: UInt64) {
        guard let connection, let follow = follows.removeValue(forKey: tag) else { return }
        if let frame = session?.leave(follow, now: .uptimeNanoseconds(0)) { world.send(frame, on: connection) }
    }

    // MARK: In

    func receive(_ bytes: [UInt8]) {
        do {
            switch try session?.receive(bytes, now: .uptimeNanoseconds(0)) {
            case .opened(let welcome):
                isWelcomed = true
                backoff.reset()
                client.put(.connected(id, limits: welcome.limits, timeMs: welcome.timeMs))
            case .answered(.request(let tag), let result): client.put(.answered(id, tag: tag, result))
            case .followStarted(_, .follow(let tag), let firstSeq, let lastSeq):
                later(tag, .followStarted(id, tag: tag, firstSeq: firstSeq, lastSeq: lastSeq))
            case .followed(_, .follow(let tag), let event): later(tag, .followed(id, tag: tag, event))
            case .followEnded(_, .follow(let tag), let error):
                if let error { later(tag, .followRefused(id, tag: tag, error)) }
            case .send(let frame):
                if let connection { world.send(frame, on: connection) }
            default: break
            }
        } catch {
            world.didBreakProtocol(error, client)
            if let connection { world.hangUp(connection) }
            didClose()
        }
    }

    /// A follow's events are in order among themselves, and come when its task is at it.
    private func later(_ tag: UInt64, _ input: MessengerInput) {
        guard follows[tag] != nil, let connection else { return }
        let at = max(takenAt[tag] ?? 0, world.now + UInt64(world.random.pick(0...3)))
        takenAt[tag] = at
        world.schedule(.followed(client: client.index, connection: connection, id, tag: tag, input), at: at)
    }

    /// An event's task has come to it. Dropped if the follow is over by now.
    func deliver(_ input: MessengerInput, tag: UInt64, _ connection: Int) {
        guard self.connection == connection, follows[tag] != nil else { return }
        client.put(input)
    }
}
