import KithWire
import NIOCore
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("Rates of connections and addresses")
struct RateTests {
    private static let fragment: [UInt8] = [0x00, 0x80, 0, 0, 0, 0]

    @Test(
        "pings, pongs and empty fragments count against a connection's rate", .timeLimit(.minutes(5)),
        arguments: [[0x89, 0x80, 0, 0, 0, 0], [0x8a, 0x80, 0, 0, 0, 0], fragment] as [[UInt8]])
    func frames(flood: [UInt8]) async throws {
        let bench = try await ConnectionBench {
            $0.requestBurst = 100
            $0.requestsPerSecond = 1
        }
        if flood == Self.fragment { try await bench.send([.raw([0x02, 0x80, 0, 0, 0, 0])]) }
        try await bench.send([.raw(Array(repeatElement(flood, count: 50).joined()))])
        #expect(try await !bench.isPaused)
        // The connection earns one frame a second, however slow the machine is.
        try await bench.send([.raw(Array(repeatElement(flood, count: 150).joined()))])
        #expect(try await bench.isPaused)
        try await bench.close()
    }

    @Test("one pong answers all pings of one read, with the newest content")
    func pongs() async throws {
        let bench = try await ConnectionBench()
        try await bench.send([.ping([1]), .ping([2]), .ping([3])])
        #expect(try await bench.received() == [.pong])
        try await bench.close()
    }

    @Test("requests over the connection's rate wait and are not refused", .timeLimit(.minutes(5)))
    func waiting() async throws {
        // The last two requests wait for a second each.
        let bench = try await ConnectionBench(delivers: true) { limits in
            limits.requestBurst = 10
            limits.requestsPerSecond = 1
        }
        try await bench.send((1...12).map { .request($0, .ping) })
        #expect(try await bench.isPaused)
        #expect(try await bench.untilReceived(12) == (1...12).map { .reply($0, .done) })
        try await bench.close()
    }

    @Test("connections of one address share its rate, by the cost of requests", .timeLimit(.minutes(5)))
    func sharing() async throws {
        var limits = RelayLimits()
        limits.addressRequestBurst = 40
        limits.addressRequestsPerSecond = 1
        let rates = SourceRates(own: AddressRates(limits))
        let one = try await ConnectionBench(rates: rates) { $0 = limits }
        let other = try await ConnectionBench(rates: rates) { $0 = limits }
        let create = Request.create(channel: .random(), access: KnownChannel().access, retentionSeconds: nil)
        try await one.send([.request(1, create)])
        #expect(try await !one.isPaused)
        // Each connection is far below its own rate.
        try await other.send([.request(1, create), .request(2, create)])
        #expect(try await other.isPaused)
        try await one.close()
        try await other.close()
    }

    @Test("delivery to many followers is charged to the sender's address")
    func followers() async throws {
        var limits = RelayLimits()
        limits.addressRequestBurst = 50
        limits.addressRequestsPerSecond = 1
        let rates = SourceRates(own: AddressRates(limits))
        let hub = BareHub()
        hub.open(1, rates: rates)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        for follower in 2...101 as ClosedRange<UInt64> {
            hub.open(follower)
            _ = await hub.ask(.present(channel: channel.id, epoch: 0, tokens: channel.tokens), on: follower)
            _ = await hub.ask(.follow(channel: channel.id, epoch: 0, fromSeq: 1), on: follower)
        }
        #expect(rates.own.requests.wait(atNanoseconds: 0) == 0)
        for _ in 0..<3 { _ = await hub.ask(.append(channel, [1]), on: 1) }
        #expect(rates.own.requests.wait(atNanoseconds: 0) > 0)
        try await hub.close()
    }

    @Test("frames after hello are not decoded before the welcome", .timeLimit(.minutes(5)))
    func helloFirst() async throws {
        let bench = try await ConnectionBench(saysHello: false)
        let hello = Request.hello(versions: [1], relayPass: nil)
        try await bench.send([.request(1, hello), .request(2, .ping), .request(3, .ping)])
        let welcome = try await bench.batch()
        #expect(welcome.answers.map(\.requestID) == [1])
        try await bench.deliver(welcome)
        let rest = try await bench.batch()
        #expect(rest.answers.map(\.requestID) == [2, 3])
        try await bench.close()
    }
}
