import NIOCore

/// Queues events by their source, and chooses the events of each round.
///
/// If all events fit into one round, or if only one source has events, the round takes all events. If several sources have more
/// events than fit into one round, the round serves the networks by deficit round robin. A network is an IPv4 address or an IPv6
/// /48 network. Every network gets an equal share of each round, measured by cost. A network with one request waits for at most
/// two short rounds, however many requests are queued. Within a network, the round serves the addresses by deficit round robin.
struct FairQueue {
    private var networks: [String: NetworkQueue] = [:]
    /// The networks with events, in the order of service.
    private var rotation = CircularBuffer<String>()

    var isEmpty: Bool { rotation.isEmpty }

    /// Takes the events of the next round.
    ///
    /// - Parameters:
    ///   - resumed: requests that waited for the store, to be decided before newer requests of the same connection.
    ///   - batches: the batches that arrived since the last round.
    ///   - source: the source of a connection; `nil` if the connection is gone.
    mutating func round(
        resumed: [HubEvent], batches: [HubQueue.Batch], source: (ConnectionNumber) -> ClientSource?
    ) -> [HubEvent] {
        if rotation.isEmpty {
            let cost = batches.reduce(resumed.reduce(0) { $0 + $1.cost }) { $0 + $1.cost }
            if cost <= RelayLimits.roundCost || isOneSource(resumed, batches, source) {
                return batches.reduce(into: resumed) { $0.append(contentsOf: $1.items) }
            }
        }
        for item in resumed.reversed() {
            guard let source = source(item.connection) else { continue }
            change(source) { $0.prepend(item) }
        }
        for batch in batches { change(batch.source) { $0.append(contentsOf: batch.items) } }
        return next()
    }

    private func isOneSource(
        _ resumed: [HubEvent], _ batches: [HubQueue.Batch], _ source: (ConnectionNumber) -> ClientSource?
    ) -> Bool {
        guard let first = batches.first?.source ?? resumed.first.flatMap({ source($0.connection) }) else {
            return true
        }
        return batches.allSatisfy { $0.source == first }
            && resumed.allSatisfy { source($0.connection) ?? first == first }
    }

    private mutating func change(_ source: ClientSource, _ change: (inout CircularBuffer<HubEvent>) -> Void) {
        if networks[source.network] == nil { rotation.append(source.network) }
        networks[source.network, default: NetworkQueue()].change(source.address, change)
    }

    private mutating func next() -> [HubEvent] {
        var items: [HubEvent] = []
        // An event can cost more than one share. The network's credit grows in each pass until it is enough for the event.
        while items.isEmpty, !rotation.isEmpty {
            let isAlone = rotation.count == 1
            let share = max(1, RelayLimits.roundCost / rotation.count)
            for _ in 0..<rotation.count {
                guard let name = rotation.popFirst(), var network = networks.removeValue(forKey: name) else { continue }
                network.credit += share
                while let item = network.next(costing: isAlone && network.isOneAddress ? .max : network.credit) {
                    network.credit -= item.cost
                    items.append(item)
                }
                guard !network.isEmpty else { continue }
                networks[name] = network
                rotation.append(name)
            }
        }
        return items
    }
}

/// The events of one network that wait for a round.
private struct NetworkQueue {
    private struct AddressQueue {
        var items = CircularBuffer<HubEvent>()
        /// The unused part of the address's share, as a cost. The address's share is a part of the network's share.
        var credit = 0
    }
    private var addresses: [String: AddressQueue] = [:]
    /// The addresses with events, in the order of service.
    private var rotation = CircularBuffer<String>()
    /// The unused part of the network's shares in this round and in earlier rounds, as a cost.
    var credit = 0

    var isEmpty: Bool { rotation.isEmpty }
    var isOneAddress: Bool { rotation.count == 1 }

    mutating func change(_ address: String, _ change: (inout CircularBuffer<HubEvent>) -> Void) {
        if addresses[address] == nil { rotation.append(address) }
        change(&addresses[address, default: AddressQueue()].items)
    }

    /// Removes and returns the next event; `nil` if there is no event, or if the next event costs more than `most`.
    mutating func next(costing most: Int) -> HubEvent? {
        while let address = rotation.first {
            guard let item = addresses[address]?.items.first else {
                addresses[address] = nil
                rotation.removeFirst()
                continue
            }
            let isShared = rotation.count > 1
            if isShared, item.cost > addresses[address]?.credit ?? 0 {
                addresses[address]?.credit += RelayLimits.addressShareCost
                rotation.append(rotation.removeFirst())
                continue
            }
            guard item.cost <= most else { return nil }
            addresses[address]?.items.removeFirst()
            if isShared { addresses[address]?.credit -= item.cost }
            if addresses[address]?.items.isEmpty != false {
                addresses[address] = nil
                rotation.removeFirst()
            }
            return item
        }
        return nil
    }
}
