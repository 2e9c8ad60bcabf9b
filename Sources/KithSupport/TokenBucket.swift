/// A rate limit: a burst of tokens, and then one new token per fixed interval. The caller passes the time in nanoseconds, from a
/// clock that never goes backwards.
package struct TokenBucket: Sendable {
    private var pace: TokenPace
    /// The time at which the bucket will be full again if no more tokens are taken, in nanoseconds.
    private var fullAt: Int64 = 0

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: time in which one token is added, at least 1.
    package init(burst: Int, nanosecondsEach: Int64) {
        pace = TokenPace(burst: burst, nanosecondsEach: nanosecondsEach)
    }

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - perSecond: tokens that are added each second, at least 1.
    package init(burst: Int, perSecond: Int) {
        self.init(burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)))
    }

    /// A copy of the bucket whose burst and rate are multiplied by `factor`.
    package func scaled(by factor: Int) -> TokenBucket {
        var scaled = self
        scaled.pace = pace.scaled(by: factor)
        return scaled
    }

    /// Takes a token and returns 0. If the bucket is empty, takes none and returns the nanoseconds until the next token.
    package mutating func take(atNanoseconds now: Int64) -> Int64 {
        let wait = wait(atNanoseconds: now)
        if wait == 0 { charge(1, atNanoseconds: now) }
        return wait
    }

    /// Returns the nanoseconds until a token may be taken; 0 if one may be taken now. Takes no token.
    package func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt, atNanoseconds: now) }

    /// Takes `count` tokens for work that was already done, even if the bucket holds fewer. The missing tokens are a debt, which
    /// delays the next token.
    package mutating func charge(_ count: Int, atNanoseconds now: Int64) {
        fullAt = pace.charging(count, to: fullAt, atNanoseconds: now)
    }

    /// `true` if the bucket is as full as an unused one.
    package func isFull(atNanoseconds now: Int64) -> Bool { fullAt <= now }
}
