import KithSupport
import KithWire
import MLS

/// The connection of a profile to one relay as a state machine. It reconnects with growing, jittered pauses until it is
/// stopped, keeps the requests below the relay's rate limit, and says in the messenger's terms what the relay sends.
///
///     waiting ──time──▶ connecting ──didConnect──▶ greeting ──welcome──▶ open
///        ▲                  │                         │                    │
///        └──────────────────┴────── didClose ─────────┴────────────────────┘        any ──stop──▶ stopped
///
/// The caller carries the bytes, passes the time of any clock that can't be set, and carries out the actions in order.
package struct LinkMachine {
    /// A step for the caller.
    package enum Action: Sendable {
        /// Connect. Answered by ``didConnect(now:)`` or ``didClose(_:now:)``.
        case connect
        case send(ClientFrame)
        /// Give up the connection, or the attempt to connect. Anything that still arrives is dropped.
        case disconnect(RelayConnectionError)
        case deliver(ProfileInput)
        case report(LinkReport)
    }

    /// The state of a link without a connection.
    private enum Idle {
        case waiting(until: Duration)
        case connecting
        case stopped
    }

    /// The refusal of a follow while an earlier follow of the same channel is open. The messenger never opens two.
    package static let alreadyFollowing = RelayError(.unavailable, "the channel is followed already")

    private let id: RelayID
    private let pass: RelayPass?
    private let timeouts: RelayTimeouts
    private let random: RandomSource
    private var backoff = Backoff.reconnecting
    private var idle = Idle.connecting
    /// The connection, if there is one; `idle` has no meaning then. It is an optional because only an optional's payload can be
    /// changed in place.
    private var open: OpenLink?

    /// - Parameter id: the relay's number in the inputs.
    package init(
        _ id: RelayID, pass: RelayPass?, timeouts: RelayTimeouts = RelayTimeouts(), random: RandomSource = .system
    ) {
        self.id = id
        self.pass = pass
        self.timeouts = timeouts
        self.random = random
    }

    // MARK: The connection

    /// Whether the caller is to answer ``Action/connect``.
    package var isConnecting: Bool { if open == nil, case .connecting = idle { true } else { false } }

    /// Begins to connect.
    package mutating func start() -> [Action] {
        idle = .connecting
        return [.report(.connecting), .connect]
    }

    /// The WebSocket connection is up.
    package mutating func didConnect(now: Duration) -> [Action] {
        guard isConnecting else { return [] }
        var session = RelaySession<Ticket>(timeouts: timeouts, now: now)
        let hello = session.hello(pass: pass, now: now)
        open = OpenLink(id: id, session: session)
        return [.send(hello)]
    }

    /// The connection ended, or could not be made. The next attempt follows after a pause.
    package mutating func didClose(_ error: RelayConnectionError, now: Duration) -> [Action] {
        guard open != nil || isConnecting else { return [] }
        let since = open?.welcome?.since
        open = nil
        if let since { backoff.connectionEnded(after: now - since) }
        let isSteady = backoff.isShortest
        let pause = pause()
        idle = .waiting(until: now + pause)
        guard since == nil else {
            return [.deliver(.disconnected(id))] + (isSteady ? [] : [.report(.ended(pause: pause))])
        }
        return [.report(error.isLasting ? .refused(error) : .unreachable(error, pause: pause))]
    }

    /// Ends the connection for good. No action follows those that are returned.
    package mutating func stop() -> [Action] {
        defer { (open, idle) = (nil, .stopped) }
        if open?.welcome != nil { return [.deliver(.disconnected(id)), .disconnect(.closed(.here))] }
        return open != nil || isConnecting ? [.disconnect(.closed(.here))] : []
    }

    private mutating func pause() -> Duration {
        var jitter = SourceGenerator(source: random)
        return .milliseconds(backoff.nextMs(using: &jitter))
    }

    // MARK: Time

    /// The time at which ``timePassed(now:)`` has something to do.
    package var wakeTime: Duration? {
        if let open { return open.wakeTime }
        if case .waiting(let until) = idle { return until }
        return nil
    }

    /// Does the work that has become due: the next attempt to connect, a ping, requests that waited for the rate limit.
    package mutating func timePassed(now: Duration) -> [Action] {
        guard open != nil else {
            guard case .waiting(let until) = idle, now >= until else { return [] }
            return start()
        }
        do throws(RelayConnectionError) {
            let ping = try open?.session.tick(now: now) ?? nil
            return (ping.map { [.send($0)] } ?? []) + (open?.sendQueued(now: now) ?? [])
        } catch {
            return fail(error, now: now)
        }
    }

    /// Takes note that nothing is read from the connection for now. No answer is late until ``resumeReading(now:)``.
    package mutating func pauseReading() { open?.session.pauseReading() }

    /// Takes note that the connection is read again.
    package mutating func resumeReading(now: Duration) { open?.session.resumeReading(now: now) }

    // MARK: From the relay

    /// Takes one WebSocket message.
    package mutating func receive(_ message: [UInt8], now: Duration) -> [Action] {
        do throws(RelayConnectionError) {
            guard let event = try open?.session.receive(message, now: now) else { return [] }
            return take(event, now: now)
        } catch {
            return fail(error, now: now)
        }
    }

    private mutating func take(_ event: RelaySession<Ticket>.Event, now: Duration) -> [Action] {
        switch event {
        case .opened(let welcome):
            open?.didOpen(welcome, now: now)
            return [
                .deliver(.connected(id, limits: welcome.limits, timeMs: welcome.timeMs)), .report(.connected),
            ]
        case .answered(let ticket, let result):
            return [.deliver(.answered(id, tag: ticket.tag, result))]
        case .followStarted(let ticket, let firstSeq, let lastSeq):
            return [.deliver(.followStarted(id, tag: ticket.tag, firstSeq: firstSeq, lastSeq: lastSeq))]
        case .followed(let ticket, let event):
            return [.deliver(.followed(id, tag: ticket.tag, event))]
        case .followEnded(let ticket, let error):
            return [.deliver(.followRefused(id, tag: ticket.tag, error))]
        case .send(let frame):
            return [.send(frame)]
        case .nothing:
            return []
        }
    }

    private mutating func fail(_ error: RelayConnectionError, now: Duration) -> [Action] {
        [.disconnect(error)] + didClose(error, now: now)
    }

    // MARK: To the relay

    /// Makes a request. Dropped unless the connection is open.
    package mutating func request(_ request: Request, tag: UInt64, now: Duration) -> [Action] {
        open?.ask(.request(request), Ticket(tag: tag), now: now) ?? []
    }

    /// Follows an epoch of a channel. Dropped unless the connection is open.
    package mutating func follow(_ place: FollowTarget, tag: UInt64, now: Duration) -> [Action] {
        open?.ask(.follow(place), Ticket(tag: tag), now: now) ?? []
    }

    /// Ends a follow. Nothing more of it is delivered.
    package mutating func unfollow(_ tag: UInt64, now: Duration) -> [Action] {
        open?.unfollow(Ticket(tag: tag), now: now) ?? []
    }

    /// The messenger's number of a request or follow.
    struct Ticket: Hashable, Sendable {
        let tag: UInt64
        var follow: FollowID { FollowID(value: tag) }
    }
}

/// The state of a link, for users.
package enum LinkReport: Hashable, Sendable {
    case connecting, connected
    /// The relay was not reached. The next attempt follows after the pause.
    case unreachable(RelayConnectionError, pause: Duration)
    /// The relay refuses the connection, and is likely to go on refusing it.
    case refused(RelayConnectionError)
    /// The connection ended after a short time, and not for the first time. The next attempt follows after the pause.
    case ended(pause: Duration)
}
