import NIOCore

/// Requests that wait for a round, by the address they come from, and how a round is filled with them.
///
/// While everything fits into one round, or only one address asks, a round takes all there is. Otherwise addresses have
/// turns (deficit round robin): each adds as much to a round as every other, by cost, so that an address with one request
/// waits for two short rounds at most, however much the others have queued.
struct RoundLine {
    private struct Line {
        var items = CircularBuffer<IntakeItem>()
        /// The address's deficit: its share of this round, with what it left unused of earlier ones.
        var credit = 0
    }
    private var lines: [String: Line] = [:]
    /// The addresses that have something in line, in the order of their turns.
    private var turns = CircularBuffer<String>()

    var isEmpty: Bool { turns.isEmpty }

    /// The items of the next round.
    ///
    /// - Parameters:
    ///   - resumed: requests that have waited for something else and go before later ones of their connections.
    ///   - batches: what has come since the last round.
    ///   - place: the address of a connection; `nil` if it is gone.
    mutating func round(
        resumed: [IntakeItem], batches: [HubIntake.Batch], place: (ConnectionNumber) -> String?
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
        _ resumed: [IntakeItem], _ batches: [HubIntake.Batch], _ place: (ConnectionNumber) -> String?
    ) -> Bool {
        guard let first = batches.first?.place ?? resumed.first.flatMap({ place($0.connection) }) else {
            return true
        }
        return batches.allSatisfy { $0.place == first } && resumed.allSatisfy { place($0.connection) ?? first == first }
    }

    private mutating func change(_ place: String, _ change: (inout CircularBuffer<IntakeItem>) -> Void) {
        if lines[place] == nil { turns.append(place) }
        change(&lines[place, default: Line()].items)
    }

    private mutating func next() -> [IntakeItem] {
        var items: [IntakeItem] = []
        // An item can cost more than one turn gives; credit adds up until it fits.
        while items.isEmpty, !turns.isEmpty {
            let isAlone = turns.count == 1
            let turn = max(1, RelayLimits.roundCost / turns.count)
            for _ in 0..<turns.count {
                guard let place = turns.popFirst(), var line = lines.removeValue(forKey: place) else { continue }
                line.credit += turn
                while let item = line.items.first, isAlone || item.cost <= line.credit {
                    line.credit -= item.cost
                    items.append(line.items.removeFirst())
                }
                guard !line.items.isEmpty else { continue }
                lines[place] = line
                turns.append(place)
            }
        }
        return items
    }
}
