import DequeModule
import KithSupport
import KithWire

/// An open connection of a ``LinkMachine``: the session, and the requests that wait for the relay's rate limit.
struct OpenLink {
    /// A request or a follow that has to be sent.
    enum Asked {
        case request(Request)
        case follow(FollowTarget)
    }

    private let id: RelayID
    var session: RelaySession<LinkMachine.Ticket>
    /// The time at which the relay's `welcome` arrived, and the relay's rate limit; `nil` before `welcome`. No request is sent
    /// before `welcome`.
    private(set) var welcome: (since: Duration, pace: TokenBucket)?
    /// Requests and follows that wait for the rate limit, the oldest first. The queue has at most
    /// ``ClientLimits/unansweredRequests`` elements.
    private var queue: Deque<(asked: Asked, ticket: LinkMachine.Ticket)> = []
    /// The time at which the rate limit allows the next queued request; `nil` if the queue is empty.
    private var sendAt: Duration?

    init(id: RelayID, session: RelaySession<LinkMachine.Ticket>) {
        self.id = id
        self.session = session
    }

    mutating func didOpen(_ welcome: RelayWelcome, now: Duration) {
        self.welcome = (now, TokenBucket(below: welcome.limits))
    }

    /// The time at which the session's tick or ``sendQueued(now:)`` has to be called; `nil` for never.
    var wakeTime: Duration? {
        switch (session.wakeTime, sendAt) {
        case (let one?, let other?): min(one, other)
        case (let one, let other): one ?? other
        }
    }

    mutating func ask(_ asked: Asked, _ ticket: LinkMachine.Ticket, now: Duration) -> [LinkMachine.Action] {
        guard welcome != nil else { return [] }
        guard queue.count < ClientLimits.unansweredRequests else { return [refusal(of: asked, ticket, Self.busy)] }
        queue.append((asked, ticket))
        return sendQueued(now: now)
    }

    /// Sends the queued requests that the rate limit allows.
    mutating func sendQueued(now: Duration) -> [LinkMachine.Action] {
        var actions: [LinkMachine.Action] = []
        sendAt = nil
        while !queue.isEmpty {
            sendAt = welcome?.pace.take(at: now)
            guard sendAt == nil, let (asked, ticket) = queue.popFirst() else { break }
            if let action = send(asked, ticket, now: now) { actions.append(action) }
        }
        return actions
    }

    private mutating func send(_ asked: Asked, _ ticket: LinkMachine.Ticket, now: Duration) -> LinkMachine.Action? {
        do throws(RelayConnectionError) {
            switch asked {
            case .request(let request): return .send(try session.submit(request, ticket: ticket, now: now))
            case .follow(let place):
                return try session.follow(ticket.follow, place, ticket: ticket, now: now).map { .send($0) }
            }
        } catch {
            return refusal(of: asked, ticket, error == .alreadyFollowing ? LinkMachine.alreadyFollowing : Self.busy)
        }
    }

    mutating func unfollow(_ ticket: LinkMachine.Ticket, now: Duration) -> [LinkMachine.Action] {
        queue.removeAll { queued in
            if case .follow = queued.asked { queued.ticket == ticket } else { false }
        }
        if queue.isEmpty { sendAt = nil }
        return session.leave(ticket.follow, now: now).map { [.send($0)] } ?? []
    }

    private static let busy = RelayError(.unavailable, "the connection is busy")

    private func refusal(of asked: Asked, _ ticket: LinkMachine.Ticket, _ error: RelayError) -> LinkMachine.Action {
        switch asked {
        case .request: .deliver(.answered(id, tag: ticket.tag, .failure(error)))
        case .follow: .deliver(.followRefused(id, tag: ticket.tag, error))
        }
    }
}
