import KithWire
import Testing

@testable import KithCore

/// Requests out of place, and answers that no honest relay gives.
extension RelaySessionTests {
    @Test("nothing can be requested or sent before the welcome and after the close")
    func notOpen() throws {
        let timeouts = RelayTimeouts(handshake: .seconds(30), pingAfter: .seconds(20))
        var early = Session(timeouts: timeouts, now: Self.start)
        _ = early.hello(pass: nil, now: Self.start)
        var (late, id, _) = try Self.following(timeouts: timeouts)
        #expect(late.close().follows == [7])
        for session in [early, late] {
            var session = session
            #expect(throws: RelayConnectionError.closed(.here)) {
                try session.submit(.ping, ticket: 1, now: Self.start)
            }
            #expect(throws: RelayConnectionError.closed(.here)) {
                try session.follow(id, FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 1, now: Self.start)
            }
            let sent = [
                session.leave(id, now: Self.start), try session.tick(now: Self.start + .seconds(25)),
            ]
            #expect(sent == [nil, nil])
        }
    }

    @Test("a follow counts towards the limit of unanswered requests")
    func overloadByFollow() throws {
        var session = try Self.open()
        for ticket in 1..<ClientLimits.unansweredRequests {
            _ = try session.submit(.ping, ticket: ticket, now: Self.start)
        }
        let last = try session.follow(
            FollowID(value: 1), FollowTarget(Self.channel, epoch: 0, fromSeq: 1), ticket: 0, now: Self.start)
        #expect(last != nil)
        #expect(throws: RelayConnectionError.overloaded) {
            try session.follow(
                FollowID(value: 2), FollowTarget(.random(), epoch: 0, fromSeq: 1), ticket: 0, now: Self.start)
        }
    }

    @Test("a ping and an unfollow are answered only by done or a refusal")
    func wrongSignsOfLife() throws {
        var (session, id, _) = try Self.following(timeouts: RelayTimeouts(pingAfter: .seconds(20)))
        let ping = try some(try session.tick(now: Self.start + .seconds(20))).requestID
        let unfollow = try some(session.leave(id, now: Self.start)).requestID
        let refusal = Reply.error(RelayError(.unavailable, "not now"))
        for request in [ping, unfollow] {
            for answer in [Reply.done, refusal] {
                var copy = session
                guard case .nothing = try copy.receive(Self.frame(request, answer), now: Self.start) else {
                    throw Unexpected()
                }
            }
            for answer in [Reply.accepted(seq: 1), .granted(.read), Self.entries(5...5)] {
                var copy = session
                violation(.wrongAnswer) { _ = try copy.receive(Self.frame(request, answer), now: Self.start) }
            }
        }
    }

    @Test("a follow begins at or after the requested entry, and never at entry 0", arguments: [0, 1, 5])
    func beginning(fromSeq: UInt64) throws {
        var session = try Self.open()
        let id = FollowID(value: 1)
        let request = try some(
            try session.follow(id, FollowTarget(Self.channel, epoch: 0, fromSeq: fromSeq), ticket: 7, now: Self.start))
        let first = max(1, fromSeq)
        for firstSeq in [0, first - 1, first, first + 1] {
            var copy = session
            let frame = Self.frame(request.requestID, .following(firstSeq: firstSeq, lastSeq: 9))
            if firstSeq < first {
                violation(.wrongEntries) { _ = try copy.receive(frame, now: Self.start) }
            } else if case .followStarted(7, firstSeq, 9) = try copy.receive(frame, now: Self.start) {
                continue
            } else {
                throw Unexpected()
            }
        }
    }

    @Test("no entry has the highest number, because none could follow it")
    func highestSeq() throws {
        var session = try Self.open()
        let request = try some(
            try session.follow(
                FollowID(value: 1), FollowTarget(Self.channel, epoch: 0, fromSeq: .max - 1), ticket: 7, now: Self.start)
        ).requestID
        _ = try session.receive(
            Self.frame(request, .following(firstSeq: .max - 1, lastSeq: .max)), now: Self.start)
        var copy = session
        violation(.wrongEntries) {
            _ = try copy.receive(Self.frame(request, Self.entries((.max - 1)...(.max))), now: Self.start)
        }
        _ = try session.receive(Self.frame(request, Self.entries((.max - 1)...(.max - 1))), now: Self.start)
        violation(.wrongEntries) {
            _ = try session.receive(Self.frame(request, Self.entries((.max)...(.max))), now: Self.start)
        }
    }
}
