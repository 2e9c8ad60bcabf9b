import NIOCore
import Synchronization

/// How many connections each address has: kept in memory only, and only while they are open.
final class AddressTable: Sendable {
    private struct State {
        var total = 0
        var byAddress: [String: Int] = [:]
    }
    private let state = Mutex(State())
    private let perAddress: Int
    private let inAll: Int

    init(perAddress: Int, inAll: Int) {
        self.perAddress = perAddress
        self.inAll = inAll
    }

    /// Counts a connection in, or returns `false` if there are too many.
    func enter(_ address: String) -> Bool {
        state.withLock { state in
            guard state.total < inAll, state.byAddress[address, default: 0] < perAddress else { return false }
            state.total += 1
            state.byAddress[address, default: 0] += 1
            return true
        }
    }

    /// Counts a connection out again.
    func leave(_ address: String) {
        state.withLock { state in
            guard let count = state.byAddress[address] else { return }
            state.total -= 1
            state.byAddress[address] = count > 1 ? count - 1 : nil
        }
    }
}
