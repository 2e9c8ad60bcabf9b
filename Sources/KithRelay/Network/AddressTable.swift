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
    /// Places for large messages that have not come whole, of all addresses.
    let largeInputs = SharedPlaces(RelayLimits.largeInputs)

    /// Addresses kept before those that owe nothing are looked for.
    private static let fewest = 1024

    init(limits: RelayLimits) { self.limits = limits }

    /// Counts a connection in. Returns the rates of its place, or `nil` if there are too many connections or they come too
    /// fast.
    func enter(_ networks: ClientNetworks, atNanoseconds now: Int64) -> PlaceRates? {
        state.withLock { state in
            let hasRoom = networks.all.allSatisfy { state.counts[$0.name]?.opening ?? 0 < $0.most(limits) }
            guard state.total < limits.connections, hasRoom else { return nil }
            let place = networks.place
            let rates = PlaceRates(
                own: state.rates[place.address] ?? AddressRates(limits),
                site: place.site.map { state.rates[$0] ?? AddressRates(limits, times: RelayLimits.siteFactor) })
            guard rates.mayArrive(atNanoseconds: now) else { return nil }
            state.rates[place.address] = rates.own
            if let site = place.site { state.rates[site] = rates.site }
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
            for name in [networks.place.address, networks.place.site].compactMap({ $0 })
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

    /// Addresses that something is kept about.
    var count: Int { state.withLock { max($0.counts.count, $0.rates.count) } }
}

/// Limits on the connections of one address together, or of one site.
final class AddressRates: Sendable {
    /// Requests, beside the rate of each connection.
    let requests: SharedBucket
    /// New connections. An allowance of its own: one machine that asks too much does not keep its neighbours from coming.
    let arrivals: SharedBucket
    /// Places for large messages that have not come whole.
    let largeInputs: SharedPlaces

    init(_ limits: RelayLimits, times factor: Int = 1) {
        let (burst, perSecond) = (limits.addressRequestBurst * factor, limits.addressRequestsPerSecond * factor)
        requests = SharedBucket(burst: burst, perSecond: perSecond)
        arrivals = SharedBucket(
            burst: max(1, burst / RelayLimits.arrivalCost), perSecond: max(1, perSecond / RelayLimits.arrivalCost))
        largeInputs = SharedPlaces(RelayLimits.largeInputsPerAddress * factor)
    }

    func owesNothing(atNanoseconds now: Int64) -> Bool {
        requests.isFull(atNanoseconds: now) && arrivals.isFull(atNanoseconds: now)
    }
}

/// The rates that a connection's costs are charged to: its address's and its site's.
struct PlaceRates: Sendable {
    let own: AddressRates
    var site: AddressRates?

    /// Charges for requests, whether their rate allows them or not. Returns after how many nanoseconds one more may come; 0
    /// for now.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        max(
            own.requests.charge(count, atNanoseconds: now), site?.requests.charge(count, atNanoseconds: now) ?? 0)
    }

    /// Takes a place for a large message, of the address and of its site. Returns whether both had one.
    func takeLargeInput() -> Bool {
        guard own.largeInputs.take() else { return false }
        guard let site, !site.largeInputs.take() else { return true }
        own.largeInputs.giveBack()
        return false
    }

    func giveLargeInputBack() {
        own.largeInputs.giveBack()
        site?.largeInputs.giveBack()
    }

    /// Whether a new connection may come. If so, it is charged for.
    fileprivate func mayArrive(atNanoseconds now: Int64) -> Bool {
        guard own.arrivals.wait(atNanoseconds: now) == 0, site?.arrivals.wait(atNanoseconds: now) ?? 0 == 0 else {
            return false
        }
        own.arrivals.charge(1, atNanoseconds: now)
        site?.arrivals.charge(1, atNanoseconds: now)
        return true
    }
}

/// The networks that a connection comes from, for the limits on each.
struct ClientNetworks: Hashable, Sendable {
    struct Network: Hashable, Sendable {
        let name: String
        let most: @Sendable (RelayLimits) -> Int

        static func == (one: Network, other: Network) -> Bool { one.name == other.name }
        func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    /// The networks that the address is in, from the narrowest to the widest. Each has a limit of connections.
    let all: [Network]

    /// The place that costs are charged to.
    let place: Place

    init(name: String) {
        self.init(all: [Network(name: name) { $0.connectionsPerAddress }], place: Place(address: name))
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
        self.init(all: networks, place: Place(address: name(64), site: name(48)))
    }

    private init(all: [Network], place: Place) {
        self.all = all
        self.place = place
    }
}
