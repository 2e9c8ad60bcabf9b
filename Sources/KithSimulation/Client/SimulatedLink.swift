import KithCore
import KithWire

/// A client's connection to one relay in virtual time. As in the program, a ``LinkMachine`` makes the decisions.
final class SimulatedLink {
    let id: RelayID
    let point: RelayPoint
    unowned let client: SimulatedClient
    /// The number of the current connection; `nil` if there is none.
    private(set) var connection: Int?
    private var machine: LinkMachine
    /// The time of the next scheduled wake-up.
    private var wakeTime: Duration?

    /// The timeouts of the simulation. Pings are rare, because a simulation lasts for months of virtual time.
    private static let timeouts = RelayTimeouts(pingAfter: .seconds(3_600))

    init(_ id: RelayID, _ point: RelayPoint, _ client: SimulatedClient) {
        self.id = id
        self.point = point
        self.client = client
        machine = LinkMachine(id, pass: point.pass, timeouts: Self.timeouts, random: client.source)
    }

    private var world: Simulation { client.world }
    private var now: Duration { .milliseconds(world.now) }

    /// Whether a connection should be made now.
    var wantsConnection: Bool { machine.isConnecting && connection == nil }

    // MARK: The machine

    func start() { carryOut(machine.start()) }

    /// Ends the connection for good.
    func stop() { carryOut(machine.stop()) }

    func request(_ request: Request, tag: UInt64) { carryOut(machine.request(request, tag: tag, now: now)) }

    func follow(_ place: FollowTarget, tag: UInt64) { carryOut(machine.follow(place, tag: tag, now: now)) }

    func unfollow(_ tag: UInt64) { carryOut(machine.unfollow(tag, now: now)) }

    func didOpen(_ connection: Int) {
        self.connection = connection
        carryOut(machine.didConnect(now: now))
    }

    /// Called when the connection has ended or could not be made.
    func didClose(_ error: RelayConnectionError) {
        connection = nil
        carryOut(machine.didClose(error, now: now))
    }

    func receive(_ bytes: [UInt8]) { carryOut(machine.receive(bytes, now: now), bytes: bytes.count) }

    func setReading(_ isReading: Bool) {
        if isReading { machine.resumeReading(now: now) } else { machine.pauseReading() }
        scheduleWake()
    }

    func wake(at time: Duration) {
        guard time == wakeTime else { return }
        wakeTime = nil
        carryOut(machine.timePassed(now: now))
    }

    private func carryOut(_ actions: [LinkMachine.Action], bytes: Int = 0) {
        for action in actions {
            switch action {
            case .connect:
                world.schedule(.connect(client: client.index, client.incarnation, id), after: 1)
            case .send(let frame):
                if let connection { world.send(frame, on: connection) }
            case .disconnect(let error):
                if case .protocolViolation = error { world.didBreakProtocol(error, client) }
                if let connection { world.closeAtClient(connection) }
                connection = nil
            case .deliver(let input):
                if case .followRefused(_, _, LinkMachine.alreadyFollowing) = input {
                    world.reportViolation("\(client.name) follows a channel that it follows already")
                }
                client.put(input, bytes: bytes)
            case .report: break
            }
        }
        scheduleWake()
    }

    /// Schedules a wake-up. If an earlier wake-up is scheduled, does nothing.
    private func scheduleWake() {
        guard let time = machine.wakeTime, wakeTime.map({ time < $0 }) ?? true else { return }
        wakeTime = time
        // The machine counts nanoseconds, and the simulation counts milliseconds.
        let milliseconds = UInt64((time + .nanoseconds(999_999)) / .milliseconds(1))
        world.schedule(.linkWakes(client: client.index, client.incarnation, id, time), at: milliseconds)
    }
}
