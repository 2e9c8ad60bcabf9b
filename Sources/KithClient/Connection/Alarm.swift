import NIOCore
import Synchronization

/// Calls a function on an event loop at a given time. Changing the time to a later time has no effect: the call comes at the
/// earlier time. After ``cancel()``, no call comes.
final class Alarm: Sendable {
    private struct State {
        var scheduled: Scheduled<Void>?
        /// The time of the next call.
        var time: Duration?
        var isCancelled = false
    }

    /// The longest wait before the clock is read again. Event loops do not count the time during which the machine sleeps. If the
    /// time of a call passes while the machine sleeps, the call comes at most this long after the machine has woken up.
    private static let longestWait = Duration.seconds(5)

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(on loop: any EventLoop) { self.loop = loop }

    /// Schedules a call at a time of the ``SteadyClock``; does nothing if `time` is `nil`. If a call is already scheduled for an
    /// earlier time, only the earlier call happens. If a later call is still needed, the called function has to set the alarm
    /// again.
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

    /// Returns whether the call is due. If the call is not due yet, continues to wait.
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
