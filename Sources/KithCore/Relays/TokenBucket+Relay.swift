import KithSupport
import KithWire

extension TokenBucket {
    /// Creates a bucket for requests to a relay, with four fifths of the relay's rate and half of its burst. The values are lower
    /// than the relay's values, because requests may arrive closer together than they were sent.
    package init(below limits: AdvertisedLimits) {
        self.init(
            burst: Int(limits.requestBurst) / 2,
            nanosecondsEach: 1_250_000_000 / Int64(max(limits.requestsPerSecond, 1)))
    }

    /// Takes a token and returns `nil`. If there is no token, returns the time of the next token.
    mutating func take(at now: Duration) -> Duration? {
        let wait = take(atNanoseconds: now.wholeNanoseconds)
        return wait == 0 ? nil : now + .nanoseconds(wait)
    }
}

extension Duration {
    /// The duration in nanoseconds. A duration of more than about 292 years gives the highest number.
    package var wholeNanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}
