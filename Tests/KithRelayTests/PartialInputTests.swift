import KithWire
import NIOCore
import Testing

@testable import KithRelay

@Suite("Incomplete input")
struct PartialInputTests {
    /// The start of a masked binary frame of a MiB.
    private static func beginning(_ bytes: Int) -> [UInt8] {
        [0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: bytes)
    }

    @Test("before the welcome, a connection holds no more bytes than a hello can have", .timeLimit(.minutes(5)))
    func beforeHello() async throws {
        let bench = try await ConnectionBench(saysHello: false)
        try await bench.send([.raw(Self.beginning(900))])
        #expect(try await bench.received().isEmpty)
        try await bench.send([.raw([UInt8](repeating: 0, count: 200))])
        #expect(try await bench.received() == [.close(1009)])
        try await bench.close()
        // The same in fragments.
        let other = try await ConnectionBench(saysHello: false)
        let fragment: [UInt8] = [0x02, 0xfe, 0x02, 0x00, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 512)
        try await other.send([.raw(fragment)])
        try await other.send([.raw([0x00] + fragment.dropFirst())])
        try await other.send([.raw([0x00] + fragment.dropFirst())])
        #expect(try await other.received().last == .close(1009))
        try await other.close()
    }

    @Test("four connections of one address may hold large incomplete messages; a fifth waits until one is complete")
    func largeMessages() async throws {
        let rates = SourceRates(own: AddressRates(RelayLimits()))
        var benches: [ConnectionBench] = []
        for _ in 0..<5 { benches.append(try await ConnectionBench(rates: rates)) }
        // Every connection may hold a small part.
        for bench in benches { try await bench.send([.raw(Self.beginning(10_000))]) }
        for bench in benches { #expect(try await !bench.isPaused) }
        for bench in benches { try await bench.send([.raw([UInt8](repeating: 0, count: 10_000))]) }
        for bench in benches[..<4] { #expect(try await !bench.isPaused) }
        #expect(try await benches[4].isPaused)
        try await benches[4].advance(milliseconds: 60)
        #expect(try await benches[4].isPaused)
        // A connection that closes frees its slot, and so does a complete message.
        try await benches[0].close()
        try await benches[4].advance(milliseconds: 120)
        #expect(try await !benches[4].isPaused)
        try await benches[1].send([.raw([UInt8](repeating: 0, count: (1 << 20) - 20_000))])
        let sixth = try await ConnectionBench(rates: rates)
        try await sixth.send([.raw(Self.beginning(20_000))])
        #expect(try await !sixth.isPaused)
        for bench in benches[1...] { try await bench.close() }
        try await sixth.close()
        #expect((0..<RelayLimits.largeInputsPerAddress).allSatisfy { _ in rates.own.largeInputs.take() })
    }

    @Test("a large message that takes too long closes its connection")
    func slow() async throws {
        let bench = try await ConnectionBench()
        let begin = NIODeadline.now()
        try await bench.send([.raw(Self.beginning(20_000))])
        #expect(try await !bench.isLargeInputOver(at: begin))
        #expect(try await bench.isLargeInputOver(at: .now() + .milliseconds(RelayLimits.largeInputMs + 1)))
        try await bench.close()
    }
}
