import TestSupport
import Testing

@testable import KithSupport

@Suite("Backoff")
struct BackoffTests {
    @Test("pauses double up to the longest, each with jitter of up to half of it")
    func growth() {
        var backoff = Backoff(shortestMs: 100, longestMs: 5_000)
        var random = SeededGenerator(seed: 1)
        var step: UInt64 = 100
        var taken: Set<UInt64> = []
        for _ in 0..<50 {
            #expect(backoff.stepMs == step)
            let next = backoff.nextMs(using: &random)
            #expect((step / 2...step).contains(next))
            taken.insert(next)
            step = min(step * 2, 5_000)
        }
        #expect(step == 5_000)
        #expect(taken.count > 25)
    }

    @Test("a reset makes the next pause as short as the first")
    func reset() {
        var backoff = Backoff(shortestMs: 250, longestMs: 60_000)
        #expect(backoff.isShortest)
        _ = backoff.nextMs()
        #expect(!backoff.isShortest && backoff.stepMs == 500)
        backoff.reset()
        #expect(backoff.isShortest && backoff.stepMs == 250)
    }
}
