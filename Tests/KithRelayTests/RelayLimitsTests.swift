import KithWire
import Testing

@testable import KithRelay

@Suite("Limits by name")
struct RelayLimitsTests {
    @Test("a limit is set by its name, within what the protocol allows")
    func limits() {
        var limits = RelayLimits()
        for (name, value, isAllowed) in [
            ("requests-per-second", 7, true), ("no-such-limit", 7, false), ("payload", WireLimits.payload + 1, false),
            ("follows", 0, false), ("denied-ms", 0, true), ("spin-us", 0, true),
        ] {
            let isSet = limits.override(name, with: value)
            #expect(isSet == isAllowed, "\(name)")
        }
        #expect(limits.requestsPerSecond == 7)
    }
}
