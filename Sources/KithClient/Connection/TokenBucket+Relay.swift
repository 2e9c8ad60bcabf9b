import KithCore
import KithSupport
import NIOCore

extension TokenBucket {
    /// Takes a token if there is one, and returns whether there was.
    package mutating func take(at now: NIODeadline) -> Bool {
        take(atNanoseconds: Int64(now.uptimeNanoseconds)) == 0
    }

    /// Time until a token may be taken. Takes none.
    package func wait(at now: NIODeadline) -> TimeAmount {
        .nanoseconds(wait(atNanoseconds: Int64(now.uptimeNanoseconds)))
    }
}
