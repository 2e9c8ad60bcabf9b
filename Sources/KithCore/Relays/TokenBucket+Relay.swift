import KithSupport
import KithWire

extension TokenBucket {
    /// A bucket for requests to a relay: four fifths of the rate and half of the burst that the relay allows. The network may
    /// bunch requests up.
    package init(below limits: AdvertisedLimits) {
        self.init(
            burst: Int(limits.requestBurst) / 2,
            nanosecondsEach: 1_250_000_000 / Int64(max(limits.requestsPerSecond, 1)))
    }

    /// Takes a token and returns nil, or takes none and returns the time at which there is one.
    mutating func take(at now: Duration) -> Duration? {
        let wait = take(atNanoseconds: now.wholeNanoseconds)
        return wait == 0 ? nil : now + .nanoseconds(wait)
    }
}

extension Duration {
    /// The duration in nanoseconds. At most some 292 years.
    package var wholeNanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}
