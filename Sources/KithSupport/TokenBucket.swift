/// A rate limit. A new bucket is full. One token is added after each fixed interval. The caller passes the time in nanoseconds.
/// The caller's clock must never go backwards.
package struct TokenBucket: Sendable {
    private var pace: TokenPace
    /// The time, in nanoseconds, at which the bucket is full again if nobody takes a token.
    private var fullAt: Int64 = 0

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - nanosecondsEach: nanoseconds until one token is added, at least 1.
    package init(burst: Int, nanosecondsEach: Int64) {
        pace = TokenPace(burst: burst, nanosecondsEach: nanosecondsEach)
    }

    /// - Parameters:
    ///   - burst: tokens in the full bucket, at least 1.
    ///   - perSecond: tokens that are added each second, at least 1.
    package init(burst: Int, perSecond: Int) {
        self.init(burst: burst, nanosecondsEach: 1_000_000_000 / Int64(max(perSecond, 1)))
    }

    /// Returns a copy of the bucket with `factor` times the burst and `factor` times the rate.
    package func scaled(by factor: Int) -> TokenBucket {
        var scaled = self
        scaled.pace = pace.scaled(by: factor)
        return scaled
    }

    /// If the bucket has a token, takes the token and returns 0. If the bucket is empty, returns the nanoseconds until the next
    /// token.
    package mutating func take(atNanoseconds now: Int64) -> Int64 {
        let wait = wait(atNanoseconds: now)
        if wait == 0 { charge(1, atNanoseconds: now) }
        return wait
    }

    /// Returns the nanoseconds until the bucket has a token; 0 if the bucket has a token now. Takes no token.
    package func wait(atNanoseconds now: Int64) -> Int64 { pace.wait(fullAt, atNanoseconds: now) }

    /// Takes `count` tokens for finished work. If the bucket has fewer tokens, the missing tokens become a debt. A debt delays
    /// the next token.
    package mutating func charge(_ count: Int, atNanoseconds now: Int64) {
        fullAt = pace.charging(count, to: fullAt, atNanoseconds: now)
    }

    /// `true` if the bucket has its whole burst of tokens.
    package func isFull(atNanoseconds now: Int64) -> Bool { fullAt <= now }
}
