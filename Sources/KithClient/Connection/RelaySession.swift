import KithWire
import NIOCore
import TLSCodec

/// The client's side of the relay protocol as a state machine: requests and frames in, frames and events out. No I/O.
///
/// `Ticket` is whatever the caller wants back with the answer to a request.
///
///     awaitingWelcome ──welcome──▶ open ──close──▶ closed
///
/// After a method threw, the connection has to be closed: nothing more is to be fed in but ``close()``.
package struct RelaySession<Ticket> {
    /// What a frame from the relay means. Each means one thing at most.
    package enum Event {
        case opened(RelayWelcome)
        case answered(Ticket, Result<Reply, RelayError>)
        case followStarted(FollowID, Ticket, firstSeq: UInt64, lastSeq: UInt64)
        case followed(FollowID, Ticket, FollowEvent)
        /// Nothing more comes: after the event `epochEnded`, or because the relay says so.
        case followEnded(FollowID, Ticket, RelayError?)
        /// The relay wants to hear this.
        case send(ClientFrame)
        case nothing
    }

    /// The protocol versions this client speaks, best first.
    static var versions: [UInt16] { [1] }

    private enum Phase { case awaitingWelcome, open, closed }

    private enum Pending {
        case hello(at: NIODeadline)
        case request(AnswerKind, Ticket, at: NIODeadline)
        case ping(at: NIODeadline)
        case follow(FollowID)
        /// An `unfollow` of ours.
        case unfollow(FollowID, at: NIODeadline)
    }

    private var phase = Phase.awaitingWelcome
    private var pending: [UInt32: Pending] = [:]
    /// Empty unless the phase is `open`.
    private var follows: [FollowID: Follow<Ticket>] = [:]
    private var lastRequestID: UInt32 = 0
    private var lastSent: NIODeadline
    private var pingAfter: TimeAmount
    private let answerTimeout: TimeAmount

    package init(timeouts: RelayTimeouts, now: NIODeadline) {
        lastSent = now
        pingAfter = timeouts.pingAfter
        answerTimeout = timeouts.answer
    }

    // MARK: To the relay

    /// The first frame of a connection.
    package mutating func hello(pass: RelayPass?, now: NIODeadline) -> ClientFrame {
        let id = nextRequestID()
        pending[id] = .hello(at: now)
        return ClientFrame(requestID: id, request: .hello(versions: Self.versions, relayPass: pass))
    }

    /// A request that is answered once. Follows have methods of their own.
    package mutating func submit(_ request: Request, ticket: Ticket, now: NIODeadline) throws(RelayConnectionError)
        -> ClientFrame
    {
        guard phase == .open else { throw .closed(.here) }
        guard pending.count < ClientLimits.unansweredRequests else { throw .overloaded }
        let id = nextRequestID()
        pending[id] = .request(AnswerKind(to: request), ticket, at: now)
        lastSent = now
        return ClientFrame(requestID: id, request: request)
    }

    /// Starts a follow under a number of the caller's choice that is not in use. Nothing goes out yet while an earlier follow of
    /// the channel is being ended: an `unfollow` that has to be asked for again would end this one.
    package mutating func follow(
        _ id: FollowID, channel: ChannelID, epoch: UInt64, fromSeq: UInt64, ticket: Ticket, now: NIODeadline
    ) throws(RelayConnectionError) -> ClientFrame? {
        guard phase == .open else { throw .closed(.here) }
        guard pending.count < ClientLimits.unansweredRequests else { throw .overloaded }
        // A relay takes a second follow of a channel for a change of the first, which would then starve.
        guard !follows.values.contains(where: { $0.channel == channel && !$0.isLeaving }) else {
            throw .alreadyFollowing
        }
        let isHeldUp = follows.values.contains { $0.channel == channel }
        let follow = Follow(ticket: ticket, channel: channel, epoch: epoch, fromSeq: fromSeq, phase: .waiting)
        guard isHeldUp else { return ask(id, follow, now: now) }
        follows[id] = follow
        return nil
    }

    /// Holds a follow back: the relay is asked to stop, and what still comes is dropped, to be asked for again.
    mutating func park(_ id: FollowID, now: NIODeadline) -> ClientFrame? {
        guard let follow = follows[id], case .streaming = follow.phase else { return nil }
        follows[id]?.phase = .parking(resume: false)
        return unfollow(id, channel: follow.channel, now: now)
    }

    /// Goes on with a follow that was held back, where it stopped.
    mutating func resume(_ id: FollowID, now: NIODeadline) -> ClientFrame? {
        guard let follow = follows[id] else { return nil }
        switch follow.phase {
        case .parking:
            follows[id]?.phase = .parking(resume: true)
            return nil
        case .parked:
            return ask(id, follow, now: now)
        case .waiting, .asked, .streaming, .leaving:
            return nil
        }
    }

    /// Ends a follow that nobody wants any more.
    package mutating func leave(_ id: FollowID, now: NIODeadline) -> ClientFrame? {
        guard let follow = follows[id] else { return nil }
        switch follow.phase {
        case .asked, .streaming:
            follows[id]?.phase = .leaving
            return unfollow(id, channel: follow.channel, now: now)
        case .parking:
            follows[id]?.phase = .leaving
            return nil
        case .waiting, .parked:
            follows[id] = nil
            return nil
        case .leaving:
            return nil
        }
    }

    /// To be called every second or so: a ping if it is time for one.
    ///
    /// - Throws: `closed(.answerTimedOut)` if a request has waited for its answer for too long.
    mutating func tick(now: NIODeadline) throws(RelayConnectionError) -> ClientFrame? {
        for waiting in pending.values {
            let since: NIODeadline
            switch waiting {
            case .hello(let at), .request(_, _, let at), .ping(let at), .unfollow(_, let at): since = at
            case .follow(let id):
                guard case .asked(let at, _) = follows[id]?.phase else { continue }
                since = at
            }
            if now - since > answerTimeout { throw .closed(.answerTimedOut) }
        }
        guard phase == .open, now - lastSent >= pingAfter else { return nil }
        let id = nextRequestID()
        pending[id] = .ping(at: now)
        lastSent = now
        return ClientFrame(requestID: id, request: .ping)
    }

    /// Ends everything; returns whom to tell that no answer will come, requests and follows.
    package mutating func close() -> (requests: [Ticket], follows: [Ticket]) {
        phase = .closed
        defer {
            pending = [:]
            follows = [:]
        }
        let requests = pending.values.compactMap { waiting -> Ticket? in
            if case .request(_, let ticket, _) = waiting { ticket } else { nil }
        }
        return (requests, follows.values.map(\.ticket))
    }

    // MARK: From the relay

    /// Takes one WebSocket message.
    package mutating func receive(_ message: [UInt8], now: NIODeadline) throws(RelayConnectionError) -> Event {
        let frame: RelayFrame
        do throws(TLSCodecError) {
            frame = try RelayFrame(decoding: message)
        } catch {
            throw .protocolViolation(.malformedFrame)
        }
        // Number 0: the relay could not read what it got, and closes. Ours never have it.
        if frame.requestID == 0, case .error(let error) = frame.reply { throw .turnedAway(error) }
        guard let waiting = pending[frame.requestID] else { throw .protocolViolation(.unknownRequest) }
        if phase == .awaitingWelcome {
            pending[frame.requestID] = nil
            return .opened(try welcome(frame.reply))
        }
        switch waiting {
        case .hello:
            throw .protocolViolation(.misplacedWelcome)
        case .request(let kind, let ticket, _):
            pending[frame.requestID] = nil
            if case .error(let error) = frame.reply { return .answered(ticket, .failure(error)) }
            guard kind.isAnswered(by: frame.reply) else { throw .protocolViolation(.wrongAnswer) }
            return .answered(ticket, .success(frame.reply))
        case .ping:
            pending[frame.requestID] = nil
            // A refusal (too fast, say) is as good a sign of life.
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
            // Well before the relay would take the silence for an absence. Never more than once a second, whatever it
            // asks for.
            let half = TimeAmount.milliseconds(max(1000, Int64(limits.idleSeconds) * 500))
            pingAfter = min(pingAfter, half)
            return RelayWelcome(version: version, relayID: relayID, limits: limits, timeMs: timeMs)
        case .error(let error):
            throw .turnedAway(error)
        default:
            throw .protocolViolation(.misplacedWelcome)
        }
    }

    private mutating func followed(_ id: FollowID, by frame: RelayFrame) throws(RelayConnectionError) -> Event {
        guard var follow = follows[id] else { throw .protocolViolation(.unknownRequest) }
        let dropping = follow.isDropping
        switch frame.reply {
        case .following(let firstSeq, let lastSeq):
            guard case .asked(_, let again) = follow.phase else {
                if case .leaving = follow.phase { return .nothing }
                throw .protocolViolation(.wrongAnswer)
            }
            // An epoch may begin behind the seq that was asked for; from then on nothing may be left out.
            guard firstSeq >= max(1, follow.fromSeq), follow.nextSeq == nil || follow.nextSeq == firstSeq else {
                throw .protocolViolation(.wrongEntries)
            }
            follow.nextSeq = firstSeq
            follow.phase = .streaming
            follows[id] = follow
            return again ? .nothing : .followStarted(id, follow.ticket, firstSeq: firstSeq, lastSeq: lastSeq)
        case .entries(let channel, let entries):
            if dropping { return .nothing }
            guard case .streaming = follow.phase, channel == follow.channel, var next = follow.nextSeq, !entries.isEmpty
            else { throw .protocolViolation(.wrongEntries) }
            for entry in entries {
                guard entry.seq == next, entry.epoch == follow.epoch, next < .max else {
                    throw .protocolViolation(.wrongEntries)
                }
                next += 1
            }
            follows[id]?.nextSeq = next
            return .followed(id, follow.ticket, .entries(entries))
        case .whispered(let channel, let epoch, let payload):
            if dropping { return .nothing }
            guard case .streaming = follow.phase, channel == follow.channel, epoch == follow.epoch else {
                throw .protocolViolation(.wrongEntries)
            }
            return .followed(id, follow.ticket, .whisper(payload))
        case .epochEnded(let channel, let epoch):
            guard channel == follow.channel, epoch == follow.epoch else { throw .protocolViolation(.wrongEntries) }
            // Held back: the entries before the end were dropped, so the end is asked for again with them.
            if dropping { return .nothing }
            forget(id, frame.requestID)
            return .followed(id, follow.ticket, .epochEnded(epoch))
        case .error(let error):
            // An error after `unfollow` crossed it on the way. Asked for again, the relay will repeat it.
            if dropping { return .nothing }
            forget(id, frame.requestID)
            return .followEnded(id, follow.ticket, error)
        default:
            throw .protocolViolation(.wrongAnswer)
        }
    }

    private mutating func unfollowed(
        _ id: FollowID, by frame: RelayFrame, now: NIODeadline
    ) throws(RelayConnectionError) -> Event {
        guard AnswerKind.done.isAnswered(by: frame.reply) || frame.reply.isError else {
            throw .protocolViolation(.wrongAnswer)
        }
        pending[frame.requestID] = nil
        guard let follow = follows[id] else { return .nothing }
        if case .error(let error) = frame.reply, error.code == .tooFast {
            // The follow goes on whether we like it or not, and its entries are being dropped: ask again.
            return .send(unfollow(id, channel: follow.channel, now: now))
        }
        pending[follow.requestID] = nil
        switch follow.phase {
        case .leaving:
            follows[id] = nil
            guard let (next, waiting) = follows.first(where: { $0.value.channel == follow.channel }) else {
                return .nothing
            }
            return .send(ask(next, waiting, now: now))
        case .parking(resume: false):
            follows[id]?.phase = .parked
            return .nothing
        case .parking(resume: true):
            return .send(ask(id, follow, now: now))
        case .waiting, .asked, .streaming, .parked:
            return .nothing
        }
    }

    // MARK: Inside

    private mutating func ask(_ id: FollowID, _ follow: Follow<Ticket>, now: NIODeadline) -> ClientFrame {
        let requestID = nextRequestID()
        pending[requestID] = .follow(id)
        lastSent = now
        var follow = follow
        follow.phase = .asked(at: now, again: follow.nextSeq != nil)
        follow.requestID = requestID
        follows[id] = follow
        return ClientFrame(
            requestID: requestID,
            request: .follow(channel: follow.channel, epoch: follow.epoch, fromSeq: follow.nextSeq ?? follow.fromSeq))
    }

    private mutating func unfollow(_ id: FollowID, channel: ChannelID, now: NIODeadline) -> ClientFrame {
        let requestID = nextRequestID()
        pending[requestID] = .unfollow(id, at: now)
        lastSent = now
        return ClientFrame(requestID: requestID, request: .unfollow(channel: channel))
    }

    private mutating func forget(_ id: FollowID, _ requestID: UInt32) {
        follows[id] = nil
        pending[requestID] = nil
    }

    private mutating func nextRequestID() -> UInt32 {
        repeat {
            lastRequestID &+= 1
        } while lastRequestID == 0 || pending[lastRequestID] != nil
        return lastRequestID
    }
}

/// What a relay says of itself when a connection opens.
package struct RelayWelcome: Hashable, Sendable {
    /// The protocol version that is spoken.
    package let version: UInt16
    /// 16 bytes that stay the same as long as the relay keeps its store.
    package let relayID: [UInt8]
    /// What the relay wants its clients to keep to.
    package let limits: AdvertisedLimits
    /// The relay's clock when it answered, in milliseconds since 1970.
    package let timeMs: UInt64
}
