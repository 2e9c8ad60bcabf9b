/// The bounds of the stores, each with its reason.
public enum StoreLimits {
    /// How many epochs without a kept entry a channel remembers. A member who was away for longer than the retention can
    /// still prove that it belongs and is told what was trimmed; the number bounds what a channel that only turns costs.
    public static let trimmedEpochs: UInt64 = 1_000

    /// Entries that share one row of references. More save writes; fewer save what a cold channel's load has to walk.
    static let entriesPerBlock: UInt64 = 64

    /// Heads are written down when this many entries came since the last time: as many entries have to be looked at after
    /// a kill, 50 ms for 300 bytes each; the fewer, the more often a busy channel's head is written.
    static let entriesPerSweep: UInt64 = 131_072

    /// Heads written in one transaction beside its mutations, and per mutation: no commit waits for more than 1 ms.
    static let headsPerCommit = 512
    static let headsPerMutation = 4

    /// Rows of a dropped range deleted in one transaction: 32 blocks of references, some 10 ms.
    static let droppedBlocksPerCommit: UInt64 = 32

    /// After this long without a commit, housekeeping gets transactions of its own.
    static let idleMs: Int64 = 100

    /// Channels kept in memory: about 3 KiB each with its open block, at most 64 MiB for those of a busy relay.
    static let cachedChannels = 20_000

    /// Heads looked at in one read of an expiry: others wait for their reads no longer than some ms.
    static let headsPerExpiryRead: UInt64 = 20_000

    /// Channels that one call of `expire` trims.
    static let channelsPerExpiry = 500

    /// A log of this many bytes is copied into the database by the checkpointer, while commits go on.
    static let checkpointBytes = 16 << 20
    /// A log of this many bytes is copied by the writer itself, so that no load makes it grow without bound.
    static let checkpointNowBytes = 64 << 20

    /// Larger than SQLite's default: fewer pages for the same entries, and nothing is ever changed in place but tails.
    static let pageBytes = 8_192
    /// The writer touches the ends of its tables and the pages of heads and blocks; the rest is the system's cache.
    static let writerCacheKiB = 32 << 10
    static let readerCacheKiB = 8 << 10

    /// How long SQLite waits for a lock. Only a recovery after a crash ever holds one.
    static let busyTimeoutMs: Int32 = 5_000
}
