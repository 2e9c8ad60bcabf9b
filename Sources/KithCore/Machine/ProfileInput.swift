import KithWire

/// The number of a relay in this profile.
package struct RelayID: RawRepresentable, Hashable, Sendable, Comparable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An input of a ``ProfileMachine``.
package enum ProfileInput: Sendable {
    /// A relay is connected. It has answered the hello with its limits and its time, in milliseconds since 1970.
    case connected(RelayID, limits: AdvertisedLimits, timeMs: UInt64? = nil)
    /// The connection to a relay has ended. Outstanding requests will get no answer.
    case disconnected(RelayID)
    /// A request was answered.
    case answered(RelayID, tag: UInt64, Result<Reply, RelayError>)
    /// A follow began. `firstSeq` is the first entry that it will bring, `lastSeq` the last entry that is at the relay already.
    case followStarted(RelayID, tag: UInt64, firstSeq: UInt64, lastSeq: UInt64)
    /// A follow brought entries, a whisper, or the end of the epoch.
    case followed(RelayID, tag: UInt64, FollowEvent)
    /// The relay refused or ended a follow. Not reported after `epochEnded` or an unfollow.
    case followRefused(RelayID, tag: UInt64, RelayError)
    /// The user gave a command.
    case command(GivenCommand)
    /// Time has passed.
    case tick
}
