import NIOCore
import Synchronization

/// Counts the connections of each address, and holds the rates that they share. In memory only: an address is forgotten
/// when it has no connection and owes nothing.
final class AddressTable: Sendable {
    private struct Count {
        /// Connections that have not become a WebSocket: handshakes, and plain HTTP.
        var opening = 0
        var open = 0
    }
    private struct State {
        var total = 0
        var counts: [String: Count] = [:]
        var rates: [String: AddressRates] = [:]
        var sweepAt = AddressTable.fewest
    }
    private let state = Mutex(State())
    private let limits: RelayLimits

    /// Addresses kept before those that owe nothing are looked for.
    private static let fewest = 1024

    init(limits: RelayLimits) { self.limits = limits }

    /// Counts a connection in. Returns the rates of its address, or `nil` if there are too many connections or they come
    /// too fast.
    func enter(_ networks: ClientNetworks, atNanoseconds now: Int64) -> AddressRates? {
        state.withLock { state in
            let hasRoom = networks.all.allSatisfy { state.counts[$0.name]?.opening ?? 0 < $0.most(limits) }
            guard state.total < limits.connections, hasRoom else { return nil }
            let rates = state.rates[networks.place] ?? AddressRates(limits)
            guard rates.arrivals.wait(atNanoseconds: now) == 0 else { return nil }
            rates.arrivals.charge(1, atNanoseconds: now)
            state.rates[networks.place] = rates
            state.total += 1
            for network in networks.all { state.counts[network.name, default: Count()].opening += 1 }
            return rates
        }
    }

    /// The connection becomes a WebSocket. Returns `false` if its address has too many; then it stays as it was.
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

    /// Counts a connection out.
    func leave(_ networks: ClientNetworks, wasOpen: Bool, atNanoseconds now: Int64) {
        state.withLock { state in
            state.total -= 1
            for network in networks.all {
                guard var count = state.counts[network.name] else { continue }
                if wasOpen { count.open -= 1 } else { count.opening -= 1 }
                state.counts[network.name] = count.open + count.opening > 0 ? count : nil
            }
            // A debt outlives the connection: connecting again must not pay it.
            guard state.counts[networks.place] == nil else { return }
            if state.rates[networks.place]?.owesNothing(atNanoseconds: now) == true {
                state.rates[networks.place] = nil
            } else if state.rates.count > state.sweepAt {
                let counts = state.counts
                state.rates = state.rates.filter { counts[$0.key] != nil || !$0.value.owesNothing(atNanoseconds: now) }
                state.sweepAt = max(2 * state.rates.count, AddressTable.fewest)
            }
        }
    }

    /// Addresses that something is kept about.
    var count: Int { state.withLock { max($0.counts.count, $0.rates.count) } }
}

/// Limits on the connections of one address together.
final class AddressRates: Sendable {
    /// Requests, beside the rate of each connection.
    let requests: SharedBucket
    /// New connections. An allowance of its own: one machine that asks too much does not keep its neighbours from coming.
    let arrivals: SharedBucket

    init(_ limits: RelayLimits) {
        requests = SharedBucket(burst: limits.addressRequestBurst, perSecond: limits.addressRequestsPerSecond)
        arrivals = SharedBucket(
            burst: max(1, limits.addressRequestBurst / RelayLimits.arrivalCost),
            perSecond: max(1, limits.addressRequestsPerSecond / RelayLimits.arrivalCost))
    }

    func owesNothing(atNanoseconds now: Int64) -> Bool {
        requests.isFull(atNanoseconds: now) && arrivals.isFull(atNanoseconds: now)
    }
}

/// Where a connection comes from, as far as limits care.
struct ClientNetworks: Hashable, Sendable {
    struct Network: Hashable, Sendable {
        let name: String
        let most: @Sendable (RelayLimits) -> Int

        static func == (one: Network, other: Network) -> Bool { one.name == other.name }
        func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    /// The networks that the address is in, from the narrowest to the widest. Each has a limit of connections.
    let all: [Network]

    /// The place that requests are charged to: an IPv4 address, or an IPv6 network of 48 bits. A site has one of 48 to 56 bits
    /// (RFC 6177), and anybody can have a tunnel with one of 48; a narrower one would be 256 places for one machine.
    let place: String

    init(name: String) {
        self.init(all: [Network(name: name) { $0.connectionsPerAddress }], place: name)
    }

    init(_ address: SocketAddress?) {
        guard let address, case .v6(let socket) = address else {
            self.init(name: address?.ipAddress ?? "")
            return
        }
        let bytes = withUnsafeBytes(of: socket.address.sin6_addr) { Array($0) }
        func name(_ bits: Int) -> String {
            "net\(bits) " + bytes[..<(bits / 8)].map { "\($0)" }.joined(separator: ".")
        }
        // IPv4 through a socket of both (RFC 4291 §2.5.5.2).
        if bytes[..<10].allSatisfy({ $0 == 0 }) && bytes[10] == 0xff && bytes[11] == 0xff {
            self.init(name: bytes[12...].map { "\($0)" }.joined(separator: "."))
            return
        }
        let networks = [
            Network(name: name(64)) { $0.connectionsPerAddress },
            Network(name: name(56)) { $0.connectionsPerIPv6Net56 },
            Network(name: name(48)) { $0.connectionsPerIPv6Net48 },
        ]
        self.init(all: networks, place: name(48))
    }

    private init(all: [Network], place: String) {
        self.all = all
        self.place = place
    }
}
