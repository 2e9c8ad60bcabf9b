/// The disk space of a store.
package struct StoreSpace: Hashable, Sendable {
    /// Number of bytes in use. Bytes of deleted data are not counted: the store uses these bytes again before its files grow.
    package var usedBytes: UInt64
    /// Number of bytes by which ``usedBytes`` can grow before the disk is full.
    package var freeBytes: UInt64

    /// Creates a value from its fields.
    package init(usedBytes: UInt64, freeBytes: UInt64) {
        self.usedBytes = usedBytes
        self.freeBytes = freeBytes
    }
}

/// Totals of a store.
package struct StoreStatistics: Hashable, Sendable {
    /// Number of open channels.
    package var channels: UInt64
    /// Number of entries that are kept.
    package var entries: UInt64
    /// Number of key packages, including last-resort ones.
    package var keyPackages: UInt64
    /// Number of registered names.
    package var names: UInt64
    /// Total size of the store's files, in bytes.
    package var diskBytes: UInt64
    /// Number of times since the start that a channel's data was found damaged and was skipped.
    package var damages: UInt64

    /// Creates a value from its fields.
    package init(
        channels: UInt64, entries: UInt64, keyPackages: UInt64, names: UInt64, diskBytes: UInt64, damages: UInt64 = 0
    ) {
        self.channels = channels
        self.entries = entries
        self.keyPackages = keyPackages
        self.names = names
        self.diskBytes = diskBytes
        self.damages = damages
    }
}
