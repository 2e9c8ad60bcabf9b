import KithWire

/// A record under a name, and its age.
public struct StoredName: Hashable, Sendable {
    /// The record.
    public let record: NameRecord
    /// When it was registered or last replaced, in milliseconds since 1970.
    public let renewedMs: UInt64
}
