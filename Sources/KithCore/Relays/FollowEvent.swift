import KithWire

/// An event of a follow.
package enum FollowEvent: Hashable, Sendable {
    /// Consecutive entries, without a gap after the previous ones.
    case entries([Entry])
    /// A payload that the relay does not store. Whispers are dropped while the consumer lags, because they are of use only at
    /// once.
    case whisper(ArraySlice<UInt8>)
    /// The epoch ended with its turn, the last entry delivered. No event follows.
    case epochEnded(UInt64)
}

extension FollowEvent {
    /// The size, in bytes. The other fields of an entry count too, so that empty entries are not free.
    package var payloadBytes: Int {
        switch self {
        case .entries(let entries): entries.reduce(0) { $0 + $1.payload.count + 64 }
        case .whisper(let payload): payload.count + 64
        case .epochEnded: 64
        }
    }
}
