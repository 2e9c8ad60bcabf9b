import KithWire
import NIOCore
import Synchronization

/// What a follow has brought and its consumer has not taken yet.
///
/// Bounded: past ``ClientLimits/followBacklog`` the follow is held back, and asked for again once the consumer has taken
/// everything. So a consumer that is slow, or waits for the answer to a request in the middle of its loop, costs a bounded
/// amount of memory and never keeps anything else on the connection waiting.
final class FollowBuffer: Sendable {
    /// What to do after an event was put in.
    enum Verdict { case goOn, holdBack }

    private enum End {
        case done
        case failed(RelayConnectionError)
    }

    private struct State {
        var events = CircularBuffer<(event: FollowEvent, bytes: Int)>()
        var bytes = 0
        var isHeldBack = false
        var end: End?
        var waiters:
            [(id: UInt64, continuation: CheckedContinuation<Result<FollowEvent?, RelayConnectionError>, Never>)] = []
        var cancelled: Set<UInt64> = []
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())
    private let backlog: Backlog
    private let start: EventLoopPromise<FollowStart>

    init(backlog: Backlog, start: EventLoopPromise<FollowStart>) {
        self.backlog = backlog
        self.start = start
    }

    // MARK: The event loop's side

    func begin(_ where: FollowStart) { start.succeed(`where`) }

    func put(_ event: FollowEvent, bytes: Int) -> Verdict {
        let waiter = state.withLock {
            state -> CheckedContinuation<Result<FollowEvent?, RelayConnectionError>, Never>? in
            if !state.waiters.isEmpty { return state.waiters.removeFirst().continuation }
            state.events.append((event, bytes))
            state.bytes += bytes
            return nil
        }
        if let waiter {
            waiter.resume(returning: .success(event))
            return .goOn
        }
        let all = backlog.add(bytes)
        return state.withLock { state in
            guard state.bytes > 0, state.bytes >= ClientLimits.followBacklog || all >= ClientLimits.connectionBacklog
            else { return .goOn }
            state.isHeldBack = true
            return .holdBack
        }
    }

    /// Nothing more comes; what is in here can still be taken.
    func end(_ error: RelayConnectionError?) {
        // Only the first completion of a promise counts.
        start.fail(error ?? .closed(.here))
        let waiters = state.withLock { state in
            if state.end == nil { state.end = error.map(End.failed) ?? .done }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: error.map { .failure($0) } ?? .success(nil)) }
    }

    // MARK: The consumer's side

    /// The next event; `nil` at the end, or when the task was cancelled. `resume` is called when a follow that was held
    /// back should go on.
    func next(resume: () -> Void) async throws(RelayConnectionError) -> FollowEvent? {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(id, continuation, resume: resume)
            }
        } onCancel: {
            cancel(id)
        }
        // A cancellation that came after the result.
        if Task.isCancelled { state.withLock { _ = $0.cancelled.remove(id) } }
        return try result.get()
    }

    private func wait(
        _ id: UInt64, _ continuation: CheckedContinuation<Result<FollowEvent?, RelayConnectionError>, Never>,
        resume: () -> Void
    ) {
        var freed = 0
        var goOn = false
        let result = state.withLock { state -> Result<FollowEvent?, RelayConnectionError>? in
            if state.cancelled.remove(id) != nil { return .success(nil) }
            if let (event, bytes) = state.events.popFirst() {
                state.bytes -= bytes
                freed = bytes
                if state.events.isEmpty {
                    goOn = state.isHeldBack
                    state.isHeldBack = false
                }
                return .success(event)
            }
            switch state.end {
            case .done: return .success(nil)
            case .failed(let error): return .failure(error)
            case nil:
                state.waiters.append((id, continuation))
                return nil
            }
        }
        if freed > 0 { backlog.remove(freed) }
        if goOn { resume() }
        if let result { continuation.resume(returning: result) }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock {
            state -> CheckedContinuation<Result<FollowEvent?, RelayConnectionError>, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                // Not waiting yet, or not any more. Only the first matters, and a number is never used again.
                state.cancelled.insert(id)
                return nil
            }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: .success(nil))
    }

    /// Gives back what nobody will take.
    func abandon() {
        let freed = state.withLock { state in
            defer {
                state.events = CircularBuffer()
                state.bytes = 0
            }
            return state.bytes
        }
        if freed > 0 { backlog.remove(freed) }
    }
}

/// The bytes that wait for consumers on one connection, over all its follows.
final class Backlog: Sendable {
    private let bytes = Atomic<Int>(0)

    var current: Int { bytes.load(ordering: .relaxed) }

    /// Returns the sum after it.
    func add(_ count: Int) -> Int { bytes.add(count, ordering: .relaxed).newValue }
    func remove(_ count: Int) { bytes.subtract(count, ordering: .relaxed) }
}
