/// The burst and the rate of a token bucket, and its arithmetic. A bucket's state is one number: the time at which it would be
/// full again, in nanoseconds of any clock.
package struct TokenPace: Sendable {
    /// Time in which one token comes.
    package let nanosecondsEach: Int64
    /// Time in which the empty bucket fills.
    private let nanosecondsFull: Int64
    /// Bound on the time of a charge and on a debt. It is short enough to be added to any time of the clock.
    private let longest: Int64

    /// Longer than any process runs.
    package static let unbounded = Int64.max / 4

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: time in which one token comes, at least 1.
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

    /// The pace with a burst and a rate that are larger by a factor.
    package func scaled(by factor: Int) -> TokenPace {
        TokenPace(
            nanosecondsEach: max(1, nanosecondsEach / Int64(max(1, factor))), nanosecondsFull: nanosecondsFull,
            longest: longest)
    }

    /// The state after `count` tokens were taken, whether they were there or not.
    package func charging(_ count: Int, to fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        min(max(fullAt, now), now + longest) + Self.time(of: count, nanosecondsEach, longest)
    }

    /// Nanoseconds after which one token may be taken; 0 for now.
    package func wait(_ fullAt: Int64, atNanoseconds now: Int64) -> Int64 {
        max(0, max(fullAt, now) + nanosecondsEach - now - nanosecondsFull)
    }
}
