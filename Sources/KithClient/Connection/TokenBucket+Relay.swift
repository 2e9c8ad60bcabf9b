import KithSupport
import KithWire
import NIOCore

extension TokenBucket {
    /// A bucket for requests to a relay: four fifths of the rate and half of the burst that the relay allows. The network may
    /// bunch requests up.
    package init(below limits: AdvertisedLimits) {
        self.init(
            burst: Int(limits.requestBurst) / 2,
            nanosecondsEach: 1_250_000_000 / Int64(max(limits.requestsPerSecond, 1)))
    }

    /// Takes a token if there is one, and says whether there was.
    package mutating func take(at now: NIODeadline) -> Bool {
        take(atNanoseconds: Int64(now.uptimeNanoseconds)) == 0
    }

    /// Time until a token may be taken. Takes none.
    package func wait(at now: NIODeadline) -> TimeAmount {
        .nanoseconds(wait(atNanoseconds: Int64(now.uptimeNanoseconds)))
    }
}
