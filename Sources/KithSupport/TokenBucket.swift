/// A rate limit: a burst, and then one token after the other at a fixed pace. The caller passes the time, in nanoseconds of any
/// clock that nobody sets back.
package struct TokenBucket: Sendable {
    private var pace: TokenPace
    /// The time at which the bucket would be full again, in nanoseconds.
    private var fullAt: Int64 = 0

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: time in which one token comes, at least 1.
    package init(burst: Int, nanosecondsEach: Int64) {
        pace = TokenPace(burst: burst, nanosecondsEach: nanosecondsEach)
    }

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - perSecond: tokens that come each second, at least 1.
    package init(burst: Int, perSecond: Int) {
        self.init(burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)))
    }

    /// The same bucket with a burst and a rate that are larger by a factor.
    package func scaled(by factor: Int) -> TokenBucket {
        var scaled = self
        scaled.pace = pace.scaled(by: factor)
        return scaled
    }

    /// Takes a token and returns 0, or takes none and returns the nanoseconds until there is one.
    package mutating func take(atNanoseconds now: Int64) -> Int64 {
        let wait = wait(atNanoseconds: now)
        if wait == 0 { charge(1, atNanoseconds: now) }
        return wait
    }

    /// Nanoseconds until a token may be taken; 0 for now. Takes none.
    package func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt, atNanoseconds: now) }

    /// Charges `count` tokens afterwards, whether they are there or not. A debt delays the next token.
    package mutating func charge(_ count: Int, atNanoseconds now: Int64) {
        fullAt = pace.charging(count, to: fullAt, atNanoseconds: now)
    }

    /// Whether the bucket is as full as if no token had ever been taken.
    package func isFull(atNanoseconds now: Int64) -> Bool { fullAt <= now }
}
