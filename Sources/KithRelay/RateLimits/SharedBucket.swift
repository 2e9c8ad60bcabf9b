import KithSupport
import Synchronization

/// A token bucket that several threads take from without a lock. It can be overdrawn: what has been done already is charged,
/// and ``charge(_:atNanoseconds:)`` says how long to wait before the next.
final class SharedBucket: Sendable {
    private let pace: TokenPace
    /// When the bucket would be full again, in nanoseconds.
    private let fullAt = Atomic<Int64>(0)

    /// No debt is longer than this: a day, in nanoseconds.
    private static let longest: Int64 = 86_400_000_000_000

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - perSecond: tokens that come each second, at least 1.
    init(burst: Int, perSecond: Int) {
        pace = TokenPace(
            burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)), longest: Self.longest)
    }

    /// Takes `count` tokens, whether they are there or not. Returns after how many nanoseconds one more may be taken; 0 for
    /// now.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        var seen = fullAt.load(ordering: .relaxed)
        while true {
            let next = pace.charging(count, to: seen, atNanoseconds: now)
            let (exchanged, original) = fullAt.weakCompareExchange(expected: seen, desired: next, ordering: .relaxed)
            if exchanged { return pace.wait(next, atNanoseconds: now) }
            seen = original
        }
    }

    /// After how many nanoseconds one token may be taken; 0 for now. Takes none.
    func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt.load(ordering: .relaxed), atNanoseconds: now) }

    /// Whether it is as if nothing had ever been taken.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt.load(ordering: .relaxed) <= now }
}
