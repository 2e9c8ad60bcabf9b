/// The room that a store takes.
public struct StoreSpace: Hashable, Sendable {
    /// Bytes in use. Those that were freed and are used again before the store grows do not count.
    public var usedBytes: UInt64
    /// Bytes by which ``usedBytes`` can grow until the disk is full.
    public var freeBytes: UInt64

    /// A space from its values.
    public init(usedBytes: UInt64, freeBytes: UInt64) {
        self.usedBytes = usedBytes
        self.freeBytes = freeBytes
    }
}

/// Totals of a store.
public struct StoreStatistics: Hashable, Sendable {
    /// Channels that are open.
    public var channels: UInt64
    /// Entries kept.
    public var entries: UInt64
    /// Key packages waiting, last-resort ones included.
    public var keyPackages: UInt64
    /// Names registered.
    public var names: UInt64
    /// Bytes on the disk.
    public var diskBytes: UInt64
    /// How often something of one channel was found damaged and passed over, since the start.
    public var damages: UInt64

    /// Statistics from their values.
    public init(
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
