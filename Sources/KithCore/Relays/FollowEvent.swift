import KithWire

/// An event of a follow.
package enum FollowEvent: Hashable, Sendable {
    /// Consecutive entries. The entries directly follow those that were delivered before.
    case entries([Entry])
    /// A whisper: a payload that the relay passes on and does not store.
    case whisper(ArraySlice<UInt8>)
    /// The epoch has ended with its turn, which was the last entry. No event follows.
    case epochEnded(UInt64)
}
