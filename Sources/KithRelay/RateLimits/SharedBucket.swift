import KithSupport
import Synchronization

/// A token bucket that several threads share without a lock. It can have a debt, because work is charged after it was done.
/// ``charge(_:atNanoseconds:)`` returns the wait before the next work.
final class SharedBucket: Sendable {
    private let pace: TokenPace
    /// The time at which the bucket will be full again if no more tokens are taken, in nanoseconds.
    private let fullAt = Atomic<Int64>(0)

    /// The largest debt, as the time until it is paid off, in nanoseconds: a day.
    private static let longest: Int64 = 86_400_000_000_000

    /// - Parameters:
    ///   - burst: number of tokens in the full bucket, at least 1.
    ///   - perSecond: number of tokens added each second, at least 1.
    init(burst: Int, perSecond: Int) {
        pace = TokenPace(
            burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)), longest: Self.longest)
    }

    /// Takes `count` tokens, even if the bucket holds fewer. Returns the nanoseconds until the next token is available; 0 if it
    /// is available now.
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

    /// Returns the nanoseconds until a token is available; 0 if one is available now. Takes no token.
    func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt.load(ordering: .relaxed), atNanoseconds: now) }

    /// Whether the bucket is full, so that it has no debt.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt.load(ordering: .relaxed) <= now }
}
