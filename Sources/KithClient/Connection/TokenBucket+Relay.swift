import KithCore
import KithSupport
import NIOCore

extension TokenBucket {
    /// Takes a token if there is one. Returns whether a token was taken.
    package mutating func take(at now: NIODeadline) -> Bool {
        take(atNanoseconds: Int64(now.uptimeNanoseconds)) == 0
    }

    /// Returns the time until a token is available, without taking a token.
    package func wait(at now: NIODeadline) -> TimeAmount {
        .nanoseconds(wait(atNanoseconds: Int64(now.uptimeNanoseconds)))
    }
}
