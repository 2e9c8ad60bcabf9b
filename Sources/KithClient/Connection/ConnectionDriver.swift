import KithWire
import NIOCore
import Synchronization

/// The function that receives the answer to a request.
typealias RequestTicket = @Sendable (Result<Reply, RelayConnectionError>) -> Void

/// Runs the ``RelaySession`` of a ``RelayConnection``. Callers may make requests from any thread. The driver passes the callers'
/// requests and the relay's messages to the session.
final class ConnectionDriver: RelayWireUser {
    private enum Ticket {
        case request(RequestTicket)
        case follow(FollowQueue)
    }

    private struct State {
        var session: RelaySession<Ticket>
        var lastFollow: UInt64 = 0
        /// The reason for the end of the connection; `nil` while the connection exists.
        var end: RelayConnectionError?
    }

    let unread = UnreadBytes()
    let wire: RelayWire
    private let pass: RelayPass?
    private let opened: EventLoopPromise<RelayWelcome>
    private let state: Mutex<State>
    private let alarm: Alarm

    init(wire: RelayWire, pass: RelayPass?, timeouts: RelayTimeouts, opened: EventLoopPromise<RelayWelcome>) {
        self.wire = wire
        alarm = Alarm(on: wire.loop)
        self.pass = pass
        self.opened = opened
        state = Mutex(State(session: RelaySession(timeouts: timeouts, now: SteadyClock.now)))
    }

    // MARK: To the relay

    func submit(_ request: Request, _ completion: @escaping RequestTicket) {
        do throws(RelayConnectionError) {
            try update { session, now throws(RelayConnectionError) in
                try session.submit(request, ticket: .request(completion), now: now)
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// Starts a follow. If the follow cannot start, the queue ends with the error.
    func follow(_ place: FollowTarget, _ queue: FollowQueue) -> FollowID {
        let id = state.withLock { state in
            state.lastFollow += 1
            return FollowID(value: state.lastFollow)
        }
        do throws(RelayConnectionError) {
            try update { session, now throws(RelayConnectionError) in
                try session.follow(id, place, ticket: .follow(queue), now: now)
            }
        } catch {
            queue.finish(error)
        }
        return id
    }

    func leave(_ id: FollowID) {
        // The error is ignored: if the connection is over, its follows have ended too.
        try? update { session, now in session.leave(id, now: now) }
    }

    /// Changes the session. If the change results in a frame, sends that frame.
    private func update(
        _ body: (inout RelaySession<Ticket>, Duration) throws(RelayConnectionError) -> ClientFrame?
    ) throws(RelayConnectionError) {
        try state.withLock { state throws(RelayConnectionError) in
            if let end = state.end { throw end }
            if let frame = try body(&state.session, SteadyClock.now) { wire.send(frame) }
            setAlarm(&state)
        }
    }

    private func setAlarm(_ state: inout State) {
        alarm.set(at: state.session.wakeTime) { [weak self] in self?.tick() }
    }

    private func tick() {
        do throws(RelayConnectionError) {
            try update { session, now throws(RelayConnectionError) in try session.tick(now: now) }
        } catch {
            close(error)
        }
    }

    // MARK: From the relay

    func didConnect(_ wire: RelayWire) {
        try? update { [pass] session, now in session.hello(pass: pass, now: now) }
    }

    func didReceive(_ message: [UInt8], on wire: RelayWire) {
        do throws(RelayConnectionError) {
            let event = try state.withLock { state throws(RelayConnectionError) in
                if let end = state.end { throw end }
                defer { setAlarm(&state) }
                return try state.session.receive(message, now: SteadyClock.now)
            }
            take(event, bytes: message.count + ClientLimits.unreadOverhead)
        } catch {
            close(error)
        }
    }

    private func take(_ event: RelaySession<Ticket>.Event, bytes: Int) {
        switch event {
        case .opened(let welcome):
            opened.succeed(welcome)
        case .answered(.request(let completion), let result):
            completion(result.mapError { .refused($0) })
        case .followStarted(.follow(let queue), let firstSeq, let lastSeq):
            queue.begin(FollowBounds(firstSeq: firstSeq, lastSeq: lastSeq))
        case .followed(.follow(let queue), let event):
            queue.put(event, bytes: bytes)
            if case .epochEnded = event { queue.finish(nil) }
        case .followEnded(.follow(let queue), let error):
            queue.finish(.refused(error))
        case .send(let frame):
            wire.send(frame)
        // These cases cannot occur, because a ticket is returned only for the request with which it was passed in.
        case .answered(.follow, _), .followStarted(.request, _, _), .followed(.request, _), .followEnded(.request, _):
            break
        case .nothing:
            break
        }
    }

    func didSetReading(_ isReading: Bool, of wire: RelayWire) {
        try? update { session, now in
            if isReading { session.resumeReading(now: now) } else { session.pauseReading() }
            return nil
        }
    }

    // MARK: The end

    func didClose(_ wire: RelayWire, _ error: RelayConnectionError) { close(error) }

    /// Closes the connection. All unanswered requests and all follows end with the error.
    func close(_ error: RelayConnectionError) {
        let tickets = state.withLock { state -> (requests: [Ticket], follows: [Ticket])? in
            guard state.end == nil else { return nil }
            state.end = error
            return state.session.close()
        }
        guard let tickets else { return }
        alarm.cancel()
        wire.close(error)
        opened.fail(error)
        for case .request(let completion) in tickets.requests { completion(.failure(error)) }
        for case .follow(let queue) in tickets.follows { queue.finish(error) }
    }
}
