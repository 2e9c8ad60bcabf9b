import KithSupport
import KithWire
import MLS

/// The connection of a profile to one relay, as a state machine. The machine reconnects with growing random pauses until it is
/// stopped. The machine sends requests no faster than the relay's rate limit allows. It converts the relay's frames to inputs of
/// the profile.
///
///     waiting ──time──▶ connecting ──didConnect──▶ greeting ──welcome──▶ open
///        ▲                  │                         │                    │
///        └──────────────────┴────── didClose ─────────┴────────────────────┘        any ──stop──▶ stopped
///
/// The caller transports the bytes, passes the time of a clock that cannot be set, and performs the actions in order.
package struct LinkMachine {
    /// An action for the caller.
    package enum Action: Sendable {
        /// Connect. The caller then calls ``didConnect(now:)`` or ``didClose(_:now:)``.
        case connect
        case send(ClientFrame)
        /// Close the connection, or end the attempt to connect. Anything that still arrives is dropped.
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

    /// The error for a second follow of a channel. A ``ProfileMachine`` never begins a second follow of a channel.
    package static let alreadyFollowing = RelayError(.unavailable, "the channel is followed already")

    private let id: RelayID
    private let pass: RelayPass?
    private let timeouts: RelayTimeouts
    private let random: RandomSource
    private var backoff = Backoff.reconnecting
    private var idle = Idle.connecting
    /// The connection; `nil` if there is none. While a connection exists, `idle` is not used. The connection is a separate
    /// optional, because a value in a case of an enumeration cannot be changed without a copy.
    private var open: OpenLink?

    /// - Parameter id: the relay's number in the inputs of the profile.
    package init(
        _ id: RelayID, pass: RelayPass?, timeouts: RelayTimeouts = RelayTimeouts(), random: RandomSource = .system
    ) {
        self.id = id
        self.pass = pass
        self.timeouts = timeouts
        self.random = random
    }

    // MARK: The connection

    /// Whether the caller is still performing ``Action/connect``.
    package var isConnecting: Bool { if open == nil, case .connecting = idle { true } else { false } }

    /// Begins to connect.
    package mutating func start() -> [Action] {
        idle = .connecting
        return [.report(.connecting), .connect]
    }

    /// Called when the WebSocket connection has been made.
    package mutating func didConnect(now: Duration) -> [Action] {
        guard isConnecting else { return [] }
        var session = RelaySession<Ticket>(timeouts: timeouts, now: now)
        let hello = session.hello(pass: pass, now: now)
        open = OpenLink(id: id, session: session)
        return [.send(hello)]
    }

    /// Called when the connection has ended or could not be made. The next attempt follows after a pause.
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

    /// Ends the connection for good. After the returned actions, the machine returns no further actions.
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

    /// The time at which ``timePassed(now:)`` has to be called; `nil` for never.
    package var wakeTime: Duration? {
        if let open { return open.wakeTime }
        if case .waiting(let until) = idle { return until }
        return nil
    }

    /// Does the work that is due: an attempt to connect, a ping, or requests that waited for the rate limit.
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

    /// Notes that the caller has stopped reading from the connection. Until ``resumeReading(now:)``, no answer counts as late.
    package mutating func pauseReading() { open?.session.pauseReading() }

    /// Notes that the caller reads from the connection again.
    package mutating func resumeReading(now: Duration) { open?.session.resumeReading(now: now) }

    // MARK: From the relay

    /// Processes one WebSocket message.
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

    /// Makes a request. If the connection is not open, drops the request.
    package mutating func request(_ request: Request, tag: UInt64, now: Duration) -> [Action] {
        open?.ask(.request(request), Ticket(tag: tag), now: now) ?? []
    }

    /// Follows an epoch of a channel. If the connection is not open, does nothing.
    package mutating func follow(_ place: FollowTarget, tag: UInt64, now: Duration) -> [Action] {
        open?.ask(.follow(place), Ticket(tag: tag), now: now) ?? []
    }

    /// Ends a follow. The machine delivers no further events of the follow.
    package mutating func unfollow(_ tag: UInt64, now: Duration) -> [Action] {
        open?.unfollow(Ticket(tag: tag), now: now) ?? []
    }

    /// The number that the profile has given a request or follow.
    struct Ticket: Hashable, Sendable {
        let tag: UInt64
        var follow: FollowID { FollowID(value: tag) }
    }
}

/// The state of a link, for the user.
package enum LinkReport: Hashable, Sendable {
    case connecting, connected
    /// The relay could not be reached. The next attempt follows after the pause.
    case unreachable(RelayConnectionError, pause: Duration)
    /// The relay refuses the connection, and will probably refuse further attempts.
    case refused(RelayConnectionError)
    /// Several connections in succession have ended after a short time. The next attempt follows after the pause.
    case ended(pause: Duration)
}
