import Crypto
import KithWire
import Testing

@testable import KithRelay

@Suite("Rules for names")
struct NamePolicyTests {
    private static let holder = Curve25519.Signing.PrivateKey()
    private static let other = Curve25519.Signing.PrivateKey()
    private let policy: NamePolicy

    init() {
        var limits = RelayLimits()
        limits.nameSeconds = 10
        policy = NamePolicy(limits)
    }

    private static func record(_ version: UInt64, by key: Curve25519.Signing.PrivateKey) throws -> NameRecord {
        try NameRecord(name: try #require(Name("ann")), version: version, content: [1], signedBy: key)
    }

    @Test(
        "a name is found for one term after its renewal, and free after two",
        arguments: [
            (0, true, false), (9_999, true, false), (10_000, false, false), (19_999, false, false),
            (20_000, false, true),
        ])
    func ages(ageMs: UInt64, isFound: Bool, isFree: Bool) throws {
        let name = StoredName(record: try Self.record(1, by: Self.holder), renewedMs: 5_000)
        #expect(policy.isFound(name, nowMs: 5_000 + ageMs) == isFound)
        let verdict = policy.judge(try Self.record(1, by: Self.other), against: name, nowMs: 5_000 + ageMs)
        #expect(verdict == (isFree ? .replaces(version: 1) : .isRefused))
    }

    @Test("a higher version of the holder replaces a record, and the same record does so only once the name is free")
    func versions() throws {
        let current = StoredName(record: try Self.record(5, by: Self.holder), renewedMs: 0)
        func verdict(_ version: UInt64, atMs nowMs: UInt64) throws -> NamePolicy.Verdict {
            policy.judge(try Self.record(version, by: Self.holder), against: current, nowMs: nowMs)
        }
        #expect(try verdict(6, atMs: 0) == .replaces(version: 5))
        #expect(try verdict(4, atMs: 0) == .isRefused)
        #expect(policy.judge(current.record, against: current, nowMs: 0) == .isUnchanged)
        #expect(policy.judge(current.record, against: current, nowMs: 10_000) == .isRefused)
        #expect(policy.judge(current.record, against: current, nowMs: 20_000) == .replaces(version: 5))
        #expect(policy.judge(current.record, against: nil, nowMs: 0) == .isNew)
    }
}
