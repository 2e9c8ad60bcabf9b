import KithWire
import NIOCore
import Testing

@testable import kith

@Suite struct AppendQueueTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func queue(perSecond: UInt32 = 1_000_000, burst: UInt32 = 1_000_000) -> AppendQueue {
        AppendQueue(
            limits: AdvertisedLimits(
                payload: 1, frame: 1, requestsPerSecond: perSecond, requestBurst: burst, idleSeconds: 1, follows: 1,
                retentionSeconds: 1),
            now: Self.start)
    }

    private func next(_ queue: inout AppendQueue) throws -> AppendQueue.Item {
        let next = queue.next(now: Self.start)
        return try #require(next)
    }

    @Test("a frame is sent only after the previous one was accepted")
    func order() throws {
        var queue = queue()
        for byte in 0..<3 { queue.put([UInt8(byte)]) }
        for byte in 0..<3 {
            let item = try next(&queue)
            #expect(item.payload == [UInt8(byte)])
            #expect(queue.next(now: Self.start) == nil)
            #expect(queue.answered(item.id, error: nil, now: Self.start) == .accepted)
        }
        #expect(queue.isEmpty)
    }

    @Test(
        "a frame refused for the moment is retried before all others",
        arguments: [RelayError.Code.tooFast, .unavailable])
    func refusedForNow(code: RelayError.Code) throws {
        var queue = queue()
        for byte in 0..<3 { queue.put([UInt8(byte)]) }
        let item = try next(&queue)
        let refusal = RelayError(code, "not now", retryAfterMs: 700)
        #expect(queue.answered(item.id, error: refusal, now: Self.start) == .later)
        #expect(queue.next(now: Self.start) == nil)
        #expect(queue.delay(now: Self.start) == .milliseconds(700))
        #expect(queue.next(now: Self.start + .milliseconds(699)) == nil)
        #expect(queue.next(now: Self.start + .milliseconds(700))?.id == item.id)
    }

    @Test("the retry time has a minimum and a maximum")
    func wait() throws {
        for (asked, waited) in [(0, ClassicTimeouts.shortestRetry), (UInt32.max, ClassicTimeouts.longestRetry)] {
            var queue = queue()
            queue.put([1])
            let item = try next(&queue)
            _ = queue.answered(item.id, error: RelayError(.tooFast, "", retryAfterMs: asked), now: Self.start)
            #expect(queue.delay(now: Self.start) == waited)
        }
    }

    @Test("after a reconnect, an unanswered frame goes again under the same id")
    func reconnected() throws {
        var queue = queue()
        for byte in 0..<3 { queue.put([UInt8(byte)]) }
        let first = try next(&queue)
        _ = queue.answered(first.id, error: nil, now: Self.start)
        let second = try next(&queue)
        queue.reconnected()
        #expect(queue.next(now: Self.start)?.id == second.id)
    }

    @Test("a frame that is refused for good is reported and counts as unsent")
    func failed() throws {
        var queue = queue()
        queue.put([1], isText: true)
        let gone = RelayError(.gone, "gone")
        let item = try next(&queue)
        #expect(queue.answered(item.id, error: gone, now: Self.start) == .failed(gone))
        #expect(!queue.isEmpty)
        #expect(queue.texts == 1)
    }

    @Test("frames keep to the relay's rate")
    func pace() {
        var queue = queue(perSecond: 100, burst: 20)
        for _ in 0..<1000 { queue.put([0]) }
        var now = Self.start
        var sent = 0
        for _ in 0..<200 {
            if let item = queue.next(now: now) {
                sent += 1
                _ = queue.answered(item.id, error: nil, now: now)
            } else if let delay = queue.delay(now: now) {
                now = now + delay
            }
        }
        let seconds = Double((now - Self.start).nanoseconds) / 1e9
        #expect(Double(sent) <= 20 + 100 * seconds)
        #expect(sent > 100)
    }
}
