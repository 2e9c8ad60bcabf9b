import KithWire
import TLSCodec

/// The client's side of the relay protocol, as a state machine. It receives requests and frames, and returns frames and events.
///
/// The caller passes a `Ticket` with each request. The answer to the request contains the same ticket. All times are from one
/// clock that the caller chooses. The clock must be one that cannot be set.
///
///     awaitingWelcome ──welcome──▶ open ──close──▶ closed
///
/// If a method throws an error, the caller must close the connection and call ``close()``, and may call no other method.
package struct RelaySession<Ticket> {
    /// The meaning of a frame from the relay.
    package enum Event {
        case opened(RelayWelcome)
        case answered(Ticket, Result<Reply, RelayError>)
        case followStarted(Ticket, firstSeq: UInt64, lastSeq: UInt64)
        /// An event of a follow. After `epochEnded`, the follow has ended.
        case followed(Ticket, FollowEvent)
        /// The relay has refused or ended a follow.
        case followEnded(Ticket, RelayError)
        /// The caller has to send this frame to the relay.
        case send(ClientFrame)
        case nothing
    }

    /// The protocol versions that this client supports, the best first.
    static var versions: [UInt16] { [1] }

    private enum Phase { case awaitingWelcome, open, closed }

    private var phase = Phase.awaitingWelcome
    private var unanswered = UnansweredRequests<Ticket>()
    /// The follows. Empty unless the phase is `open`.
    private var follows: [FollowID: FollowState<Ticket>] = [:]
    private var lastSent: Duration
    /// The time of the oldest unanswered request, or an earlier time. If it is `nil`, every request has been answered.
    private var unansweredSince: Duration?
    /// The time at which the caller began to read answers; `nil` while reading is paused.
    private var readingSince: Duration?
    private var pingAfter: Duration
    private let timeouts: RelayTimeouts

    package init(timeouts: RelayTimeouts, now: Duration) {
        lastSent = now
        readingSince = now
        pingAfter = timeouts.pingAfter
        self.timeouts = timeouts
    }

    // MARK: To the relay

    /// Returns the first frame of a connection.
    package mutating func hello(pass: RelayPass?, now: Duration) -> ClientFrame {
        ask(.hello(versions: Self.versions, relayPass: pass), .hello(at: now), now: now)
    }

    /// Makes a request that has one answer. For follows, use the methods for follows.
    ///
    /// - Throws: `overloaded` if ``ClientLimits/unansweredRequests`` requests have no answer, `closed` if the session is not
    ///   open. After an error, nothing has changed.
    package mutating func submit(_ request: Request, ticket: Ticket, now: Duration) throws(RelayConnectionError)
        -> ClientFrame
    {
        try checkRoom()
        return ask(request, .request(AnswerKind(to: request), ticket, at: now), now: now)
    }

    /// Begins a follow with an unused number. If an earlier follow of the channel is still ending, returns `nil`, and the session
    /// requests the new follow after the earlier follow has ended. An immediate request would be too early: a repeated `unfollow`
    /// could end the new follow.
    ///
    /// - Throws: the errors of ``submit(_:ticket:now:)``, and `alreadyFollowing`.
    package mutating func follow(
        _ id: FollowID, _ place: FollowTarget, ticket: Ticket, now: Duration
    ) throws(RelayConnectionError) -> ClientFrame? {
        try checkRoom()
        let sameChannel = follows.values.filter { $0.channel == place.channel }
        // The relay would treat a second follow of a channel as a change of the first, and the first would get no more entries.
        guard sameChannel.allSatisfy(\.isLeaving) else { throw .alreadyFollowing }
        follows[id] = FollowState(ticket: ticket, place: place, phase: .waiting)
        return sameChannel.isEmpty ? ask(id, now: now) : nil
    }

    /// Ends a follow. Returns the request that has to be sent for this; `nil` if there is none.
    package mutating func leave(_ id: FollowID, now: Duration) -> ClientFrame? {
        guard let follow = follows[id] else { return nil }
        switch follow.phase {
        case .asked, .streaming:
            follows[id]?.phase = .leaving
            return unfollow(id, now: now)
        case .waiting:
            follows[id] = nil
            return nil
        case .leaving:
            return nil
        }
    }

    // MARK: Time

    /// The time at which ``tick(now:)`` has to be called; `nil` for never.
    package var wakeTime: Duration? {
        let ping = phase == .open ? lastSent + pingAfter : nil
        guard let unansweredSince, let readingSince else { return ping }
        let timeout = max(unansweredSince, readingSince) + answerTimeout
        return ping.map { min($0, timeout) } ?? timeout
    }

    /// Returns a ping if one is due; otherwise `nil`.
    ///
    /// - Throws: `closed(.answerTimedOut)` if a request has waited too long for its answer. If `hello` has waited too long, the
    ///   error is `unreachable(.timedOut)`.
    package mutating func tick(now: Duration) throws(RelayConnectionError) -> ClientFrame? {
        if let readingSince, let since = unansweredSince, now - max(since, readingSince) >= answerTimeout {
            unansweredSince = unanswered.oldest { id in
                if case .asked(let at) = follows[id]?.phase { at } else { nil }
            }
            if let oldest = unansweredSince, now - max(oldest, readingSince) >= answerTimeout {
                throw phase == .awaitingWelcome ? .unreachable(.timedOut) : .closed(.answerTimedOut)
            }
        }
        guard phase == .open, now - lastSent >= pingAfter else { return nil }
        return ask(.ping, .ping(at: now), now: now)
    }

    /// Notes that the caller has stopped reading from the connection. Until ``resumeReading(now:)``, no answer counts as late.
    package mutating func pauseReading() { readingSince = nil }

    /// Notes that the caller reads from the connection again. The timeouts of all unanswered requests begin anew.
    package mutating func resumeReading(now: Duration) { readingSince = now }

    private var answerTimeout: Duration { phase == .awaitingWelcome ? timeouts.handshake : timeouts.answer }

    /// Ends the session. Returns the tickets of unanswered requests and of follows.
    package mutating func close() -> (requests: [Ticket], follows: [Ticket]) {
        phase = .closed
        unansweredSince = nil
        defer {
            unanswered.removeAll()
            follows = [:]
        }
        return (unanswered.tickets, follows.values.map(\.ticket))
    }

    // MARK: From the relay

    /// Handles one WebSocket message.
    package mutating func receive(_ message: [UInt8], now: Duration) throws(RelayConnectionError) -> Event {
        let frame: RelayFrame
        do throws(TLSCodecError) {
            frame = try RelayFrame(decoding: message)
        } catch {
            throw .protocolViolation(.malformedFrame)
        }
        // The number 0 means that the relay could not read a frame and closes the connection. This client gives no request the
        // number 0.
        if frame.requestID == 0, case .error(let error) = frame.reply { throw .turnedAway(error) }
        guard let purpose = unanswered[frame.requestID] else { throw .protocolViolation(.unknownRequest) }
        if phase == .awaitingWelcome {
            unanswered.remove(frame.requestID)
            return .opened(try welcome(frame.reply))
        }
        switch purpose {
        case .hello:
            throw .protocolViolation(.misplacedWelcome)
        case .request(let kind, let ticket, _):
            unanswered.remove(frame.requestID)
            if case .error(let error) = frame.reply { return .answered(ticket, .failure(error)) }
            guard kind.isAnswered(by: frame.reply) else { throw .protocolViolation(.wrongAnswer) }
            return .answered(ticket, .success(frame.reply))
        case .ping:
            unanswered.remove(frame.requestID)
            // A refusal, such as "too fast", also shows that the relay is alive.
            guard AnswerKind.done.isAnswered(by: frame.reply) || frame.reply.isError else {
                throw .protocolViolation(.wrongAnswer)
            }
            return .nothing
        case .unfollow(let id, _):
            return try unfollowed(id, by: frame, now: now)
        case .follow(let id):
            return try followed(id, by: frame)
        }
    }

    private mutating func welcome(_ reply: Reply) throws(RelayConnectionError) -> RelayWelcome {
        switch reply {
        case .welcome(let version, let relayID, let limits, let timeMs):
            guard Self.versions.contains(version) else { throw .protocolViolation(.unofferedVersion) }
            phase = .open
            unansweredSince = nil
            // The ping is sent well before the relay closes the idle connection. But it is sent at most once a second, even if
            // the relay demands more.
            let half = Duration.milliseconds(max(1000, Int64(limits.idleSeconds) * 500))
            pingAfter = min(pingAfter, half)
            return RelayWelcome(version: version, relayID: relayID, limits: limits, timeMs: timeMs)
        case .error(let error):
            throw .turnedAway(error)
        default:
            throw .protocolViolation(.misplacedWelcome)
        }
    }

    private mutating func followed(_ id: FollowID, by frame: RelayFrame) throws(RelayConnectionError) -> Event {
        guard let follow = follows[id] else { throw .protocolViolation(.unknownRequest) }
        switch frame.reply {
        case .following(let firstSeq, let lastSeq):
            if follow.isLeaving { return .nothing }
            guard case .asked = follow.phase else { throw .protocolViolation(.wrongAnswer) }
            // An epoch may begin after the requested seq. But after the first entry, no entry may be missing.
            guard firstSeq >= max(1, follow.place.fromSeq) else { throw .protocolViolation(.wrongEntries) }
            follows[id]?.phase = .streaming(nextSeq: firstSeq)
            return .followStarted(follow.ticket, firstSeq: firstSeq, lastSeq: lastSeq)
        case .entries(let channel, let entries):
            if follow.isLeaving { return .nothing }
            guard case .streaming(var next) = follow.phase, channel == follow.channel, !entries.isEmpty else {
                throw .protocolViolation(.wrongEntries)
            }
            for entry in entries {
                guard entry.seq == next, entry.epoch == follow.place.epoch, next < .max else {
                    throw .protocolViolation(.wrongEntries)
                }
                next += 1
            }
            follows[id]?.phase = .streaming(nextSeq: next)
            return .followed(follow.ticket, .entries(entries))
        case .whispered(let channel, let epoch, let payload):
            if follow.isLeaving { return .nothing }
            guard case .streaming = follow.phase, channel == follow.channel, epoch == follow.place.epoch else {
                throw .protocolViolation(.wrongEntries)
            }
            return .followed(follow.ticket, .whisper(payload))
        case .epochEnded(let channel, let epoch):
            guard channel == follow.channel, epoch == follow.place.epoch else {
                throw .protocolViolation(.wrongEntries)
            }
            // The frame was sent before the relay had read the `unfollow`. The answer to the `unfollow` ends the follow.
            if follow.isLeaving { return .nothing }
            forget(id, frame.requestID)
            return .followed(follow.ticket, .epochEnded(epoch))
        case .error(let error):
            // The frame was sent before the relay had read the `unfollow`. The answer to the `unfollow` ends the follow.
            if follow.isLeaving { return .nothing }
            forget(id, frame.requestID)
            return .followEnded(follow.ticket, error)
        default:
            throw .protocolViolation(.wrongAnswer)
        }
    }

    private mutating func unfollowed(
        _ id: FollowID, by frame: RelayFrame, now: Duration
    ) throws(RelayConnectionError) -> Event {
        guard AnswerKind.done.isAnswered(by: frame.reply) || frame.reply.isError else {
            throw .protocolViolation(.wrongAnswer)
        }
        unanswered.remove(frame.requestID)
        guard let follow = follows[id] else { return .nothing }
        if case .error(let error) = frame.reply, error.code == .tooFast {
            // The relay continues to send entries, which are dropped here. So the `unfollow` is repeated.
            return unfollow(id, now: now).map(Event.send) ?? .nothing
        }
        forget(id, follow.requestID)
        guard let next = follows.first(where: { $0.value.channel == follow.channel })?.key else { return .nothing }
        return ask(next, now: now).map(Event.send) ?? .nothing
    }

    // MARK: Inside

    private func checkRoom() throws(RelayConnectionError) {
        guard phase == .open else { throw .closed(.here) }
        guard unanswered.count < ClientLimits.unansweredRequests else { throw .overloaded }
    }

    private mutating func ask(_ request: Request, _ purpose: UnansweredRequests<Ticket>.Purpose, now: Duration)
        -> ClientFrame
    {
        let requestID = unanswered.add(purpose)
        lastSent = now
        if unansweredSince == nil { unansweredSince = now }
        return ClientFrame(requestID: requestID, request: request)
    }

    private mutating func ask(_ id: FollowID, now: Duration) -> ClientFrame? {
        guard let place = follows[id]?.place else { return nil }
        let frame = ask(
            .follow(channel: place.channel, epoch: place.epoch, fromSeq: place.fromSeq), .follow(id), now: now)
        follows[id]?.phase = .asked(at: now)
        follows[id]?.requestID = frame.requestID
        return frame
    }

    private mutating func unfollow(_ id: FollowID, now: Duration) -> ClientFrame? {
        guard let channel = follows[id]?.channel else { return nil }
        return ask(.unfollow(channel: channel), .unfollow(id, at: now), now: now)
    }

    private mutating func forget(_ id: FollowID, _ requestID: UInt32) {
        follows[id] = nil
        unanswered.remove(requestID)
    }
}
