import Synchronization

/// The number of connections of each address, and the rates that these connections share. The table exists in memory only. Only
/// an address without a connection and without a debt may be removed.
final class AddressTable: Sendable {
    private struct ConnectionCount {
        /// Connections that are not a WebSocket yet: handshakes and plain HTTP.
        var opening = 0
        var open = 0
    }
    private struct State {
        var total = 0
        var counts: [String: ConnectionCount] = [:]
        var rates: [String: AddressRates] = [:]
        var sweepAt = AddressTable.fewest
    }
    private let state = Mutex(State())
    private let limits: RelayLimits
    /// Slots for large incomplete messages, shared by all addresses.
    let largeInputs = SlotPool(RelayLimits.largeInputs)

    /// While the table has at most this number of addresses, it is not searched for addresses that have neither a connection
    /// nor a debt.
    private static let fewest = 1024

    init(limits: RelayLimits) { self.limits = limits }

    /// Counts a new connection, and returns the rates of its source. If there are too many connections, or if new connections
    /// come too fast, counts nothing and returns `nil`. Then the caller must refuse the connection.
    func enter(_ networks: ClientNetworks, atNanoseconds now: Int64) -> SourceRates? {
        state.withLock { state in
            let hasRoom = networks.all.allSatisfy { state.counts[$0.name]?.opening ?? 0 < $0.most(limits) }
            guard state.total < limits.connections, hasRoom else { return nil }
            let source = networks.source
            let rates = SourceRates(
                own: state.rates[source.address] ?? AddressRates(limits),
                site: source.site.map { state.rates[$0] ?? AddressRates(limits, times: RelayLimits.siteFactor) })
            guard rates.mayArrive(atNanoseconds: now) else { return nil }
            state.rates[source.address] = rates.own
            if let site = source.site { state.rates[site] = rates.site }
            state.total += 1
            for network in networks.all { state.counts[network.name, default: ConnectionCount()].opening += 1 }
            return rates
        }
    }

    /// Counts a connection that becomes a WebSocket. If a network of the connection already has the maximum number of WebSockets,
    /// returns `false` and changes nothing.
    func open(_ networks: ClientNetworks) -> Bool {
        state.withLock { state in
            guard networks.all.allSatisfy({ state.counts[$0.name]?.open ?? 0 < $0.most(limits) }) else { return false }
            for network in networks.all {
                state.counts[network.name]?.opening -= 1
                state.counts[network.name]?.open += 1
            }
            return true
        }
    }

    /// Notes that a connection has ended.
    func leave(_ networks: ClientNetworks, wasOpen: Bool, atNanoseconds now: Int64) {
        state.withLock { state in
            state.total -= 1
            for network in networks.all {
                guard var count = state.counts[network.name] else { continue }
                if wasOpen { count.open -= 1 } else { count.opening -= 1 }
                state.counts[network.name] = count.open + count.opening > 0 ? count : nil
            }
            // A debt remains after the connections have closed, so that a new connection does not cancel it.
            for name in [networks.source.address, networks.source.site].compactMap({ $0 })
            where state.counts[name] == nil && state.rates[name]?.owesNothing(atNanoseconds: now) == true {
                state.rates[name] = nil
            }
            if state.rates.count > state.sweepAt {
                let counts = state.counts
                state.rates = state.rates.filter { counts[$0.key] != nil || !$0.value.owesNothing(atNanoseconds: now) }
                state.sweepAt = max(2 * state.rates.count, AddressTable.fewest)
            }
        }
    }

    /// Number of addresses in the table.
    var count: Int { state.withLock { max($0.counts.count, $0.rates.count) } }
}
