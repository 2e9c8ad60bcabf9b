import NIOCore

/// Requests that wait for a round, by the address they come from, and how a round is filled with them.
///
/// While everything fits into one round, or only one address asks, a round takes all there is. Otherwise networks (IPv4
/// addresses, and IPv6 networks of 48 bits) have turns (deficit round robin): each adds as much to a round as every other, by
/// cost, so that a network with one request waits for two short rounds at most, however much the others have queued. The
/// addresses of a network have turns in its share, likewise by cost.
struct RoundLine {
    private var lines: [String: NetworkLine] = [:]
    /// The networks that have something in line, in the order of their turns.
    private var turns = CircularBuffer<String>()

    var isEmpty: Bool { turns.isEmpty }

    /// The items of the next round.
    ///
    /// - Parameters:
    ///   - resumed: requests that have waited for something else and go before later ones of their connections.
    ///   - batches: what has come since the last round.
    ///   - place: the place of a connection; `nil` if it is gone.
    mutating func round(
        resumed: [IntakeItem], batches: [HubIntake.Batch], place: (ConnectionNumber) -> Place?
    ) -> [IntakeItem] {
        if turns.isEmpty {
            let cost = batches.reduce(resumed.reduce(0) { $0 + $1.cost }) { $0 + $1.cost }
            if cost <= RelayLimits.roundCost || isOnePlace(resumed, batches, place) {
                return batches.reduce(into: resumed) { $0.append(contentsOf: $1.items) }
            }
        }
        for item in resumed.reversed() {
            guard let place = place(item.connection) else { continue }
            change(place) { $0.prepend(item) }
        }
        for batch in batches { change(batch.place) { $0.append(contentsOf: batch.items) } }
        return next()
    }

    private func isOnePlace(
        _ resumed: [IntakeItem], _ batches: [HubIntake.Batch], _ place: (ConnectionNumber) -> Place?
    ) -> Bool {
        guard let first = batches.first?.place ?? resumed.first.flatMap({ place($0.connection) }) else {
            return true
        }
        return batches.allSatisfy { $0.place == first } && resumed.allSatisfy { place($0.connection) ?? first == first }
    }

    private mutating func change(_ place: Place, _ change: (inout CircularBuffer<IntakeItem>) -> Void) {
        if lines[place.network] == nil { turns.append(place.network) }
        lines[place.network, default: NetworkLine()].change(place.address, change)
    }

    private mutating func next() -> [IntakeItem] {
        var items: [IntakeItem] = []
        // An item can cost more than one turn gives; credit adds up until it fits.
        while items.isEmpty, !turns.isEmpty {
            let isAlone = turns.count == 1
            let turn = max(1, RelayLimits.roundCost / turns.count)
            for _ in 0..<turns.count {
                guard let network = turns.popFirst(), var line = lines.removeValue(forKey: network) else { continue }
                line.credit += turn
                while let item = line.next(costing: isAlone && line.isOneAddress ? .max : line.credit) {
                    line.credit -= item.cost
                    items.append(item)
                }
                guard !line.isEmpty else { continue }
                lines[network] = line
                turns.append(network)
            }
        }
        return items
    }
}

/// The requests of one network that wait for a round.
private struct NetworkLine {
    private struct Line {
        var items = CircularBuffer<IntakeItem>()
        /// The address's deficit in the network's share.
        var credit = 0
    }
    private var lines: [String: Line] = [:]
    /// The addresses that have something in line, in the order of their turns.
    private var turns = CircularBuffer<String>()
    /// The network's deficit: its share of this round, with what it left unused of earlier ones.
    var credit = 0

    var isEmpty: Bool { turns.isEmpty }
    var isOneAddress: Bool { turns.count == 1 }

    mutating func change(_ address: String, _ change: (inout CircularBuffer<IntakeItem>) -> Void) {
        if lines[address] == nil { turns.append(address) }
        change(&lines[address, default: Line()].items)
    }

    /// Takes the item whose turn it is, if it costs no more than this.
    mutating func next(costing most: Int) -> IntakeItem? {
        while let address = turns.first {
            guard let item = lines[address]?.items.first else {
                lines[address] = nil
                turns.removeFirst()
                continue
            }
            let isShared = turns.count > 1
            if isShared, item.cost > lines[address]?.credit ?? 0 {
                lines[address]?.credit += RelayLimits.addressTurnCost
                turns.append(turns.removeFirst())
                continue
            }
            guard item.cost <= most else { return nil }
            lines[address]?.items.removeFirst()
            if isShared { lines[address]?.credit -= item.cost }
            if lines[address]?.items.isEmpty != false {
                lines[address] = nil
                turns.removeFirst()
            }
            return item
        }
        return nil
    }
}
