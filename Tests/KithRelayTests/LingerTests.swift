import NIOCore
import Testing

@testable import KithRelay

@Suite("Waiting awake between rounds")
struct LingerTests {
    @Test("the hub waits awake for a while where rounds follow each other closely, and not at all where they do not")
    func linger() {
        var linger = Linger(longest: .nanoseconds(100))
        func at(_ nanoseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(nanoseconds) }
        linger.roundBegins(at: at(1000))
        linger.roundEnded(at: at(1010))
        // The first round came after a long silence.
        #expect(!linger.staysAwake(at: at(1010)))
        linger.roundBegins(at: at(1060))
        linger.roundEnded(at: at(1070))
        #expect(linger.staysAwake(at: at(1070)))
        #expect(linger.staysAwake(at: at(1169)))
        #expect(!linger.staysAwake(at: at(1170)))
        // It did not pay.
        linger.roundBegins(at: at(1300))
        linger.roundEnded(at: at(1310))
        #expect(!linger.staysAwake(at: at(1310)))
    }

    @Test("a hub that may not wait awake never does")
    func noLinger() {
        var linger = Linger(longest: .nanoseconds(0))
        let now = NIODeadline.uptimeNanoseconds(1)
        linger.roundEnded(at: now)
        linger.roundBegins(at: now)
        linger.roundEnded(at: now)
        #expect(!linger.staysAwake(at: now))
    }
}
