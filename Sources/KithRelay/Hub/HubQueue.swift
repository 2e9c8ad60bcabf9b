import KithWire
import NIOCore
import Synchronization

/// The queue from the event loops to the hub. Adding a batch takes the lock once. Only a sleeping hub is woken.
final class HubQueue: Sendable {
    /// The events from one read of a connection.
    struct Batch: Sendable {
        let source: ClientSource
        let items: [HubEvent]
        let cost: Int
    }

    private struct State {
        var batches: [Batch] = []
        var isAwake = false
    }
    private let state = Mutex(State())
    /// Whether the queue has events. This value can be read without the lock.
    private let hasItems = Atomic(false)

    /// Adds events of one source. Returns whether the hub sleeps and has to be woken.
    func add(_ items: [HubEvent], from source: ClientSource) -> Bool {
        let batch = Batch(source: source, items: items, cost: items.reduce(0) { $0 + $1.cost })
        return state.withLock { state in
            state.batches.append(batch)
            hasItems.store(true, ordering: .relaxed)
            defer { state.isAwake = true }
            return !state.isAwake
        }
    }

    /// Removes and returns all batches.
    func takeAll() -> [Batch] {
        state.withLock { state in
            hasItems.store(false, ordering: .relaxed)
            defer { state.batches = [] }
            return state.batches
        }
    }

    /// Spins until an event arrives or `end` is reached.
    func spin(until end: NIODeadline) {
        while !hasItems.load(ordering: .relaxed), NIODeadline.now() < end {}
    }

    /// Marks the hub as sleeping if the queue is empty. Returns whether the queue is empty.
    func sleepIfEmpty() -> Bool {
        state.withLock { state in
            if state.batches.isEmpty { state.isAwake = false }
            return state.batches.isEmpty
        }
    }
}
