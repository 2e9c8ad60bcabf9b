import NIOCore
import Testing

@testable import KithRelay

@Suite("Spinning between rounds")
struct AdaptiveSpinTests {
    @Test("the hub spins for a while if rounds follow each other closely, and not at all if they do not")
    func spins() {
        var spin = AdaptiveSpin(longest: .nanoseconds(100))
        func at(_ nanoseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(nanoseconds) }
        spin.roundBegins(at: at(1000))
        spin.roundEnded(at: at(1010))
        // The first round follows a long silence.
        #expect(!spin.keepsSpinning(at: at(1010)))
        spin.roundBegins(at: at(1060))
        spin.roundEnded(at: at(1070))
        #expect(spin.keepsSpinning(at: at(1070)))
        #expect(spin.keepsSpinning(at: at(1169)))
        #expect(!spin.keepsSpinning(at: at(1170)))
        // The spin did not pay off.
        spin.roundBegins(at: at(1300))
        spin.roundEnded(at: at(1310))
        #expect(!spin.keepsSpinning(at: at(1310)))
    }

    @Test("a limit of 0 means no spinning")
    func neverSpins() {
        var spin = AdaptiveSpin(longest: .nanoseconds(0))
        let now = NIODeadline.uptimeNanoseconds(1)
        spin.roundEnded(at: now)
        spin.roundBegins(at: now)
        spin.roundEnded(at: now)
        #expect(!spin.keepsSpinning(at: now))
    }
}
