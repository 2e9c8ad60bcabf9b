import Synchronization

/// Counts arriving messages, and wakes the readers that wait for a message. The messages themselves are in the store, and the
/// readers read them there.
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

    /// Counts an arrival and wakes all waiting readers.
    func add() {
        let waiters = state.withLock { state in
            state.count += 1
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Wakes all waiting readers for good. Later arrivals are not counted.
    func finish() {
        let waiters = state.withLock { state in
            state.isOver = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the count exceeds `seen`, after ``finish()``, or when the task is cancelled.
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
