import KithWire

/// A relay of this profile, by number.
package struct RelayID: RawRepresentable, Hashable, Sendable, Comparable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What happens to a ``Messenger``.
package enum MessengerInput: Sendable {
    /// A connection to a relay stands: hello was said, and the relay answered with its time, in milliseconds since 1970.
    case connected(RelayID, limits: AdvertisedLimits, timeMs: UInt64? = nil)
    /// The connection to a relay is over. Answers that did not come will not come.
    case disconnected(RelayID)
    /// The answer to a request.
    case answered(RelayID, tag: UInt64, Result<Reply, RelayError>)
    /// A follow began: the first entry that it will bring, and the last that is there already.
    case followStarted(RelayID, tag: UInt64, firstSeq: UInt64, lastSeq: UInt64)
    /// What a follow brought.
    case followed(RelayID, tag: UInt64, FollowEvent)
    /// A follow is over because the relay refused it or ended it. Not said after `epochEnded`, or after an unfollow.
    case followRefused(RelayID, tag: UInt64, RelayError)
    /// The user wants something.
    case command(GivenCommand)
    /// Time has passed.
    case tick
}
