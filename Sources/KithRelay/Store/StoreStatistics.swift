/// The disk space of a store.
package struct StoreSpace: Hashable, Sendable {
    /// Bytes in use. Freed bytes, which are used again before the store grows, do not count.
    package var usedBytes: UInt64
    /// Bytes by which ``usedBytes`` can grow before the disk is full.
    package var freeBytes: UInt64

    /// A space from its values.
    package init(usedBytes: UInt64, freeBytes: UInt64) {
        self.usedBytes = usedBytes
        self.freeBytes = freeBytes
    }
}

/// Totals of a store.
package struct StoreStatistics: Hashable, Sendable {
    /// Number of open channels.
    package var channels: UInt64
    /// Number of kept entries.
    package var entries: UInt64
    /// Number of key packages, last-resort ones included.
    package var keyPackages: UInt64
    /// Number of registered names.
    package var names: UInt64
    /// Bytes of the store's files.
    package var diskBytes: UInt64
    /// Number of times that a channel's data was found damaged and skipped, since the start.
    package var damages: UInt64

    /// Statistics from their values.
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
