import DequeModule
import KithCore
import KithWire
import MLS
import TestSupport

/// People, devices, relays and their network, in virtual time and in one thread. All events come from one queue. All random
/// numbers come from one seed.
public final class Simulation {
    /// The virtual time at the start of a simulation, in milliseconds since 1970.
    static let beginningMs: UInt64 = 1_750_000_000_000
    /// A fast cipher suite, whose random values all come from the simulation's seed.
    static let suite = CipherSuite.x25519AES128SHA256Ed25519

    /// Converts letters to lower case. Names in simulations are ASCII and need no further conversion.
    static let folding = NameFolding { $0.lowercased() }

    enum Event {
        case connect(client: Int, Int, RelayID)
        case toRelay(connection: Int, [UInt8])
        case toClient(connection: Int, [UInt8])
        case relayLoses(connection: Int)
        case clientLoses(connection: Int)
        case linkWakes(client: Int, Int, RelayID, Duration)
        case drain(client: Int, Int)
        case wake(client: Int, Int, Int)
        case start(client: Int)
        case relayIsBack(Int)
        case operation
        case online(client: Int)
    }

    /// The counts for the report.
    struct Counts {
        var events = 0
        var operations = 0
        var crashes = 0
        var relayCrashes = 0
        var disconnects = 0
        var frames = 0
        /// Number of messages that a relay has refused temporarily.
        var refusedAppends = 0
    }

    let seed: UInt64
    let profile: SimulationProfile
    /// The generator of the schedule. Each device has its own generator.
    var random: SeededGenerator
    private(set) var now = Simulation.beginningMs
    private var queue = EventQueue<Event>()
    var faults = Faults.none
    var counts = Counts()
    var trace = Trace()
    private(set) var violations: [String] = []
    private(set) var relays: [SimulatedRelay] = []
    private(set) var clients: [SimulatedClient] = []
    private(set) var wires: [Int: Wire] = [:]
    private var lastConnection = 0
    let checker: InvariantChecker
    /// The maximum sizes of a commit and of a Welcome in an entry, in bytes. In a quarter of the schedules, all commits are
    /// sent in parcels; in another quarter, only the longer ones. The trees of Welcomes are divided in the same way, but
    /// independently of the commits.
    var sizes: EntrySizes {
        var sizes = EntrySizes()
        switch seed % 4 {
        case 1: sizes.turn = 0
        case 2: sizes.turn = 700
        default: break
        }
        switch seed / 4 % 4 {
        case 1: sizes.welcome = 0
        case 2: sizes.welcome = 1_400
        default: break
        }
        return sizes
    }
    /// Size of the relays' messages in a client's mailbox, in bytes, at which the client's connections stop reading. In a quarter
    /// of the schedules, one message reaches this size. In a second quarter, a few messages reach this size.
    var unreadBytes: Int {
        switch seed / 16 % 4 {
        case 1: 1
        case 2: 2_000
        default: ClientLimits.unreadBytes
        }
    }
    /// The operations of people; `nil` until they begin.
    var workload: Workload?

    init(
        seed: UInt64, profile: SimulationProfile, clients clientCount: Int, relays relayCount: Int,
        limits: ModelLimits = ModelLimits()
    ) {
        self.seed = seed
        self.profile = profile
        random = SeededGenerator(seed: seed)
        checker = InvariantChecker()
        checker.world = self
        for index in 0..<relayCount { relays.append(SimulatedRelay(index, limits: limits)) }
        for index in 0..<clientCount { clients.append(SimulatedClient(index, self, random: random.fork())) }
    }

    /// Reports a violated invariant.
    func reportViolation(_ what: String) {
        trace.note(now, "violation: \(what)")
        guard violations.count < 20 else { return }
        violations.append("\(now - Self.beginningMs) ms: \(what)")
    }

    // MARK: Time

    func schedule(_ event: Event, after delay: UInt64) { queue.put(event, at: now + delay) }
    func schedule(_ event: Event, at time: UInt64) { queue.put(event, at: max(now, time)) }

    /// Advances the time to `end`, and handles all events that are due.
    func run(until end: UInt64) {
        while let next = queue.nextTime, next <= end, let (time, event) = queue.take() {
            now = time
            counts.events += 1
            if counts.events > Self.mostEvents { return reportViolation("it does not come to rest") }
            happen(event)
        }
        now = max(now, end)
    }

    /// Maximum number of events, far more than any schedule needs. Only a simulation whose events never end reaches this
    /// number.
    private static let mostEvents = 20_000_000

    private func happen(_ event: Event) {
        switch event {
        case .connect(let client, let incarnation, let id):
            guard clients[client].incarnation == incarnation, let link = clients[client].link(id) else { return }
            connect(link)
        case .toRelay(let connection, let bytes): arrive(bytes, on: connection)
        case .toClient(let connection, let bytes):
            guard let wire = wires[connection], wire.link.connection == connection else { return }
            if wire.unread.isEmpty, !wire.link.client.isFull {
                wire.link.receive(bytes)
            } else {
                if wire.unread.isEmpty { wire.link.setReading(false) }
                wires[connection]?.unread.append(bytes)
            }
        case .relayLoses(let connection): relayLoses(connection)
        case .clientLoses(let connection):
            guard let wire = wires.removeValue(forKey: connection), wire.link.connection == connection else { return }
            trace.note(now, "lost \(wire.link.client.index)")
            wire.link.didClose(.closed(.lost))
        case .linkWakes(let client, let incarnation, let id, let time):
            guard clients[client].incarnation == incarnation else { return }
            clients[client].link(id)?.wake(at: time)
        case .drain(let client, let incarnation):
            guard clients[client].incarnation == incarnation else { return }
            trace.note(now, "drain \(client)")
            clients[client].drain()
        case .wake(let client, let incarnation, let number):
            guard clients[client].incarnation == incarnation else { return }
            clients[client].wake(number)
        case .start(let client): clients[client].start()
        case .relayIsBack(let index):
            relays[index].isUp = true
            trace.note(now, "relay \(index) is back")
        case .operation: workload?.act()
        case .online(let client): goOnline(clients[client])
        }
    }

    // MARK: The network

    /// Connects a link to its relay. If the client is offline, the connection is made as soon as the client is online.
    private func connect(_ link: SimulatedLink) {
        guard link.wantsConnection, link.client.isOnline else { return }
        guard let index = relays.firstIndex(where: { $0.point.address == link.point.address }), relays[index].isUp
        else {
            return link.didClose(.unreachable(.connectionRefused))
        }
        lastConnection += 1
        wires[lastConnection] = Wire(link: link, relay: index)
        relays[index].model.open(lastConnection)
        trace.note(now, "connect \(link.client.index) \(index)")
        link.didOpen(lastConnection)
    }

    /// Sends a frame to the relay.
    func send(_ frame: ClientFrame, on connection: Int) {
        guard wires[connection] != nil else { return }
        counts.frames += 1
        let at = max(wires[connection]?.lastToRelay ?? 0, now + latency())
        wires[connection]?.lastToRelay = at
        schedule(.toRelay(connection: connection, frame.encoded), at: at)
        if random.chance(faults.disconnect) { cut(connection) }
    }

    private func latency() -> UInt64 { UInt64(random.pick(1...faults.latencyMs)) }

    private func arrive(_ bytes: [UInt8], on connection: Int) {
        guard let wire = wires[connection], let frame = try? ClientFrame(decoding: bytes) else { return }
        let relay = relays[wire.relay]
        trace.note(now, "\(wire.link.client.index)>\(frame.request.traceText)")
        if random.chance(faults.unavailable), relay.mayRefuse(frame.request) {
            trace.note(now, "unavailable")
            if case .append = frame.request { counts.refusedAppends += 1 }
            let error = RelayError(.unavailable, "refused", retryAfterMs: UInt32(random.pick(0...5_000)))
            trace.note(now, "\(wire.link.client.index)<unavailable")
            let reply = RelayFrame(requestID: frame.requestID, reply: .error(error))
            return send(reply, about: frame.request.channel, on: connection)
        }
        relay.model.receive(frame, from: connection, nowMs: now)
        for outgoing in relay.model.takeOutgoing() {
            if case .error(let error) = outgoing.frame.reply, let wire = wires[outgoing.connection] {
                trace.note(now, "\(wire.link.client.index)<\(error.code) \(error.detail)")
            }
            send(outgoing.frame, about: outgoing.channel, on: outgoing.connection)
            if outgoing.closes { cut(outgoing.connection) }
        }
    }

    /// Sends a frame to a client. Frames about one channel arrive in order.
    private func send(_ frame: RelayFrame, about channel: ChannelID?, on connection: Int) {
        guard wires[connection] != nil else { return }
        counts.frames += 1
        let at = max(wires[connection]?.lanes[channel] ?? 0, now + latency())
        wires[connection]?.lanes[channel] = at
        schedule(.toClient(connection: connection, frame.encoded), at: at)
        if random.chance(faults.disconnect) { cut(connection) }
    }

    /// Makes a client's connections read again. Called when the client has emptied its mailbox.
    func resumeReading(_ client: SimulatedClient) {
        for connection in wires.keys.sorted() {
            guard let wire = wires[connection], wire.link.client === client, !wire.unread.isEmpty else { continue }
            guard wire.link.connection == connection else { continue }
            while !client.isFull, wire.link.connection == connection, let bytes = wires[connection]?.unread.popFirst() {
                wire.link.receive(bytes)
            }
            if wires[connection]?.unread.isEmpty == true { wire.link.setReading(true) }
        }
    }

    /// Breaks a connection. The two sides notice the break at different times. Each side still receives frames until that side
    /// notices the break.
    func cut(_ connection: Int) {
        guard wires[connection] != nil else { return }
        counts.disconnects += 1
        schedule(.relayLoses(connection: connection), after: UInt64(random.pick(0...2 * faults.latencyMs)))
        schedule(.clientLoses(connection: connection), after: UInt64(random.pick(0...2 * faults.latencyMs)))
    }

    /// Ends a connection at the client's side. Frames that the client has already sent may still arrive.
    func closeAtClient(_ connection: Int) {
        schedule(.relayLoses(connection: connection), after: UInt64(random.pick(0...2 * faults.latencyMs)))
    }

    private func relayLoses(_ connection: Int) {
        guard let wire = wires[connection] else { return }
        relays[wire.relay].model.close(connection)
        // The client may notice the break later. If the client has already closed the connection, nothing needs the wire any
        // more.
        if wire.link.connection != connection { wires[connection] = nil }
    }

    /// Crashes a relay.
    func crashRelay(_ index: Int, forMs duration: UInt64) {
        guard relays[index].isUp else { return }
        counts.relayCrashes += 1
        trace.note(now, "relay \(index) crashes")
        relays[index].isUp = false
        relays[index].model.restart()
        for connection in wires.keys.sorted() where wires[connection]?.relay == index {
            schedule(.clientLoses(connection: connection), after: UInt64(random.pick(0...2 * faults.latencyMs)))
        }
        schedule(.relayIsBack(index), after: duration)
    }

    func goOffline(_ client: SimulatedClient) {
        trace.note(now, "offline \(client.index)")
        client.isOnline = false
        for link in client.allLinks { if let connection = link.connection { cut(connection) } }
    }

    func goOnline(_ client: SimulatedClient) {
        guard !client.isOnline else { return }
        trace.note(now, "online \(client.index)")
        client.isOnline = true
        for link in client.allLinks where link.wantsConnection {
            schedule(.connect(client: client.index, client.incarnation, link.id), after: UInt64(random.pick(1...200)))
        }
    }

    /// Notes that a client has disconnected from a relay because the relay broke the protocol.
    func didBreakProtocol(_ error: any Error, _ client: SimulatedClient) {
        if relays.allSatisfy({ $0.model.lies == nil }) {
            reportViolation("\(client.name): an honest relay breaks the protocol: \(error)")
        }
        checker.protocolViolations += 1
    }
}

/// A connection between a client and a relay.
struct Wire {
    let link: SimulatedLink
    let relay: Int
    /// The time at which the latest frame to the relay arrives there.
    var lastToRelay: UInt64 = 0
    /// For each channel, the time at which its latest frame arrives at the client.
    var lanes: [ChannelID?: UInt64] = [:]
    /// Frames that have arrived and wait until the client has room for them.
    var unread: Deque<[UInt8]> = []
}

extension Request {
    /// The request as it appears in the trace. The text contains no value that depends on keys.
    fileprivate var traceText: String {
        switch self {
        case .hello: "hello"
        case .create: "create"
        case .present(_, let epoch, let tokens): "present \(epoch) \(tokens.count)"
        case .append(_, let epoch, _, let payload): "append \(epoch) \(payload.count)"
        case .turn(_, let epoch, _, let payload, _): "turn \(epoch) \(payload.count)"
        case .follow(_, let epoch, let from): "follow \(epoch) \(from)"
        case .unfollow: "unfollow"
        case .whisper(_, let epoch, let payload): "whisper \(epoch) \(payload.count)"
        case .close: "close"
        case .deposit(_, let packages, let last): "deposit \(packages.count) \(last != nil)"
        case .withdraw: "withdraw"
        case .register: "register"
        case .lookup: "lookup"
        case .ping: "ping"
        case .trim(_, let seq): "trim \(seq)"
        case .createBlob(_, let epoch, let blob): "createBlob \(epoch) \(blob.size)"
        }
    }
}
