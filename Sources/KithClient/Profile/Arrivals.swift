import Synchronization

/// Counts arrivals for the readers of cursors, and wakes the readers that wait. It holds no messages: a reader looks into the
/// store.
final class Arrivals: Sendable {
    private struct State {
        var count: UInt64 = 0
        var isOver = false
        var lastWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [:] }
            return Array(waiters.values)
        }
    }

    private let state = Mutex(State())

    /// The number of arrivals so far.
    var count: UInt64 { state.withLock { $0.count } }

    /// Notes an arrival.
    func add() {
        let waiters = state.withLock { state in
            state.count += 1
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Ends all waiting. No arrivals follow.
    func finish() {
        let waiters = state.withLock { state in
            state.isOver = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when there are more arrivals than these, after ``finish()``, or when the task is cancelled.
    func wait(after seen: UInt64) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.count == seen, !state.isOver, !Task.isCancelled else { return false }
                    state.waiters[number] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}
