import KithWire

/// A record under a name, and the time of its last renewal.
public struct StoredName: Hashable, Sendable {
    /// The record.
    public let record: NameRecord
    /// Time of its registration or last replacement, in milliseconds since 1970.
    public let renewedMs: UInt64
}
