import KithWire
import Synchronization

/// Names a connection inside the process. Random per start, so that it says nothing outside it.
typealias ConnectionNumber = UInt64

/// Something that happened on a connection, for the hub to deal with in order.
enum Intake: Sendable {
    case opened(loop: Int)
    case request(ClientFrame)
    /// A request that was refused before the hub: it passes through so that answers keep their order.
    case refused(requestID: UInt32, RelayError)
    case closed
}

struct IntakeItem: Sendable {
    let connection: ConnectionNumber
    let intake: Intake
}

/// Where event loops leave what the hub takes: one lock for each batch, and one wake-up for as long as the hub is busy.
final class HubIntake: Sendable {
    private struct State {
        var items: [IntakeItem] = []
        var isAwake = false
    }
    private let state = Mutex(State())

    /// Adds items. Returns whether the hub sleeps and has to be woken.
    func add(_ items: [IntakeItem]) -> Bool {
        state.withLock { state in
            if state.items.isEmpty { state.items = items } else { state.items.append(contentsOf: items) }
            defer { state.isAwake = true }
            return !state.isAwake
        }
    }

    /// Takes everything that has come; when that is nothing, the hub counts as asleep.
    func takeAll() -> [IntakeItem] {
        state.withLock { state in
            if state.items.isEmpty { state.isAwake = false }
            defer { state.items = [] }
            return state.items
        }
    }
}
