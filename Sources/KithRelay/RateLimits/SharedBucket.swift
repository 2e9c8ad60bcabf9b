import KithSupport
import Synchronization

/// A token bucket that several threads share without a lock. Work is charged after it is done, so the bucket can have a debt.
/// ``charge(_:atNanoseconds:)`` returns how long to wait before doing more work.
final class SharedBucket: Sendable {
    private let pace: TokenPace
    /// The time at which the bucket will be full again if no more tokens are taken, in nanoseconds.
    private let fullAt = Atomic<Int64>(0)

    /// The largest debt, in nanoseconds: one day. A debt is measured by the time until the debt is paid off.
    private static let longest: Int64 = 86_400_000_000_000

    /// - Parameters:
    ///   - burst: number of tokens in the full bucket, at least 1.
    ///   - perSecond: number of tokens added each second, at least 1.
    init(burst: Int, perSecond: Int) {
        pace = TokenPace(
            burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)), longest: Self.longest)
    }

    /// Takes `count` tokens, even if the bucket does not have enough. Returns the nanoseconds until the next token is available;
    /// 0 if a token is available now.
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

    /// Returns the nanoseconds until a token is available; 0 if a token is available now. Takes no token.
    func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt.load(ordering: .relaxed), atNanoseconds: now) }

    /// Whether the bucket is full. A full bucket has no debt.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt.load(ordering: .relaxed) <= now }
}
