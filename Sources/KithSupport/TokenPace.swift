/// The burst and the rate of a token bucket, with the arithmetic of the bucket's state. A bucket's state is the time at which the
/// bucket is full again if nobody takes a token, in nanoseconds of any clock.
package struct TokenPace: Sendable {
    /// Time until one token is added, in nanoseconds.
    package let nanosecondsEach: Int64
    /// Time until an empty bucket is full, in nanoseconds.
    private let nanosecondsFull: Int64
    /// Maximum debt that remains from earlier charges when a new charge is made, in nanoseconds. The new charge adds at most
    /// the same amount. With these limits, the sum of a time of the clock and the debt does not overflow.
    private let longest: Int64

    /// The maximum debt of a bucket without a limit, in nanoseconds. No debt reaches it within the running time of a process.
    package static let unbounded = Int64.max / 4

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: nanoseconds until one token is added, at least 1.
    ///   - longest: maximum debt that remains from earlier charges when a new charge is made, in nanoseconds.
    package init(burst: Int, nanosecondsEach: Int64, longest: Int64 = unbounded) {
        let each = min(max(nanosecondsEach, 1), longest)
        self.init(
            nanosecondsEach: each, nanosecondsFull: Self.time(of: max(burst, 1), each, longest), longest: longest)
    }

    private init(nanosecondsEach: Int64, nanosecondsFull: Int64, longest: Int64) {
        self.nanosecondsEach = nanosecondsEach
        self.nanosecondsFull = nanosecondsFull
        self.longest = longest
    }

    private static func time(of count: Int, _ each: Int64, _ longest: Int64) -> Int64 {
        let (time, overflows) = Int64(max(count, 0)).multipliedReportingOverflow(by: each)
        return overflows ? longest : min(time, longest)
    }

    /// Returns a copy of the pace with `factor` times the burst and `factor` times the rate.
    package func scaled(by factor: Int) -> TokenPace {
        TokenPace(
            nanosecondsEach: max(1, nanosecondsEach / Int64(max(1, factor))), nanosecondsFull: nanosecondsFull,
            longest: longest)
    }

    /// Takes `count` tokens, and returns the bucket's new state. If the bucket has fewer tokens, the new state contains a debt.
    package func charging(_ count: Int, to fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        min(max(fullAt, now), now + longest) + Self.time(of: count, nanosecondsEach, longest)
    }

    /// Returns the nanoseconds until the bucket has a token; 0 if the bucket has a token now.
    package func wait(_ fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        max(0, max(fullAt, now) + nanosecondsEach - now - nanosecondsFull)
    }
}
