import KithWire

/// A record under a name, and the time of its last renewal.
package struct StoredName: Hashable, Sendable {
    /// The record.
    package let record: NameRecord
    /// Time of the registration or of the last replacement, in milliseconds since 1970.
    package let renewedMs: UInt64
}
