import Synchronization

/// The events that wait for one subscriber. If they exceed ``ClientLimits/unreadEvents``, the oldest event is dropped, and the
/// subscriber gets ``KithEvent/missed`` next.
final class EventBuffer: Sendable {
    private struct State {
        var events: [KithEvent] = []
        /// The index of the oldest waiting event.
        var first = 0
        var bytes = 0
        var hasMissed = false
        var isFinished = false
        var waiters: [CheckedContinuation<KithEvent?, Never>] = []

        mutating func takeFirst() -> KithEvent? {
            guard first < events.count else { return nil }
            let event = events[first]
            first += 1
            bytes -= event.bytes
            // Read events are removed only now and then, so that reading an event costs little even if many are waiting.
            if first == events.count || first > 1024 && first > events.count / 2 {
                events.removeFirst(first)
                first = 0
            }
            return event
        }
    }

    private let state = Mutex(State())

    /// The number of waiting events.
    var count: Int { state.withLock { $0.events.count - $0.first } }

    func put(_ event: KithEvent) {
        let waiter = state.withLock { state -> CheckedContinuation<KithEvent?, Never>? in
            guard !state.isFinished else { return nil }
            if !state.waiters.isEmpty { return state.waiters.removeFirst() }
            state.events.append(event)
            state.bytes += event.bytes
            while state.bytes > ClientLimits.unreadEvents {
                _ = state.takeFirst()
                state.hasMissed = true
            }
            return nil
        }
        waiter?.resume(returning: event)
    }

    /// Returns the next event, or `nil` at the end. After the end, the waiting events can still be read.
    func next() async -> KithEvent? {
        await withCheckedContinuation { continuation in
            let event = state.withLock { state -> KithEvent?? in
                if state.hasMissed {
                    state.hasMissed = false
                    return .missed
                }
                if let event = state.takeFirst() { return event }
                if state.isFinished { return .some(nil) }
                state.waiters.append(continuation)
                return nil
            }
            if let event { continuation.resume(returning: event) }
        }
    }

    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }
}

extension KithEvent {
    /// The size of the event as the buffer counts it, in bytes.
    fileprivate var bytes: Int {
        guard case .message(let message) = self, case .text(let text) = message.body else {
            return ClientLimits.eventBytes
        }
        return ClientLimits.eventBytes + text.utf8.count
    }
}
