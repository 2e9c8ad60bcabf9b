import KithWire
import NIOCore
import Synchronization

/// The inputs of a profile, from any thread. Inputs that arrive while the profile is busy are processed together and stored in
/// one transaction.
///
/// The total size of the waiting messages from relays is limited (see ``unread``). The remaining inputs are commands, whose
/// callers wait for an answer, and requests of other processes, which the profile processes as soon as they are added.
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
    /// Counts the bytes of the inputs from relays. Connections read only while the count is below the limit.
    let unread = UnreadBytes()

    init(loop: any EventLoop) { self.loop = loop }

    /// Called on the event loop when inputs are waiting.
    var deliver: (@Sendable () -> Void)? {
        get { state.withLock { $0.deliver } }
        set { state.withLock { $0.deliver = newValue } }
    }

    /// The number of waiting inputs.
    var count: Int { state.withLock { $0.inputs.count } }

    /// Adds an input.
    ///
    /// - Parameter bytes: the size of the relay's message that contained the input; 0 for an input from elsewhere.
    func put(_ input: ProfileInput, bytes: Int = 0) {
        let mustSchedule = state.withLock { state in
            guard !state.isClosed else { return false }
            state.inputs.append(input)
            state.bytes += bytes
            // The bytes are added before the input can be taken, so that the count is never below zero.
            if bytes > 0 { unread.add(bytes) }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { loop.execute { self.deliver?() } }
    }

    /// Removes and returns all inputs.
    func take() -> [ProfileInput] {
        let (inputs, bytes) = state.withLock { state in
            state.isScheduled = false
            defer { (state.inputs, state.bytes) = ([], 0) }
            return (state.inputs, state.bytes)
        }
        if bytes > 0 { unread.remove(bytes) }
        return inputs
    }

    /// Drops all waiting inputs, and all inputs that arrive later.
    func close() {
        state.withLock { $0.isClosed = true }
        _ = take()
    }
}
