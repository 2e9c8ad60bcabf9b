/// The burst and the rate of a token bucket, with their arithmetic. A bucket's state is one number: the time at which the bucket
/// will be full again if no more tokens are taken, in nanoseconds of any clock.
package struct TokenPace: Sendable {
    /// Time in which one token is added, in nanoseconds.
    package let nanosecondsEach: Int64
    /// Time in which the empty bucket fills, in nanoseconds.
    private let nanosecondsFull: Int64
    /// Upper bound of a debt, and of the time that one charge adds, in nanoseconds. The bound is small enough to be added to any
    /// time of the clock without overflow.
    private let longest: Int64

    /// A bound that no debt reaches, because it is longer than the time for which any process runs.
    package static let unbounded = Int64.max / 4

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: time in which one token is added, at least 1.
    ///   - longest: bound on a debt, in nanoseconds.
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

    /// A copy of the pace whose burst and rate are multiplied by `factor`.
    package func scaled(by factor: Int) -> TokenPace {
        TokenPace(
            nanosecondsEach: max(1, nanosecondsEach / Int64(max(1, factor))), nanosecondsFull: nanosecondsFull,
            longest: longest)
    }

    /// Returns the bucket's state after `count` tokens were taken, even if the bucket held fewer.
    package func charging(_ count: Int, to fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        min(max(fullAt, now), now + longest) + Self.time(of: count, nanosecondsEach, longest)
    }

    /// Returns the nanoseconds until one token may be taken; 0 if one may be taken now.
    package func wait(_ fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        max(0, max(fullAt, now) + nanosecondsEach - now - nanosecondsFull)
    }
}
