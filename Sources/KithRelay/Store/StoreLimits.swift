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

    /// For as many mutations in a commit, the entries of one more block of references that was dropped are deleted beside
    /// them: deleting costs about as much as appending.
    static let mutationsPerDroppedBlock: UInt64 = 64

    /// Bytes of payloads that one commit deletes beside what it appends, once for what its mutations drop and once for what
    /// was dropped before: deleted bytes are overwritten, so a MiB takes some ms.
    static let deletedBytesPerCommit = 1 << 20
    /// As many that a commit of scheduledMaintenance only deletes.
    static let deletedBytesOfIdleCommit = 4 << 20
    /// The cost of deleting a row beside its payload, in bytes of payload: about the row's own.
    static let rowBytes = 128

    /// A commit of scheduledMaintenance only does as much as one beside so many mutations: some 10 ms.
    static let mutationsOfIdleCommit = 1_024

    /// After this long without a commit, scheduledMaintenance gets transactions of its own.
    static let idleMs: Int64 = 100

    /// Between two such transactions, so that whatever else wants the thread gets it.
    static let sliceGapMs: Int64 = 1

    /// Channels kept in memory: about 300 bytes each. A channel that has to be found in the file first costs an append
    /// several times as much, because each is on pages of its own; so all that a large relay has in use should fit.
    static let cachedChannels = 1 << 20

    /// References of open blocks kept in memory: 40 bytes each. A complete block that is not there is read back entry by
    /// entry, once for all of its entries.
    static let openReferences = 1 << 22

    /// Heads looked at in one read of an expiry: others wait for their reads no longer than some ms.
    static let headsPerExpiryRead: UInt64 = 20_000

    /// Expired entries after which such a read ends with its channel: some tens of ms.
    static let entriesPerExpiryRead: UInt64 = 262_144

    /// Channels that one call of `expire` trims.
    static let channelsPerExpiry = 500

    /// A channel has been in long use if it was last used more than this after it was created, in milliseconds: a week, which
    /// separates conversations from what was tried once. In the index `channel_brief`, too: another value is a migration.
    static let longUseMs: UInt64 = 7 * 86_400_000

    /// Idle channels found in one read: each is then dealt with in a commit.
    static let idleChannelsPerRead = 64

    /// Old key packages, and old names, that one transaction deletes. A key package has 64 KiB at most, so this is 2 MiB of
    /// them: some ms.
    static let discardedPerSlice = 32

    /// A log of this many bytes is copied into the database by the checkpointer, while commits go on.
    static let checkpointBytes = 16 << 20
    /// Commits that came meanwhile are copied by the writer, if they are at most this share of that: then the log is used from its front
    /// again. If it is more, it is the checkpointer's again when it has grown by as much.
    static let checkpointShare = 4
    /// A log of this many bytes is copied by the writer itself, so that no load makes it grow without bound.
    static let checkpointNowBytes = 64 << 20

    /// The latest time that a noted clock may have, in milliseconds since 1970: a later one is damaged. Sums of two such times
    /// and of durations still fit into 64 bits.
    static let latestMs = UInt64(1) << 60

    /// Larger than SQLite's default: fewer pages for the same entries, and nothing is ever changed in place but tails.
    static let pageBytes = 8_192
    /// The writer touches the ends of its tables and the pages of heads and blocks; the rest is the system's cache.
    static let writerCacheKiB = 32 << 10
    static let readerCacheKiB = 8 << 10

    /// How often a read is tried beside the commits before it makes them wait, because entries were dropped meanwhile.
    static let readAttempts = 2

    /// An audit reads entries in pieces of this many bytes of payload.
    static let auditReadBytes = 1 << 20
    /// Other rows are read so many at a time.
    static let auditedRowsAtOnce: UInt64 = 512
    /// An audit shows this many bytes of each payload: enough to see that they are random.
    static let auditedPayloadBytes = 16

    /// How long SQLite waits for a lock. Only a recovery after a crash ever holds one.
    static let busyTimeoutMs: Int32 = 5_000
}

/// The limits that decide when something is put off or moved. Tests set them low, so that little data meets them all.
struct StoreTuning: Sendable {
    /// See ``StoreLimits/entriesPerSweep``.
    var entriesPerSweep = StoreLimits.entriesPerSweep
    /// See ``StoreLimits/cachedChannels``.
    var cachedChannels = StoreLimits.cachedChannels
    /// See ``StoreLimits/openReferences``.
    var openReferences = StoreLimits.openReferences
    /// See ``StoreLimits/checkpointBytes``.
    var checkpointBytes = StoreLimits.checkpointBytes
    /// See ``StoreLimits/checkpointNowBytes``.
    var checkpointNowBytes = StoreLimits.checkpointNowBytes

    /// See ``StoreLimits/checkpointShare``.
    var checkpointShareBytes: Int { checkpointBytes / StoreLimits.checkpointShare }
}
