import Synchronization

/// A token bucket that several threads take from without a lock. It can be overdrawn: what has been done already is charged,
/// and ``charge(_:atNanoseconds:)`` says how long to wait before the next.
final class SharedBucket: Sendable {
    private let nanosecondsEach: Int64
    /// Time in which the empty bucket fills.
    private let nanosecondsFull: Int64
    /// When the bucket would be full again, in nanoseconds.
    private let fullAt = Atomic<Int64>(0)

    /// No debt is longer than this: a day, in nanoseconds.
    private static let longest: Int64 = 86_400_000_000_000

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - perSecond: tokens that come each second, at least 1.
    init(burst: Int, perSecond: Int) {
        nanosecondsEach = max(1, 1_000_000_000 / Int64(max(perSecond, 1)))
        nanosecondsFull = Self.time(of: max(burst, 1), each: nanosecondsEach)
    }

    private static func time(of count: Int, each: Int64) -> Int64 {
        let (time, overflows) = Int64(max(0, count)).multipliedReportingOverflow(by: each)
        return overflows ? longest : min(time, longest)
    }

    /// Takes `count` tokens, whether they are there or not. Returns after how many nanoseconds one more may be taken; 0 for
    /// now.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        let cost = Self.time(of: count, each: nanosecondsEach)
        var seen = fullAt.load(ordering: .relaxed)
        while true {
            let next = min(max(seen, now), now + Self.longest) + cost
            let (exchanged, original) = fullAt.weakCompareExchange(expected: seen, desired: next, ordering: .relaxed)
            if exchanged { return wait(from: next, now) }
            seen = original
        }
    }

    /// After how many nanoseconds one token may be taken; 0 for now. Takes none.
    func wait(atNanoseconds now: Int64) -> Int64 { wait(from: fullAt.load(ordering: .relaxed), now) }

    private func wait(from fullAt: Int64, _ now: Int64) -> Int64 {
        max(0, max(fullAt, now) + nanosecondsEach - now - nanosecondsFull)
    }

    /// Whether it is as if nothing had ever been taken.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt.load(ordering: .relaxed) <= now }
}
