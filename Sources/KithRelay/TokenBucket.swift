/// Lets a burst through and then so many a second. Takes the clock as an argument.
struct TokenBucket {
    private let nanosecondsEach: Int64
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

    /// Takes one and returns 0, or takes none and returns after how many nanoseconds to try again.
    mutating func take(atNanoseconds now: Int64) -> Int64 {
        let fullAt = max(self.fullAt, now) + nanosecondsEach
        let wait = fullAt - now - nanosecondsFull
        guard wait <= 0 else { return wait }
        self.fullAt = fullAt
        return 0
    }
}
