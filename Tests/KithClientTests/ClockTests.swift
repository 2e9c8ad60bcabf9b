import KithSimulation
import MLS
import TLSCodec
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Clocks")
struct ClockTests {
    private let relay = RelayID(rawValue: 1)
    private let other = RelayID(rawValue: 2)

    @Test("waits are measured by a clock that nobody sets")
    func steady() {
        var clocks = Clocks(wall: 1_000, steady: 50)
        clocks.advance(wall: 500_000, steady: 60)
        #expect(clocks.now == 1_010 && clocks.wall == 500_000)
        clocks.advance(wall: 3, steady: 60)
        #expect(clocks.now == 1_010 && clocks.wall == 3)
        clocks.relay(relay, says: 9_000)
        clocks.advance(wall: 3, steady: 160)
        #expect(clocks.relayTime(relay) == 9_100)
        #expect(clocks.lead(over: relay) == -9_097)
        clocks.relay(relay, says: .max)
        clocks.advance(wall: 3, steady: 170)
        #expect(clocks.relayTime(relay) == .max)
    }

    @Test("a time has passed only when the device's clock and a relay's agree")
    func twoClocks() {
        var clocks = Clocks(wall: 1_000, steady: 0)
        #expect(clocks.delay(untilOver: 500, relay: relay) == nil)
        #expect(!clocks.agree(isOver: 500, relay: relay))
        clocks.relay(relay, says: 400)
        #expect(clocks.delay(untilOver: 500, relay: relay) == 100)
        #expect(clocks.delay(untilOver: 1_200, relay: relay) == 800)
        #expect(clocks.delay(untilOver: 500, orByRelay: 300, relay: relay) == 0)
        #expect(clocks.agree(isOver: 400, relay: relay))
        // The slowest of the other relays replaces a relay that is gone.
        #expect(clocks.agree(isOver: 400, relay: other))
        clocks.relay(other, says: 399)
        #expect(!clocks.agree(isOver: 400, relay: RelayID(rawValue: 3)))
        #expect(clocks.agree(isOver: 400, relay: relay))
    }

    @Test("an expiry never lies further ahead than at the beginning")
    func clamped() {
        let expiry = Expiry(after: 10, wall: 1_000_000, relay: 500)
        #expect(!expiry.isOver(wall: 1_009_999) && expiry.isOver(wall: 1_010_000))
        #expect(expiry.clamped(wall: 1_005_000, relay: 700) == expiry)
        let right = expiry.clamped(wall: 500, relay: 0)
        #expect(right.hideAt == 10_500 && right.eraseAt == 10_000)
    }

    @Test("an expiry is read as it was stored, also from the first version")
    func stored() throws {
        let expiry = Expiry(after: 10, wall: 1_000, relay: 2_000)
        #expect(try Expiry(stored: expiry.encoded) == expiry)
        let first = try Expiry(stored: UInt64(77).encoded)
        #expect(first.hideAt == 77 && first.eraseAt == 77)
        #expect(first.clamped(wall: 1, relay: 1) == first)
        #expect(throws: TLSCodecError.self) { try Expiry(stored: [3] + expiry.encoded.dropFirst()) }
        #expect(throws: TLSCodecError.self) { try Expiry(stored: expiry.encoded + [0]) }
    }

    @Test("only a certificate that was made with a wrong clock is widened")
    func certificate() throws {
        let year: UInt64 = 365 * 24 * 3_600
        let now = 1_750_000_000 as UInt64
        let store = MemoryProfileStore()
        try store.commit(try ProfileRecord.new(name: "alice", deviceName: "d", now: (now + 30 * year) * 1000))
        let profile = try ProfileRecord(stored: try #require(try store.value(ProfileRecord.key)))
        #expect(try profile.recertified(at: (now + 30 * year) * 1000) == nil)
        #expect(!profile.certificate.lifetime.contains(now))
        let renewed = try #require(try profile.recertified(at: now * 1000))
        let widened = renewed.certificate
        #expect(widened.lifetime.contains(now) && widened.lifetime.contains(now + 35 * year))
        #expect(widened.verify(signatureKey: profile.signer.publicKey))
        #expect(widened.deviceID == profile.deviceID && widened.accountKey == profile.account.publicKey)
        #expect(try ProfileRecord(stored: renewed.encoded).certificate == widened)
    }

    @Test(
        "a difference is told in words",
        arguments: [
            (-30 * 86_400_000, "30 days behind"), (30 * 86_400_000, "30 days ahead of"),
            (3_600_000, "60 minutes ahead of"),
            (-7_200_000, "2 hours behind"), (48 * 3_600_000, "2 days ahead of"), (.min, "292471209 years behind"),
            (.max, "292471209 years ahead of"), (730 * 86_400_000 - 100, "2 years ahead of"),
            (-30 * 86_400_000 + 50, "30 days behind"), (36 * 3_600_000, "36 hours ahead of"),
        ] as [(Int64, String)])
    func sentence(aheadMs: Int64, words: String) throws {
        let address = try #require(RelayAddress("127.0.0.1:4433"))
        #expect(
            ClockDifference(witness: .relay(address), aheadMs: aheadMs).sentence.description
                == "this device's clock is \(words) that of the relay 127.0.0.1:4433; set the one that is wrong")
    }
}
