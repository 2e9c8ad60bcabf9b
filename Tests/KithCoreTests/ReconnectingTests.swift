import KithSupport
import KithWire
import Testing

@testable import KithCore

@Suite("Pauses before reconnecting")
struct ReconnectingTests {
    @Test("pauses grow while a relay ends every connection at once, and are reset by a lasting connection")
    func backoff() {
        var backoff = Backoff.reconnecting
        for _ in 0..<12 {
            _ = backoff.nextMs()
            backoff.connectionEnded(after: .milliseconds(1))
        }
        #expect(backoff.stepMs == 60_000)
        backoff.connectionEnded(after: ClientLimits.lastingConnection)
        #expect(backoff.stepMs == 250)
    }

    @Test("requests stay below the rate that a relay allows")
    func pace() {
        let limits = AdvertisedLimits(
            payload: 1, frame: 1, requestsPerSecond: 100, requestBurst: 40, idleSeconds: 1, follows: 1,
            retentionSeconds: 1)
        var bucket = TokenBucket(below: limits)
        var taken = 0
        while bucket.take(at: .nanoseconds(1)) == nil { taken += 1 }
        #expect(taken == 20)
        #expect(bucket.take(at: .nanoseconds(1)) == .nanoseconds(12_500_001))
    }
}
