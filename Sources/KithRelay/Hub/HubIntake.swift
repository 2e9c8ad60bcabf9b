import KithWire
import NIOCore
import Synchronization

/// Names a connection inside the process. Random per start, so that it says nothing outside it.
typealias ConnectionNumber = UInt64

/// Something that happened on a connection, for the hub to deal with in order.
enum Intake: Sendable {
    /// `place`: the place that its requests are charged to; `rates`: that place's.
    case opened(loop: Int, place: Place, rates: PlaceRates? = nil)
    /// Any request but `register`.
    case request(ClientFrame)
    /// A `register`. The event loop has verified the signature: it is the dearest thing that a frame can ask for, and the
    /// hub has one thread. `nil`: it is not signed for its name.
    case registration(requestID: UInt32, NameRecord?)
    /// A request that was refused before the hub: it passes through so that answers keep their order.
    case refused(requestID: UInt32, RelayError)
    case closed

    /// The number under which it is answered, if it is.
    var requestID: UInt32? {
        switch self {
        case .request(let frame): frame.requestID
        case .registration(let requestID, _), .refused(let requestID, _): requestID
        case .opened, .closed: nil
        }
    }
}

struct IntakeItem: Sendable {
    let connection: ConnectionNumber
    let intake: Intake
    /// Its cost to a round, in appends.
    var cost = 1
}

/// The queue from the event loops to the hub: one lock for each batch, and one wake-up for as long as the hub is busy.
final class HubIntake: Sendable {
    /// The requests that one read of a connection brought.
    struct Batch: Sendable {
        let place: Place
        let items: [IntakeItem]
        let cost: Int
    }

    private struct State {
        var batches: [Batch] = []
        var isAwake = false
    }
    private let state = Mutex(State())
    /// Whether there are any items, for who looks without the lock.
    private let hasItems = Atomic(false)

    /// Adds items that came from one address. Returns whether the hub sleeps and has to be woken.
    func add(_ items: [IntakeItem], from place: Place) -> Bool {
        let batch = Batch(place: place, items: items, cost: items.reduce(0) { $0 + $1.cost })
        return state.withLock { state in
            state.batches.append(batch)
            hasItems.store(true, ordering: .relaxed)
            defer { state.isAwake = true }
            return !state.isAwake
        }
    }

    /// Takes everything that has come.
    func takeAll() -> [Batch] {
        state.withLock { state in
            hasItems.store(false, ordering: .relaxed)
            defer { state.batches = [] }
            return state.batches
        }
    }

    /// Waits for something to come, and does not give the processor away meanwhile.
    func wait(until end: NIODeadline) {
        while !hasItems.load(ordering: .relaxed), NIODeadline.now() < end {}
    }

    /// Whether nothing has come since ``takeAll()``; then the hub counts as asleep.
    func sleepIfEmpty() -> Bool {
        state.withLock { state in
            if state.batches.isEmpty { state.isAwake = false }
            return state.batches.isEmpty
        }
    }
}
