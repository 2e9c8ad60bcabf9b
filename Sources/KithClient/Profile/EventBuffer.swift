import DequeModule
import Synchronization

/// The events that wait for one subscriber, up to a limit. Beyond the limit, events are dropped. When the subscriber has read the
/// remaining events, the buffer reads the subjects of the dropped events from the profile.
final class EventBuffer: Sendable {
    private struct State {
        var events: Deque<KithEvent> = []
        var bytes = 0
        var dropped = DroppedEvents()
        var isFinished = false
        var waiters: Deque<CheckedContinuation<Next, Never>> = []

        mutating func append(_ event: KithEvent) {
            events.append(event)
            bytes += event.bytes
        }

        mutating func takeFirst() -> KithEvent? {
            guard let event = events.popFirst() else { return nil }
            bytes -= event.bytes
            return event
        }

        /// Drops all events whose subjects can be read again. If the remaining events fill more than half of the buffer, drops
        /// the oldest of them too.
        mutating func makeRoom(_ limit: Int) {
            let waiting = events
            (events, bytes) = ([], 0)
            for event in waiting where !dropped.note(event) { append(event) }
            while bytes > limit / 2 { _ = takeFirst() }
        }
    }

    /// The result of reading.
    enum Next {
        case event(KithEvent)
        /// Only dropped events are left. The profile has to call ``refill(_:)``.
        case dropped
        /// The stream has ended.
        case end
    }

    private let state: Mutex<State>
    private let limit: Int

    /// Creates a buffer.
    ///
    /// - Parameters:
    ///   - first: subjects that are read from the profile before the first new event.
    ///   - limit: the maximum size of the waiting events, in bytes. The size of an event is the size of its text plus
    ///     ``ClientLimits/eventBytes``.
    init(reading first: DroppedEvents = DroppedEvents(), limit: Int = ClientLimits.unreadEvents) {
        var state = State()
        state.dropped = first
        self.state = Mutex(state)
        self.limit = limit
    }

    /// The number of waiting events.
    var count: Int { state.withLock { $0.events.count } }

    func put(_ event: KithEvent) {
        let waiter = state.withLock { state -> CheckedContinuation<Next, Never>? in
            guard !state.isFinished, !state.dropped.absorb(event) else { return nil }
            if let waiter = state.waiters.popFirst() { return waiter }
            state.append(event)
            if state.bytes > limit { state.makeRoom(limit) }
            return nil
        }
        waiter?.resume(returning: .event(event))
    }

    /// Returns the next event. If no event is available, waits for an event. After the end of the stream, returns the waiting
    /// events first.
    func next() async -> Next {
        await withCheckedContinuation { continuation in
            let next = state.withLock { state -> Next? in
                if let event = state.takeFirst() { return .event(event) }
                if !state.dropped.isEmpty { return .dropped }
                if state.isFinished { return .end }
                state.waiters.append(continuation)
                return nil
            }
            if let next { continuation.resume(returning: next) }
        }
    }

    /// Adds events that were read again. If undelivered events are still waiting, does nothing. The caller must ensure that no
    /// other event is added during this call.
    ///
    /// - Parameter read: removes subjects from the dropped events, and returns events about these subjects.
    func refill(_ read: (inout DroppedEvents) throws(KithError) -> [KithEvent]) throws(KithError) {
        var dropped = state.withLock { $0.events.isEmpty ? $0.dropped : DroppedEvents() }
        guard !dropped.isEmpty else { return }
        let events = try read(&dropped)
        state.withLock { state in
            state.dropped = dropped
            for event in events { state.append(event) }
        }
    }

    /// Ends the stream. The waiting events can still be read.
    ///
    /// - Parameter isBroken: `true` if the profile cannot be read any more, so that the subjects of dropped events are lost.
    func finish(isBroken: Bool = false) {
        let waiters = state.withLock { state in
            state.isFinished = true
            if isBroken { state.dropped = DroppedEvents() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: .end) }
    }
}

extension KithEvent {
    /// The size of the event in bytes, for the limit of the buffer.
    fileprivate var bytes: Int {
        let message: Message
        switch self {
        case .message(let new): message = new
        case .messageChanged(let changed, _): message = changed
        default: return ClientLimits.eventBytes
        }
        switch message.body {
        case .text(let text): return ClientLimits.eventBytes + text.utf8.count
        case .files(let files):
            return ClientLimits.eventBytes + files.caption.utf8.count
                + files.files.reduce(0) { $0 + $1.name.utf8.count + ClientLimits.fileBytesInEvent }
        case .notice, .needsNewerKith, .deleted: return ClientLimits.eventBytes
        }
    }
}
