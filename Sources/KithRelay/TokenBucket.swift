/// Lets a burst through and then so many a second. Takes the clock as an argument.
struct TokenBucket {
    private var nanosecondsEach: Int64
    /// How long the empty bucket takes to fill.
    private let nanosecondsFull: Int64
    /// When the bucket would be full again, in nanoseconds.
    private var fullAt: Int64 = 0

    /// - Parameters:
    ///   - burst: how many at once, at least 1.
    ///   - nanosecondsEach: after how long one more may come.
    init(burst: Int, nanosecondsEach: Int64) {
        self.nanosecondsEach = min(max(nanosecondsEach, 1), TokenBucket.longest)
        let (full, overflows) = self.nanosecondsEach.multipliedReportingOverflow(by: Int64(max(burst, 1)))
        nanosecondsFull = overflows ? TokenBucket.longest : min(full, TokenBucket.longest)
    }

    /// Longer than any relay runs, and short enough to be added to any of its times.
    private static let longest = Int64.max / 4

    init(burst: Int, perSecond: Int) {
        self.init(burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)))
    }

    /// The same bucket with a burst and a rate that are larger by a factor.
    func scaled(by factor: Int) -> TokenBucket {
        var scaled = self
        scaled.nanosecondsEach = max(1, nanosecondsEach / Int64(max(1, factor)))
        return scaled
    }

    /// Takes one and returns 0, or takes none and returns after how many nanoseconds to try again.
    mutating func take(atNanoseconds now: Int64) -> Int64 {
        let fullAt = max(self.fullAt, now) + nanosecondsEach
        let wait = fullAt - now - nanosecondsFull
        guard wait <= 0 else { return wait }
        self.fullAt = fullAt
        return 0
    }

    /// After how many nanoseconds one may be taken; 0 for now. Takes none.
    func wait(atNanoseconds now: Int64) -> Int64 {
        var copy = self
        return copy.take(atNanoseconds: now)
    }

    /// Takes so many that were had already, also if there are not so many: then nobody gets any until that is made up for.
    mutating func charge(_ count: Int, atNanoseconds now: Int64) {
        let (cost, overflows) = nanosecondsEach.multipliedReportingOverflow(by: Int64(max(count, 0)))
        fullAt =
            min(max(fullAt, now), now + TokenBucket.longest)
            + (overflows ? TokenBucket.longest : min(cost, TokenBucket.longest))
    }

    /// Whether it is as if nothing had ever been taken.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt <= now }
}
