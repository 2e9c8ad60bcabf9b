import KithWire

/// An event of a follow.
package enum FollowEvent: Hashable, Sendable {
    /// Consecutive entries, without a gap after the previous ones.
    case entries([Entry])
    /// A payload that the relay does not store.
    case whisper(ArraySlice<UInt8>)
    /// The epoch ended with its turn, the last entry delivered. No event follows.
    case epochEnded(UInt64)
}
