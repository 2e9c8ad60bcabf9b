import KithWire
import NIOCore
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("Shares of a round")
struct FairQueueTests {
    private func batch(_ source: ClientSource, _ connection: ConnectionNumber, _ count: Int, cost: Int = 1)
        -> HubQueue.Batch
    {
        let items = (0..<count).map { number in
            let ping = ConnectionEvent.request(ClientFrame(requestID: UInt32(number), request: .ping))
            return HubEvent(connection: connection, event: ping, cost: cost)
        }
        return HubQueue.Batch(source: source, items: items, cost: count * cost)
    }

    private func sources(_ connection: ConnectionNumber) -> ClientSource? {
        connection == 0 ? nil : ClientSource(address: "source \(connection)")
    }

    @Test("a single address fills a round with all of its requests")
    func alone() {
        var queue = FairQueue()
        let batches = (0..<10).map { _ in batch("source 1", 1, 1_000) }
        #expect(queue.round(resumed: [], batches: batches, source: sources).count == 10_000)
        #expect(queue.isEmpty)
    }

    @Test("an address with one request is in the next round, however much eight others have queued")
    func single() {
        var queue = FairQueue()
        let flood = (1...8).map { batch(ClientSource(address: "source \($0)"), $0, 10_000) }
        let first = queue.round(resumed: [], batches: flood, source: sources)
        #expect(first.count == RelayLimits.roundCost)
        #expect(Set(first.map(\.connection)).count == 8)
        let second = queue.round(resumed: [], batches: [batch("source 9", 9, 1)], source: sources)
        #expect(second.count <= RelayLimits.roundCost)
        #expect(second.contains { $0.connection == 9 })
        // The others get equal shares, and all of their requests in order in the end.
        var taken: [ConnectionNumber: [UInt32]] = [:]
        var rounds = [first, second]
        while !queue.isEmpty { rounds.append(queue.round(resumed: [], batches: [], source: sources)) }
        for item in rounds.joined() { taken[item.connection, default: []].append(item.event.requestID ?? 0) }
        for connection in 1...8 as ClosedRange<UInt64> {
            #expect(taken[connection] == (0..<10_000).map { UInt32($0) })
        }
        #expect(rounds.count >= 80_000 / RelayLimits.roundCost)
    }

    @Test("the addresses of a network share what one address outside of it gets, in equal parts")
    func sites() {
        var queue = FairQueue()
        func source(_ connection: ConnectionNumber) -> ClientSource {
            connection == 1 ? "source 1" : ClientSource(address: "source \(connection)", site: "site")
        }
        let flood = (1...5).map { batch(source($0), $0, 10_000) }
        let first = queue.round(resumed: [], batches: flood, source: source)
        var counts: [ConnectionNumber: Int] = [:]
        for item in first { counts[item.connection, default: 0] += 1 }
        #expect(counts == [1: 256, 2: 64, 3: 64, 4: 64, 5: 64])
        // A sixth address of the network, with more expensive requests.
        let second = queue.round(resumed: [], batches: [batch(source(6), 6, 10, cost: 16)], source: source)
        #expect(second.filter { $0.connection == 6 }.reduce(0) { $0 + $1.cost } >= 32)
        #expect(second.filter { $0.connection == 1 }.count == 256)
        var rest = 0
        while !queue.isEmpty {
            let round = queue.round(resumed: [], batches: [], source: source)
            #expect(!round.isEmpty)
            rest += round.count
        }
        #expect(first.count + second.count + rest == 50_010)
    }

    @Test("shares are measured by cost, and a request that costs more than a share is served, too")
    func costs() {
        var queue = FairQueue()
        let batches = [batch("source 1", 1, 100, cost: 1_000), batch("source 2", 2, 10_000)]
        var counts: [ConnectionNumber: Int] = [:]
        var round = queue.round(resumed: [], batches: batches, source: sources)
        for _ in 0..<20 {
            for item in round { counts[item.connection, default: 0] += item.cost }
            round = queue.round(resumed: [], batches: [], source: sources)
        }
        #expect(abs((counts[1] ?? 0) - (counts[2] ?? 0)) <= 1_000)
        #expect((counts[1] ?? 0) >= 4_000)
    }

    @Test("a resumed request goes before later ones of its connection, and those of a lost connection are dropped")
    func resumed() {
        var queue = FairQueue()
        let flood = (1...4).map { batch(ClientSource(address: "source \($0)"), $0, 1_000) }
        _ = queue.round(resumed: [], batches: flood, source: sources)
        let back = (0..<2).map { number in
            HubEvent(
                connection: 3, event: .request(ClientFrame(requestID: 5_000 + UInt32(number), request: .ping)))
        }
        let lost = HubEvent(connection: 0, event: .request(ClientFrame(requestID: 1, request: .ping)))
        let round = queue.round(resumed: back + [lost], batches: [], source: sources)
        let third = round.filter { $0.connection == 3 }.compactMap(\.event.requestID)
        #expect(Array(third.prefix(2)) == [5_000, 5_001])
        #expect(!round.contains { $0.connection == 0 })
    }
}
