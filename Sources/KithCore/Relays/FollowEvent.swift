import KithWire

/// Events of a follow.
package enum FollowEvent: Hashable, Sendable {
    /// Consecutive entries, none left out since the ones before.
    case entries([Entry])
    /// A payload that is stored nowhere. While a consumer lags, whispers are dropped: they are worth something only now.
    case whisper(ArraySlice<UInt8>)
    /// The epoch is over: the last entry brought was its turn. Nothing follows.
    case epochEnded(UInt64)
}

extension FollowEvent {
    /// Its size, in bytes. The fields of an entry beside its payload count too, so that empty entries are not for nothing.
    package var payloadBytes: Int {
        switch self {
        case .entries(let entries): entries.reduce(0) { $0 + $1.payload.count + 64 }
        case .whisper(let payload): payload.count + 64
        case .epochEnded: 64
        }
    }
}
