import NIOCore
import Synchronization

/// Inputs for a profile, from any thread: everything that was put in while the profile was at work is taken together, and
/// stored together.
///
/// What relays send without having been asked for each piece is bounded: whoever puts it in waits while there is more than
/// ``ClientLimits/mailbox`` of it. The rest are answers and commands, of which there are as many as were made here.
final class Mailbox: Sendable {
    private struct State {
        var inputs: [MessengerInput] = []
        /// What follows brought, in bytes of payload.
        var bytes = 0
        var isScheduled = false
        var isClosed = false
        var deliver: (@Sendable () -> Void)?
        /// Those who wait until it is emptied.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    /// Called on the loop when there is something to take.
    var deliver: (@Sendable () -> Void)? {
        get { state.withLock { $0.deliver } }
        set { state.withLock { $0.deliver = newValue } }
    }

    /// How many inputs wait.
    var count: Int { state.withLock { $0.inputs.count } }

    func put(_ input: MessengerInput) { add(input, bytes: 0) }

    /// Puts an input in, and returns when there is room for the next.
    func putWaiting(_ input: MessengerInput, bytes: Int) async {
        add(input, bytes: bytes)
        await withCheckedContinuation { continuation in
            let isFull = state.withLock { state in
                guard state.bytes >= ClientLimits.mailbox, !state.isClosed else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !isFull { continuation.resume() }
        }
    }

    private func add(_ input: MessengerInput, bytes: Int) {
        let mustSchedule = state.withLock { state in
            guard !state.isClosed else { return false }
            state.inputs.append(input)
            state.bytes += bytes
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { loop.execute { self.deliver?() } }
    }

    func take() -> [MessengerInput] {
        let (inputs, waiters) = state.withLock { state in
            state.isScheduled = false
            state.bytes = 0
            defer {
                state.inputs = []
                state.waiters = []
            }
            return (state.inputs, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return inputs
    }

    /// Nothing is taken any more: what is in here is dropped, and so is what comes.
    func close() {
        state.withLock { $0.isClosed = true }
        _ = take()
    }
}
