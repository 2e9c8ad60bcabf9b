/// Lets a burst through and then so many a second. Takes the clock as an argument.
struct TokenBucket {
    private var pace: TokenPace
    /// When the bucket would be full again, in nanoseconds.
    private var fullAt: Int64 = 0

    /// - Parameters:
    ///   - burst: how many at once, at least 1.
    ///   - nanosecondsEach: after how long one more may come.
    init(burst: Int, nanosecondsEach: Int64) { pace = TokenPace(burst: burst, nanosecondsEach: nanosecondsEach) }

    init(burst: Int, perSecond: Int) {
        self.init(burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)))
    }

    /// The same bucket with a burst and a rate that are larger by a factor.
    func scaled(by factor: Int) -> TokenBucket {
        var scaled = self
        scaled.pace = pace.scaled(by: factor)
        return scaled
    }

    /// Takes one and returns 0, or takes none and returns after how many nanoseconds to try again.
    mutating func take(atNanoseconds now: Int64) -> Int64 {
        let wait = wait(atNanoseconds: now)
        if wait == 0 { charge(1, atNanoseconds: now) }
        return wait
    }

    /// After how many nanoseconds one may be taken; 0 for now. Takes none.
    func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt, atNanoseconds: now) }

    /// Takes so many that were had already, also if there are not so many: then nobody gets any until that is made up for.
    mutating func charge(_ count: Int, atNanoseconds now: Int64) {
        fullAt = pace.charging(count, to: fullAt, atNanoseconds: now)
    }

    /// Whether it is as if nothing had ever been taken.
    func isFull(atNanoseconds now: Int64) -> Bool { fullAt <= now }
}
