import NIOCore
import Synchronization

/// Inputs for a profile, from any thread: everything that was put in while the profile was at work is taken together, and
/// stored together.
final class Mailbox: Sendable {
    private struct State {
        var inputs: [MessengerInput] = []
        var isScheduled = false
        var deliver: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    /// Called on the loop when there is something to take.
    var deliver: (@Sendable () -> Void)? {
        get { state.withLock { $0.deliver } }
        set { state.withLock { $0.deliver = newValue } }
    }

    func put(_ input: MessengerInput) {
        let mustSchedule = state.withLock { state in
            state.inputs.append(input)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { loop.execute { self.deliver?() } }
    }

    func take() -> [MessengerInput] {
        state.withLock { state in
            state.isScheduled = false
            defer { state.inputs = [] }
            return state.inputs
        }
    }
}
