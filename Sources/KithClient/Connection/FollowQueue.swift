import KithWire
import NIOCore
import Synchronization

/// The unread events of one follow. The connection's ``UnreadBytes`` include the bytes of the queued events.
final class FollowQueue: Sendable {
    fileprivate struct Counted: Sendable {
        let event: FollowEvent
        let bytes: Int
    }

    private struct State {
        var bytes = 0
        /// Whether the reader no longer exists.
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let unread: UnreadBytes
    private let start: EventLoopPromise<FollowBounds>
    private let events: AsyncThrowingStream<Counted, any Error>
    private let input: AsyncThrowingStream<Counted, any Error>.Continuation

    init(unread: UnreadBytes, start: EventLoopPromise<FollowBounds>) {
        self.unread = unread
        self.start = start
        (events, input) = AsyncThrowingStream.makeStream()
        input.onTermination = { [weak self] end in
            if case .cancelled = end { self?.abandon() }
        }
    }

    // MARK: The connection's side

    func begin(_ start: FollowBounds) { self.start.succeed(start) }

    func put(_ event: FollowEvent, bytes: Int) {
        let isWanted = state.withLock { state in
            guard !state.isAbandoned else { return false }
            state.bytes += bytes
            unread.add(bytes)
            return true
        }
        if isWanted { input.yield(Counted(event: event, bytes: bytes)) }
    }

    /// Ends the queue. The reader can still read the waiting events.
    func finish(_ error: RelayConnectionError?) {
        // If the promise is already completed, this has no effect.
        start.fail(error ?? .closed(.here))
        input.finish(throwing: error)
    }

    // MARK: The reader's side

    func makeIterator() -> Iterator { Iterator(queue: self, events: events.makeAsyncIterator()) }

    /// Drops all waiting events, and all events that arrive later.
    func abandon() {
        let dropped = state.withLock { state in
            defer { state = State(bytes: 0, isAbandoned: true) }
            return state.bytes
        }
        unread.remove(dropped)
    }

    private func didTake(_ bytes: Int) {
        let freed = state.withLock { state in
            guard !state.isAbandoned else { return 0 }
            state.bytes -= bytes
            return bytes
        }
        unread.remove(freed)
    }

    struct Iterator {
        let queue: FollowQueue
        fileprivate var events: AsyncThrowingStream<Counted, any Error>.Iterator

        /// Returns the next event. Returns `nil` at the end, or after the task was cancelled.
        mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RelayConnectionError) -> FollowEvent? {
            do {
                guard let counted = try await events.next(isolation: actor) else { return nil }
                queue.didTake(counted.bytes)
                return counted.event
            } catch {
                throw error as? RelayConnectionError ?? .closed(.lost)
            }
        }
    }
}
