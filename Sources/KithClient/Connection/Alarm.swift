import NIOCore
import Synchronization

/// Calls a function on an event loop, at a time that may change. A call may come too early. None comes after ``cancel()``.
final class Alarm: Sendable {
    private struct State {
        var scheduled: Scheduled<Void>?
        /// The time of the next call.
        var time: Duration?
        var isCancelled = false
    }

    /// The longest wait before another look at the clock: event loops do not count the time for which the machine sleeps.
    private static let longestWait = Duration.seconds(5)

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(on loop: any EventLoop) { self.loop = loop }

    /// Schedules a call at a time of the ``SteadyClock``. A call that is scheduled for an earlier time stays; it sets the alarm
    /// anew.
    func set(at time: Duration?, _ call: @escaping @Sendable () -> Void) {
        guard let time else { return }
        state.withLock { state in
            guard !state.isCancelled, state.time.map({ time < $0 }) ?? true else { return }
            state.time = time
            wait(&state, call)
        }
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.scheduled?.cancel()
        }
    }

    private func wait(_ state: inout State, _ call: @escaping @Sendable () -> Void) {
        guard let time = state.time else { return }
        state.scheduled?.cancel()
        let delay = min(max(time - SteadyClock.now, .zero), Self.longestWait)
        state.scheduled = loop.scheduleTask(in: TimeAmount(delay)) { [weak self] in
            if self?.isDue(call) == true { call() }
        }
    }

    /// Whether the call is due. If not, waits on.
    private func isDue(_ call: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard !state.isCancelled, let time = state.time else { return false }
            guard SteadyClock.now >= time else {
                wait(&state, call)
                return false
            }
            state.time = nil
            return true
        }
    }
}
