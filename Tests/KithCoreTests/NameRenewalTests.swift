import Testing

@testable import KithCore

@Suite("Renewal of an inbox's name")
struct NameRenewalTests {
    private static let start: UInt64 = 1_750_000_000_000
    private var clocks = Clocks(wall: start, steady: 0)
    private var renewal = NameRenewal()

    private mutating func pass(_ ms: UInt64) {
        clocks.advance(wall: clocks.wall + ms, steady: clocks.wall - Self.start + ms)
    }

    @Test("a name is registered again after a fixed time, and at once if its registration is dated far ahead")
    mutating func due() {
        #expect(renewal.due(registeredAt: Self.start, clocks) == Self.start + ClientLimits.nameRenewalMs)
        pass(1_000)
        #expect(renewal.due(registeredAt: Self.start, clocks) == Self.start + ClientLimits.nameRenewalMs)
        pass(ClientLimits.nameRenewalMs)
        #expect(renewal.due(registeredAt: Self.start, clocks) == clocks.now)
        let ahead = clocks.wall + ClientLimits.clockSlackMs + 1
        #expect(renewal.due(registeredAt: ahead, clocks) == clocks.now)
    }

    @Test("a relay that did not answer is asked again after a pause")
    mutating func asked() {
        pass(ClientLimits.nameRenewalMs)
        renewal.didAsk(at: clocks.now)
        let asked = clocks.now
        #expect(renewal.due(registeredAt: Self.start, clocks) == asked + ClientLimits.deliveryPauseMs)
        pass(ClientLimits.deliveryPauseMs + 5)
        #expect(renewal.due(registeredAt: Self.start, clocks) == clocks.now)
    }
}
