import KithWire
import Testing

@testable import KithCore

/// The session on its own: no socket, no clock.
@Suite("Relay session")
struct RelaySessionTests {
    typealias Session = RelaySession<Int>

    static let channel = ChannelID.random()
    static let start = Duration.seconds(1)

    static let welcome = Reply.welcome(
        version: 1, relayID: Array(0..<16),
        limits: AdvertisedLimits(
            payload: 1 << 18, frame: 1 << 20, requestsPerSecond: 200, requestBurst: 400, idleSeconds: 300, follows: 10,
            retentionSeconds: 100), timeMs: 1_700_000_000_000)

    static func open(timeouts: RelayTimeouts = RelayTimeouts()) throws -> Session {
        var session = Session(timeouts: timeouts, now: start)
        let hello = session.hello(pass: nil, now: start)
        _ = try session.receive(frame(hello.requestID, welcome), now: start)
        return session
    }

    static func frame(_ id: UInt32, _ reply: Reply) -> [UInt8] { RelayFrame(requestID: id, reply: reply).encoded }

    static func entries(_ seqs: ClosedRange<UInt64>, epoch: UInt64 = 0, channel: ChannelID = channel) -> Reply {
        .entries(
            channel: channel,
            entries: seqs.map {
                Entry(seq: $0, epoch: epoch, kind: .message, receivedAtMs: 0, id: .random(), payload: [1, 2, 3])
            })
    }

    /// An open session with a follow that streams from seq 5 on.
    static func following(timeouts: RelayTimeouts = RelayTimeouts()) throws -> (Session, FollowID, UInt32) {
        var session = try open(timeouts: timeouts)
        let id = FollowID(value: 1)
        guard let request = try session.follow(id, FollowTarget(channel, epoch: 0, fromSeq: 5), ticket: 7, now: start),
            case .followStarted(7, 5, 4) = try session.receive(
                frame(request.requestID, .following(firstSeq: 5, lastSeq: 4)), now: start)
        else { throw Unexpected() }
        return (session, id, request.requestID)
    }

    /// `#require` can't call what changes the session.
    func some<T>(_ value: T?) throws -> T {
        guard let value else { throw Unexpected() }
        return value
    }

    func violation(_ expected: RelayViolation, _ body: () throws -> Void) {
        #expect(throws: RelayConnectionError.protocolViolation(expected), performing: body)
    }

    @Test("answers find their requests in any order")
    func answersInAnyOrder() throws {
        var session = try Self.open()
        let requests = try (0..<100).map { try session.submit(.ping, ticket: $0, now: Self.start) }
        #expect(Set(requests.map(\.requestID)).count == 100)
        for (ticket, request) in requests.enumerated().reversed() {
            guard
                case .answered(ticket, .success(.done)) = try session.receive(
                    Self.frame(request.requestID, .done), now: Self.start)
            else { throw Unexpected() }
        }
        #expect(session.close().requests.isEmpty)
    }

    @Test("a refusal answers its request, and the connection stays open")
    func refusal() throws {
        var session = try Self.open()
        let request = try session.submit(.ping, ticket: 1, now: Self.start)
        let error = RelayError(.tooFast, "slowly", retryAfterMs: 100)
        guard
            case .answered(1, .failure(error)) = try session.receive(
                Self.frame(request.requestID, .error(error)), now: Self.start)
        else { throw Unexpected() }
        _ = try session.submit(.ping, ticket: 2, now: Self.start)
    }

    @Test("an unexpected or repeated answer ends the connection")
    func unknownRequest() throws {
        var session = try Self.open()
        violation(.unknownRequest) { _ = try session.receive(Self.frame(999, .done), now: Self.start) }
        session = try Self.open()
        let request = try session.submit(.ping, ticket: 1, now: Self.start)
        _ = try session.receive(Self.frame(request.requestID, .done), now: Self.start)
        violation(.unknownRequest) { _ = try session.receive(Self.frame(request.requestID, .done), now: Self.start) }
    }

    @Test("an answer of the wrong kind ends the connection")
    func wrongAnswer() throws {
        let answers: [Reply] = [
            .done, .granted(.read), .accepted(seq: 1), .following(firstSeq: 1, lastSeq: 0),
            .keyPackage(KeyPackageBytes([1]), isLastResort: false), Self.entries(1...1),
        ]
        for (index, answer) in answers.enumerated() where index != 2 {
            var session = try Self.open()
            let request = try session.submit(
                .append(channel: Self.channel, epoch: 0, id: .random(), payload: [1]), ticket: 1, now: Self.start)
            violation(.wrongAnswer) { _ = try session.receive(Self.frame(request.requestID, answer), now: Self.start) }
        }
    }

    @Test("the first answer must be a welcome with an offered version, and no later one may be")
    func welcome() throws {
        var session = Session(timeouts: RelayTimeouts(), now: Self.start)
        var hello = session.hello(pass: nil, now: Self.start)
        violation(.misplacedWelcome) { _ = try session.receive(Self.frame(hello.requestID, .done), now: Self.start) }

        session = Session(timeouts: RelayTimeouts(), now: Self.start)
        hello = session.hello(pass: nil, now: Self.start)
        guard case .welcome(_, let id, let limits, let time) = Self.welcome else { return }
        violation(.unofferedVersion) {
            _ = try session.receive(
                Self.frame(hello.requestID, .welcome(version: 2, relayID: id, limits: limits, timeMs: time)),
                now: Self.start)
        }

        session = try Self.open()
        violation(.unknownRequest) { _ = try session.receive(Self.frame(1, Self.welcome), now: Self.start) }
    }

    @Test("a refused hello and a frame that the relay could not read turn the client away")
    func turnedAway() throws {
        let error = RelayError(.passRequired, "a pass, please")
        var session = Session(timeouts: RelayTimeouts(), now: Self.start)
        let hello = session.hello(pass: nil, now: Self.start)
        #expect(throws: RelayConnectionError.turnedAway(error)) {
            try session.receive(Self.frame(hello.requestID, .error(error)), now: Self.start)
        }
        session = try Self.open()
        #expect(throws: RelayConnectionError.turnedAway(error)) {
            try session.receive(Self.frame(0, .error(error)), now: Self.start)
        }
    }

    @Test("a follow delivers only entries without gaps")
    func follow() throws {
        var (session, _, request) = try Self.following()
        guard
            case .followed(7, .entries(let entries)) = try session.receive(
                Self.frame(request, Self.entries(5...9)), now: Self.start)
        else { throw Unexpected() }
        #expect(entries.map(\.seq) == Array(5...9))
        let wrong: [Reply] = [
            Self.entries(11...12), Self.entries(9...10), Self.entries(10...10, epoch: 1),
            Self.entries(10...10, channel: .random()), .entries(channel: Self.channel, entries: []),
            .whispered(channel: .random(), epoch: 0, payload: []),
            .whispered(channel: Self.channel, epoch: 1, payload: []),
            .epochEnded(channel: Self.channel, epoch: 1), .epochEnded(channel: .random(), epoch: 0),
        ]
        for reply in wrong {
            var copy = session
            violation(.wrongEntries) { _ = try copy.receive(Self.frame(request, reply), now: Self.start) }
        }
        guard
            case .followed(7, .epochEnded(0)) = try session.receive(
                Self.frame(request, .epochEnded(channel: Self.channel, epoch: 0)), now: Self.start)
        else { throw Unexpected() }
        violation(.unknownRequest) {
            _ = try session.receive(Self.frame(request, Self.entries(10...10)), now: Self.start)
        }
    }

    @Test("entries, an epoch's end and a refusal that cross an unfollow are dropped")
    func dropsAfterLeaving() throws {
        var (session, id, request) = try Self.following()
        let unfollow = try some(session.leave(id, now: Self.start))
        #expect(unfollow.request == .unfollow(channel: Self.channel))
        let again = session.leave(id, now: Self.start)
        #expect(again == nil)
        let crossing: [Reply] = [
            Self.entries(5...6), .whispered(channel: Self.channel, epoch: 0, payload: [1]),
            .epochEnded(channel: Self.channel, epoch: 0), .error(RelayError(.gone, "gone")),
        ]
        for reply in crossing {
            guard case .nothing = try session.receive(Self.frame(request, reply), now: Self.start) else {
                throw Unexpected()
            }
        }
        guard case .nothing = try session.receive(Self.frame(unfollow.requestID, .done), now: Self.start) else {
            throw Unexpected()
        }
        #expect(session.close().follows.isEmpty)
    }

    @Test("a channel can be followed again before its unfollow is answered, and the new follow waits for the answer")
    func leave() throws {
        var (session, id, request) = try Self.following()
        #expect(throws: RelayConnectionError.alreadyFollowing) {
            try session.follow(
                FollowID(value: 2), FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 8, now: Self.start)
        }
        let unfollow = try some(session.leave(id, now: Self.start))
        // Sent at once, it would be ended by an `unfollow` that has to be asked for again.
        let other = try session.follow(
            FollowID(value: 2), FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 8, now: Self.start)
        #expect(other == nil)
        #expect(throws: RelayConnectionError.alreadyFollowing) {
            try session.follow(
                FollowID(value: 3), FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 9, now: Self.start)
        }
        let tooFast = RelayError(.tooFast, "slowly", retryAfterMs: 100)
        guard case .nothing = try session.receive(Self.frame(request, Self.entries(5...5)), now: Self.start),
            case .send(let again) = try session.receive(
                Self.frame(unfollow.requestID, .error(tooFast)), now: Self.start),
            case .nothing = try session.receive(Self.frame(request, Self.entries(6...6)), now: Self.start),
            case .send(let follow) = try session.receive(Self.frame(again.requestID, .done), now: Self.start)
        else { throw Unexpected() }
        #expect(again.request == .unfollow(channel: Self.channel))
        #expect(follow.request == .follow(channel: Self.channel, epoch: 0, fromSeq: 1))
        guard
            case .followStarted(8, 1, 5) = try session.receive(
                Self.frame(follow.requestID, .following(firstSeq: 1, lastSeq: 5)), now: Self.start)
        else { throw Unexpected() }
        #expect(session.close().follows == [8])
    }

    @Test("a follow that waits for the end of an earlier one can be given up before it is sent")
    func leaveWhileWaiting() throws {
        var (session, id, _) = try Self.following()
        let unfollow = try some(session.leave(id, now: Self.start))
        let second = FollowID(value: 2)
        let frame = try session.follow(
            second, FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 8, now: Self.start)
        let left = session.leave(second, now: Self.start)
        #expect(frame == nil && left == nil)
        guard case .nothing = try session.receive(Self.frame(unfollow.requestID, .done), now: Self.start) else {
            throw Unexpected()
        }
        #expect(session.close().follows.isEmpty)
    }

    @Test("an idle connection is pinged; a relay that closes idle ones sooner is pinged sooner")
    func pings() throws {
        var session = try Self.open(timeouts: RelayTimeouts(pingAfter: .seconds(20)))
        let answer3 = try session.tick(now: Self.start + .seconds(19))
        #expect(answer3 == nil)
        let ping = try some(try session.tick(now: Self.start + .seconds(20)))
        #expect(ping.request == .ping)
        let answer4 = try session.tick(now: Self.start + .seconds(21))
        #expect(answer4 == nil)
        _ = try session.receive(Self.frame(ping.requestID, .done), now: Self.start + .seconds(21))

        session = try Self.open(timeouts: RelayTimeouts(pingAfter: .seconds(3_600)))
        let answer5 = try session.tick(now: Self.start + .seconds(149))
        #expect(answer5 == nil)
        let answer6 = try session.tick(now: Self.start + .seconds(150))
        #expect(answer6 != nil)
    }

    @Test("a request without an answer ends the connection; a follow without entries does not")
    func answerTimeout() throws {
        var (session, _, _) = try Self.following()
        _ = try session.submit(.ping, ticket: 1, now: Self.start)
        #expect(session.wakeTime == Self.start + .seconds(30))
        _ = try session.tick(now: Self.start + .milliseconds(29_999))
        #expect(throws: RelayConnectionError.closed(.answerTimedOut)) {
            try session.tick(now: Self.start + .seconds(30))
        }
        (session, _, _) = try Self.following()
        _ = try session.tick(now: Self.start + .seconds(30))
        #expect(session.wakeTime == Self.start + .seconds(60))
    }

    @Test("an answered request does not shorten the timeout of a later one")
    func oldestRequest() throws {
        var session = try Self.open()
        let first = try session.submit(.ping, ticket: 1, now: Self.start)
        _ = try session.submit(.ping, ticket: 2, now: Self.start + .seconds(20))
        _ = try session.receive(Self.frame(first.requestID, .done), now: Self.start + .seconds(21))
        _ = try session.tick(now: Self.start + .seconds(30))
        #expect(session.wakeTime == Self.start + .seconds(50))
        #expect(throws: RelayConnectionError.closed(.answerTimedOut)) {
            try session.tick(now: Self.start + .seconds(50))
        }
    }

    @Test("no answer is late while reading is paused, and afterwards each has the whole timeout")
    func pausedReading() throws {
        var session = try Self.open()
        _ = try session.submit(.ping, ticket: 1, now: Self.start)
        session.pauseReading()
        _ = try session.tick(now: Self.start + .seconds(1_000))
        session.resumeReading(now: Self.start + .seconds(1_001))
        _ = try session.tick(now: Self.start + .milliseconds(1_030_999))
        #expect(throws: RelayConnectionError.closed(.answerTimedOut)) {
            try session.tick(now: Self.start + .seconds(1_031))
        }
    }

    @Test("a hello without an answer counts as a relay that was not reached")
    func helloTimeout() throws {
        var session = Session(timeouts: RelayTimeouts(handshake: .seconds(7)), now: Self.start)
        _ = session.hello(pass: nil, now: Self.start)
        #expect(session.wakeTime == Self.start + .seconds(7))
        #expect(throws: RelayConnectionError.unreachable(.timedOut)) {
            try session.tick(now: Self.start + .seconds(7))
        }
    }

    @Test("requests beyond the limit of unanswered ones are refused")
    func overload() throws {
        var session = try Self.open()
        for ticket in 0..<ClientLimits.unansweredRequests {
            _ = try session.submit(.ping, ticket: ticket, now: Self.start)
        }
        #expect(throws: RelayConnectionError.overloaded) { try session.submit(.ping, ticket: 0, now: Self.start) }
        #expect(session.close().requests.count == ClientLimits.unansweredRequests)
    }
}
