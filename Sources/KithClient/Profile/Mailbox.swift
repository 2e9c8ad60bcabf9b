import KithWire
import NIOCore
import Synchronization

/// Inputs for a profile, from any thread. Inputs that arrive while the profile is at work are taken together, and stored in one
/// transaction.
///
/// The messages of relays are bounded: see ``unread``. Other inputs are commands, whose callers wait for the answer.
final class Mailbox: Sendable {
    private struct State {
        var inputs: [ProfileInput] = []
        var bytes = 0
        var isScheduled = false
        var isClosed = false
        var deliver: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    /// The bytes of the inputs that came from relays. Connections read only while there is room.
    let unread = UnreadBytes()

    init(loop: any EventLoop) { self.loop = loop }

    /// Called on the loop when there is something to take.
    var deliver: (@Sendable () -> Void)? {
        get { state.withLock { $0.deliver } }
        set { state.withLock { $0.deliver = newValue } }
    }

    /// The number of waiting inputs.
    var count: Int { state.withLock { $0.inputs.count } }

    /// Puts an input in.
    ///
    /// - Parameter bytes: the size of the relay's message that brought the input; 0 if none did.
    func put(_ input: ProfileInput, bytes: Int = 0) {
        let mustSchedule = state.withLock { state in
            guard !state.isClosed else { return false }
            state.inputs.append(input)
            state.bytes += bytes
            // Before the input can be taken, so that the count is never below zero.
            if bytes > 0 { unread.add(bytes) }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { loop.execute { self.deliver?() } }
    }

    /// Takes all inputs out.
    func take() -> [ProfileInput] {
        let (inputs, bytes) = state.withLock { state in
            state.isScheduled = false
            defer { (state.inputs, state.bytes) = ([], 0) }
            return (state.inputs, state.bytes)
        }
        if bytes > 0 { unread.remove(bytes) }
        return inputs
    }

    /// Drops the waiting inputs, and all later ones.
    func close() {
        state.withLock { $0.isClosed = true }
        _ = take()
    }
}
