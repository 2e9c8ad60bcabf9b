import KithWire

/// The number of a relay in this profile.
package struct RelayID: RawRepresentable, Hashable, Sendable, Comparable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An input of a ``ProfileMachine``.
package enum ProfileInput: Sendable {
    /// A relay is connected and has answered `hello` with its limits and its time, in milliseconds since 1970.
    case connected(RelayID, limits: AdvertisedLimits, timeMs: UInt64? = nil)
    /// The connection to a relay has ended. Requests without an answer will get none.
    case disconnected(RelayID)
    /// The relay has answered a request.
    case answered(RelayID, tag: UInt64, Result<Reply, RelayError>)
    /// A follow has begun. `firstSeq` is the seq of the first entry that the follow delivers. `lastSeq` is the seq of the last
    /// entry that the relay had when the follow began.
    case followStarted(RelayID, tag: UInt64, firstSeq: UInt64, lastSeq: UInt64)
    /// A follow has delivered entries, a whisper, or the end of the epoch.
    case followed(RelayID, tag: UInt64, FollowEvent)
    /// The relay has refused or ended a follow. Not reported for a follow that has ended with `epochEnded` or an unfollow.
    case followRefused(RelayID, tag: UInt64, RelayError)
    /// The user has given a command.
    case command(GivenCommand)
    /// Time has passed.
    case tick
}
