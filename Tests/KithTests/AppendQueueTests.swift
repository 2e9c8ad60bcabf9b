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

    @Test("frames go out in order, so many at a time")
    func window() {
        var queue = queue()
        for byte in 0..<200 { queue.put([UInt8(byte)]) }
        let first = queue.next(now: Self.start)
        #expect(first.map(\.payload) == (0..<AppendQueue.window).map { [UInt8($0)] })
        #expect(queue.next(now: Self.start).isEmpty)
        #expect(queue.answered(first[1].id, error: nil) == .goOn)
        #expect(queue.next(now: Self.start).map(\.payload) == [[UInt8(AppendQueue.window)]])
        #expect(!queue.isEmpty)
    }

    @Test("a frame that the relay takes later goes first then, and nothing overtakes it before")
    func refusedForNow() {
        var queue = queue()
        for byte in 0..<100 { queue.put([UInt8(byte)]) }
        let items = queue.next(now: Self.start)
        let tooFast = RelayError(.tooFast, "slowly", retryAfterMs: 700)
        #expect(queue.answered(items[0].id, error: nil) == .goOn)
        #expect(queue.answered(items[1].id, error: tooFast) == .waitMs(700))
        #expect(queue.next(now: Self.start).isEmpty)
        for item in items[2...].reversed() { #expect(queue.answered(item.id, error: tooFast) == .waitMs(700)) }
        let again = queue.next(now: Self.start)
        #expect(again.first?.id == items[1].id)
        #expect(again.map(\.payload) == (1...AppendQueue.window).map { [UInt8($0)] })
    }

    @Test("after a new connection, what had no answer goes again under the same ids")
    func reconnected() {
        var queue = queue()
        for byte in 0..<10 { queue.put([UInt8(byte)]) }
        let items = queue.next(now: Self.start)
        _ = queue.answered(items[0].id, error: nil)
        queue.reconnected()
        #expect(queue.next(now: Self.start).map(\.id) == items[1...].map(\.id))
    }

    @Test("a frame that the relay will never take is told")
    func failed() {
        var queue = queue()
        queue.put([1])
        let gone = RelayError(.gone, "gone")
        #expect(queue.answered(queue.next(now: Self.start)[0].id, error: gone) == .failed(gone))
        #expect(queue.isEmpty)
    }

    @Test("the relay's rate is kept to")
    func pace() {
        var queue = queue(perSecond: 100, burst: 20)
        for _ in 0..<1000 { queue.put([0]) }
        var now = Self.start
        var sent = 0
        for _ in 0..<100 {
            for item in queue.next(now: now) {
                sent += 1
                _ = queue.answered(item.id, error: nil)
            }
            guard let delay = queue.delay(now: now) else { continue }
            now = now + delay
        }
        let seconds = Double((now - Self.start).nanoseconds) / 1e9
        #expect(Double(sent) <= 20 + 100 * seconds)
        #expect(sent > 100)
    }
}
