import KithWire
import RelayTestSupport
import Synchronization
import Testing

@testable import KithRelay

@Suite("Requests that need no right")
struct PresentingTests {
    private static func wrong(_ channel: ChannelID, epoch: UInt64) -> Request {
        .present(channel: channel, epoch: epoch, tokens: [.random()])
    }

    @Test(
        "wrong presents take as many rounds and reads for an existing channel and epoch as for others",
        .timeLimit(.minutes(5)), arguments: [1, 100, 1_000])
    func alike(count: Int) async throws {
        let store = CountingStore()
        let first = BareHub(store: store)
        first.open(1)
        let cold = try await first.makeChannels(2, on: 1)
        _ = await first.ask(.turn(cold[0], next: KnownChannel().access), on: 1)
        _ = await first.ask(.close(channel: cold[1].id), on: 1)
        try await first.close()

        let hub = BareHub(store: store)
        hub.open(1)
        for connection: ConnectionNumber in 2...5 {
            hub.open(connection, from: ClientSource(address: "source \(connection)"))
        }
        let warm = try #require(try await hub.makeChannels(1, on: 1).first)
        var costs: [[Int]] = []
        for channel in [warm.id, cold[0].id, cold[1].id, .random()] {
            for epoch in [0, 1, 7, .max] as [UInt64] {
                let (rounds, reads) = (hub.rounds, store.reads)
                let requests = (0..<count).map { index in
                    (ConnectionNumber(2 + index % 4), Self.wrong(channel, epoch: epoch))
                }
                let replies = await hub.askAtOnce(requests)
                #expect(replies.allSatisfy { $0 == .error(.denied) })
                costs.append([hub.rounds - rounds, store.reads - reads])
            }
        }
        #expect(Set(costs).count == 1, "\(costs)")
        // As many rounds as the requests fill, and one read for each.
        let rounds = costs[0][0]
        #expect(rounds <= 1 + 2 * count / RelayLimits.roundCost && costs[0][1] <= rounds)
        // The requests loaded no channel into memory.
        #expect(await hub.hub.channelsInMemory == [warm.id])
        try await hub.close()
    }

    @Test(
        "a member's append behind 1,000 presents and creates of strangers is accepted within two rounds",
        .timeLimit(.minutes(5)), arguments: [false, true])
    func membersFirst(isWarm: Bool) async throws {
        let hub = BareHub { $0.cachedChannels = 1 }
        for connection: ConnectionNumber in 1...3 { hub.open(connection) }
        let channels = try await hub.makeChannels(3, .inbox, on: 1)
        let inMemory = await hub.hub.channelsInMemory
        let channel = try #require(channels.first { inMemory.contains($0.id) == isWarm })
        // The third connection is a stranger who knows the inbox's address.
        let letter = Request.present(channel: channel.id, epoch: 0, tokens: [channel.append])
        #expect(await hub.ask(letter, on: 3) == .granted(.append))
        var requests: [(connection: ConnectionNumber, request: Request)] = []
        for index in 0..<1_000 {
            let wrong = Self.wrong(channel.id, epoch: UInt64(index % 3))
            requests.append((2, wrong))
            requests.append(
                (2, .create(channel: channel.id, access: KnownChannel().access, retentionSeconds: nil)))
            requests.append((3, wrong))
            requests.append((3, .close(channel: channel.id)))
        }
        requests.append((1, .append(channel, [1])))
        let before = hub.rounds
        let replies = await hub.askAtOnce(requests)
        #expect(replies.last == .accepted(seq: 1))
        #expect(replies.dropLast().allSatisfy { $0.refusal == .denied || $0.refusal == .exists })
        // Two rounds if the channel has to be loaded.
        #expect(hub.rounds - before == (isWarm ? 1 : 2))
        try await hub.close()
    }

    @Test("create, present and later requests that arrive together are decided in order", .timeLimit(.minutes(5)))
    func inOrder() async throws {
        let hub = BareHub()
        hub.open(1)
        hub.open(2)
        let (channel, next) = (KnownChannel(), KnownChannel())
        func present(_ epoch: UInt64, _ tokens: KnownChannel) -> Request {
            .present(channel: channel.id, epoch: epoch, tokens: tokens.tokens)
        }
        let create = Request.create(channel: channel.id, access: channel.access, retentionSeconds: nil)
        let other = Request.create(channel: channel.id, access: next.access, retentionSeconds: nil)
        #expect(
            await hub.askAtOnce([(2, present(0, channel)), (1, create), (1, present(0, channel)), (2, other)])
                == [.error(.denied), .done, .granted([.read, .append, .turn]), .error(.taken)])
        // The same for a turn and the next epoch's tokens, also while the channel is busy.
        let turn = Request.turn(channel, next: next.access)
        #expect(
            await hub.askAtOnce([(1, turn), (1, present(1, next)), (1, present(0, channel)), (1, create)])
                == [.accepted(seq: 1), .granted([.read, .append, .turn]), .granted([.read, .append, .turn]), .done])
        #expect(
            await hub.askAtOnce([(1, .close(channel: channel.id)), (1, present(1, next)), (1, create)])
                == [.done, .error(.gone), .error(.taken)])
        try await hub.close()
    }

    @Test("denied presents use up the rates of their connection and address", .timeLimit(.minutes(5)))
    func denialsCost() async throws {
        var limits = RelayLimits()
        limits.deniedMs = 0
        limits.requestsPerSecond = 1
        limits.addressRequestsPerSecond = 1
        limits.addressRequestBurst = 700
        let rates = SourceRates(own: AddressRates(limits))
        let bench = try await ConnectionBench(delivers: true, rates: rates) { $0 = limits }
        func wrong(_ numbers: ClosedRange<UInt32>) -> [ConnectionBench.Message] {
            numbers.map { .request($0, Self.wrong(.random(), epoch: 0)) }
        }
        try await bench.send(wrong(11...30))
        _ = try await bench.untilReceived(20)
        #expect(try await !bench.isPaused)
        try await bench.send(wrong(31...40))
        _ = try await bench.untilReceived(10)
        #expect(try await bench.isPaused)
        // A second connection of the address gets the rest of the address's rate.
        let other = try await ConnectionBench(delivers: true, rates: rates) { $0 = limits }
        #expect(try await !other.isPaused)
        try await other.send(wrong(11...60))
        // Fewer than that are left, in spite of the tokens earned meanwhile.
        while try await !other.isPaused { await Task.yield() }
        try await bench.close()
        try await other.close()
    }
}

extension RelayError {
    fileprivate static let taken = RelayError(.exists, "the channel exists already")
}

extension Request {
    /// A turn that opens an epoch with this access.
    fileprivate static func turn(_ channel: KnownChannel, next: Access) -> Request {
        .turn(channel: channel.id, epoch: channel.epoch, id: .random(), payload: [], nextAccess: next)
    }
}

/// A store that counts the reads of heads and epochs.
private final class CountingStore: StoreInFront {
    let store: any ChannelStore = MemoryStore()
    private let count = Atomic<Int>(0)

    var reads: Int { count.load(ordering: .relaxed) }

    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? {
        count.wrappingAdd(1, ordering: .relaxed)
        return try await store.head(of: channel)
    }

    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
        count.wrappingAdd(1, ordering: .relaxed)
        return try await store.epoch(epoch, of: channel)
    }
}
