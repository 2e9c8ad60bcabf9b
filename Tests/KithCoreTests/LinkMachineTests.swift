import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Link machine")
struct LinkMachineTests {
    private static let relay = RelayID(rawValue: 3)
    private static let start = Duration.seconds(100)
    private static let channel = ChannelID.random()
    private static let lost = RelayConnectionError.closed(.lost)

    private static func machine() -> LinkMachine {
        // The longest pauses.
        LinkMachine(relay, pass: nil, random: RandomSource { $0.initializeMemory(as: UInt8.self, repeating: 0xff) })
    }

    private static func opened(
        _ limits: AdvertisedLimits? = nil, at time: Duration = start
    ) throws -> LinkMachine {
        var machine = machine()
        _ = machine.start()
        try open(&machine, limits, at: time)
        return machine
    }

    /// Answers the attempt to connect, and the hello.
    private static func open(
        _ machine: inout LinkMachine, _ limits: AdvertisedLimits? = nil, at time: Duration = start
    ) throws {
        guard let hello = frames(machine.didConnect(now: time)).first,
            case .welcome(let version, let id, let given, let timeMs) = RelaySessionTests.welcome
        else { throw Unexpected() }
        let welcome = Reply.welcome(version: version, relayID: id, limits: limits ?? given, timeMs: timeMs)
        let actions = machine.receive(RelayFrame(requestID: hello.requestID, reply: welcome).encoded, now: time)
        guard case .connected(relay, limits ?? given, timeMs)? = inputs(actions).first, reports(actions) == [.connected]
        else { throw Unexpected() }
    }

    private static func frames(_ actions: [LinkMachine.Action]) -> [ClientFrame] {
        actions.compactMap { if case .send(let frame) = $0 { frame } else { nil } }
    }

    private static func inputs(_ actions: [LinkMachine.Action]) -> [ProfileInput] {
        actions.compactMap { if case .deliver(let input) = $0 { input } else { nil } }
    }

    private static func reports(_ actions: [LinkMachine.Action]) -> [LinkReport] {
        actions.compactMap { if case .report(let report) = $0 { report } else { nil } }
    }

    private static func limits(perSecond: UInt32, burst: UInt32) -> AdvertisedLimits {
        AdvertisedLimits(
            payload: 1 << 18, frame: 1 << 20, requestsPerSecond: perSecond, requestBurst: burst, idleSeconds: 300,
            follows: 10, retentionSeconds: 100)
    }

    // MARK: Connecting

    @Test("an attempt that fails is repeated after a growing pause, and the pause is reported")
    func backoff() {
        var machine = Self.machine()
        var now = Self.start
        #expect(Self.reports(machine.start()) == [.connecting])
        for pause in [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].map(Duration.milliseconds) {
            #expect(machine.isConnecting && machine.wakeTime == nil)
            #expect(Self.reports(machine.didClose(Self.lost, now: now)) == [.unreachable(Self.lost, pause: pause)])
            #expect(machine.wakeTime == now + pause)
            #expect(machine.timePassed(now: now + pause - .nanoseconds(1)).isEmpty)
            now += pause
            guard case .connect? = machine.timePassed(now: now).last else { return #expect(Bool(false)) }
        }
    }

    @Test("the wrong key, the wrong pass and a broken protocol are reported as a refusal")
    func refused() throws {
        let error = RelayConnectionError.turnedAway(RelayError(.passRequired, "a pass, please"))
        var machine = Self.machine()
        _ = machine.start()
        #expect(Self.reports(machine.didClose(error, now: Self.start)) == [.refused(error)])
    }

    @Test(
        "a connection that lasted is followed by another at once and without a report; one that keeps ending is reported"
    )
    func ends() throws {
        var machine = try Self.opened()
        var actions = machine.didClose(Self.lost, now: Self.start + .seconds(5))
        guard case .disconnected(Self.relay)? = Self.inputs(actions).first else { throw Unexpected() }
        #expect(Self.reports(actions).isEmpty)
        let again = try #require(machine.wakeTime)
        _ = machine.timePassed(now: again)
        try Self.open(&machine, at: again)
        actions = machine.didClose(Self.lost, now: again + .milliseconds(1))
        #expect(Self.reports(actions) == [.ended(pause: .milliseconds(500))])
    }

    @Test("a relay that breaks the protocol is disconnected, and the profile gets an input about the end")
    func violation() throws {
        var machine = try Self.opened()
        let actions = machine.receive([1, 2, 3], now: Self.start)
        guard case .disconnect(.protocolViolation(.malformedFrame))? = actions.first,
            case .disconnected(Self.relay)? = Self.inputs(actions).first
        else { throw Unexpected() }
        #expect(machine.didClose(Self.lost, now: Self.start).isEmpty)
        #expect(machine.request(.ping, tag: 1, now: Self.start).isEmpty)
    }

    @Test("a stopped link reports the end of an open connection, and then does nothing")
    func stop() throws {
        var waiting = Self.machine()
        _ = waiting.start()
        var open = try Self.opened()
        let actions = open.stop()
        guard case .disconnected(Self.relay)? = Self.inputs(actions).first, case .disconnect? = actions.last,
            case .disconnect? = waiting.stop().first
        else { throw Unexpected() }
        for machine in [waiting, open] {
            var machine = machine
            #expect(machine.wakeTime == nil)
            #expect(machine.timePassed(now: Self.start + .seconds(100)).isEmpty)
            #expect(machine.didConnect(now: Self.start).isEmpty && machine.didClose(Self.lost, now: Self.start).isEmpty)
            #expect(machine.receive([1], now: Self.start).isEmpty)
            #expect(machine.request(.ping, tag: 1, now: Self.start).isEmpty && machine.stop().isEmpty)
        }
    }

    @Test("a hello without an answer ends the attempt")
    func helloTimeout() throws {
        var machine = Self.machine()
        _ = machine.start()
        _ = machine.didConnect(now: Self.start)
        #expect(machine.wakeTime == Self.start + .seconds(10))
        let actions = machine.timePassed(now: Self.start + .seconds(10))
        guard case .disconnect(.unreachable(.timedOut))? = actions.first else { throw Unexpected() }
        #expect(Self.inputs(actions).isEmpty)
    }

    // MARK: Requests and follows

    @Test("answers and events of follows have the tags of their requests")
    func tags() throws {
        var machine = try Self.opened()
        let ping = try #require(Self.frames(machine.request(.ping, tag: 17, now: Self.start)).first)
        let place = FollowTarget(Self.channel, epoch: 0, fromSeq: 5)
        let follow = try #require(Self.frames(machine.follow(place, tag: 18, now: Self.start)).first)
        func receive(_ request: ClientFrame, _ reply: Reply) -> ProfileInput? {
            let frame = RelayFrame(requestID: request.requestID, reply: reply)
            return Self.inputs(machine.receive(frame.encoded, now: Self.start)).first
        }
        guard case .answered(Self.relay, tag: 17, .success(.done))? = receive(ping, .done),
            case .followStarted(Self.relay, tag: 18, firstSeq: 5, lastSeq: 9)? = receive(
                follow, .following(firstSeq: 5, lastSeq: 9)),
            case .followed(Self.relay, tag: 18, .entries(let entries))? = receive(
                follow, RelaySessionTests.entries(5...6, channel: Self.channel)),
            case .followRefused(Self.relay, tag: 18, let error)? = receive(follow, .error(RelayError(.gone, "gone")))
        else { throw Unexpected() }
        #expect(entries.map(\.seq) == [5, 6] && error.code == .gone)
    }

    @Test("an ended follow delivers nothing more, and its channel can be followed at once")
    func unfollow() throws {
        var machine = try Self.opened()
        let place = FollowTarget(Self.channel, epoch: 0, fromSeq: 5)
        let follow = try #require(Self.frames(machine.follow(place, tag: 1, now: Self.start)).first)
        let second = Self.inputs(machine.follow(place, tag: 2, now: Self.start))
        guard case .followRefused(Self.relay, tag: 2, LinkMachine.alreadyFollowing)? = second.first else {
            throw Unexpected()
        }
        let unfollow = try #require(Self.frames(machine.unfollow(1, now: Self.start)).first)
        #expect(machine.follow(place, tag: 3, now: Self.start).isEmpty)
        let late = RelayFrame(requestID: follow.requestID, reply: .following(firstSeq: 5, lastSeq: 9))
        #expect(machine.receive(late.encoded, now: Self.start).isEmpty)
        let done = RelayFrame(requestID: unfollow.requestID, reply: .done)
        #expect(
            Self.frames(machine.receive(done.encoded, now: Self.start)).map(\.request)
                == [.follow(channel: Self.channel, epoch: 0, fromSeq: 5)])
    }

    @Test("requests beyond the relay's rate wait for their time, in order; an unfollow drops a follow that waits")
    func pace() throws {
        // Half of the burst, and then one in 12.5 ms.
        var machine = try Self.opened(Self.limits(perSecond: 100, burst: 4))
        #expect(!machine.request(.ping, tag: 1, now: Self.start).isEmpty)
        #expect(!machine.request(.ping, tag: 2, now: Self.start).isEmpty)
        let place = FollowTarget(Self.channel, epoch: 0, fromSeq: 1)
        #expect(machine.follow(place, tag: 3, now: Self.start).isEmpty)
        #expect(machine.request(.close(channel: Self.channel), tag: 4, now: Self.start).isEmpty)
        #expect(machine.request(.withdraw(channel: Self.channel), tag: 5, now: Self.start).isEmpty)
        #expect(machine.wakeTime == Self.start + .microseconds(12_500))
        #expect(machine.unfollow(3, now: Self.start).isEmpty)
        let first = machine.timePassed(now: Self.start + .microseconds(12_500))
        #expect(Self.frames(first).map(\.request) == [.close(channel: Self.channel)])
        #expect(machine.wakeTime == Self.start + .microseconds(25_000))
        let second = machine.timePassed(now: Self.start + .microseconds(25_000))
        #expect(Self.frames(second).map(\.request) == [.withdraw(channel: Self.channel)])
    }

    @Test("requests beyond the connection and the queue are refused for the moment")
    func overload() throws {
        var machine = try Self.opened(Self.limits(perSecond: 1, burst: 2))
        for tag in 1...UInt64(ClientLimits.unansweredRequests + 1) {
            #expect(Self.inputs(machine.request(.ping, tag: tag, now: Self.start)).isEmpty)
        }
        let refused = Self.inputs(machine.request(.ping, tag: 99, now: Self.start))
        guard case .answered(Self.relay, tag: 99, .failure(let error))? = refused.first else { throw Unexpected() }
        #expect(error.code == .unavailable)
    }

    @Test("an idle connection is pinged, and a dead one is given up, but not while reading is paused")
    func silence() throws {
        var machine = try Self.opened()
        let ping = try #require(machine.wakeTime)
        #expect(Self.frames(machine.timePassed(now: ping)).map(\.request) == [.ping])
        var paused = machine
        paused.pauseReading()
        #expect(Self.frames(paused.timePassed(now: ping + .seconds(30))).isEmpty)
        paused.resumeReading(now: ping + .seconds(40))
        #expect(paused.wakeTime == ping + .seconds(60))
        guard case .disconnect(.closed(.answerTimedOut))? = machine.timePassed(now: ping + .seconds(30)).first else {
            throw Unexpected()
        }
    }
}
