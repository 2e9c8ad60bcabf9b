/// The limits of the stores, each with its reason.
package enum StoreLimits {
    /// Number of epochs without a kept entry that a channel remembers. A member that was away for longer than the
    /// retention can still prove its right and is told `trimmed`. The number bounds the cost of a channel that only
    /// turns.
    package static let trimmedEpochs: UInt64 = 1_000

    /// Entries that share one row of references. A larger number saves writes; a smaller one shortens the chain that a
    /// load of a cold channel follows.
    static let entriesPerBlock: UInt64 = 64

    /// Number of appended entries after which dirty heads are written. After a kill, as many entries have to be read:
    /// 50 ms for 300 bytes each. A smaller number writes the head of a busy channel more often.
    static let entriesPerSweep: UInt64 = 131_072

    /// Heads written in one transaction in addition to its mutations, and per mutation: no commit takes more than 1 ms
    /// longer.
    static let headsPerCommit = 512
    static let headsPerMutation = 4

    /// Mutations of a commit for which it also deletes the entries of one more dropped block: deleting costs about as
    /// much as appending.
    static let mutationsPerDroppedBlock: UInt64 = 64

    /// Bytes of payloads that one commit deletes, once for entries dropped by its mutations and once for entries
    /// dropped earlier. Deleted bytes are overwritten, so a MiB takes some ms.
    static let deletedBytesPerCommit = 1 << 20
    /// The same limit for a maintenance-only commit.
    static let deletedBytesOfIdleCommit = 4 << 20
    /// The cost of deleting a row in addition to its payload, in bytes of payload: about the row's own size.
    static let rowBytes = 128

    /// Work budget of a maintenance-only commit, in mutations: about 10 ms.
    static let mutationsOfIdleCommit = 1_024

    /// Time without a commit after which maintenance gets transactions of its own, in milliseconds.
    static let idleMs: Int64 = 100

    /// Pause between two such transactions, in milliseconds, so that other work on the thread can run.
    static let sliceGapMs: Int64 = 1

    /// Channels kept in memory, about 300 bytes each. An append to a channel that has to be read from the file costs
    /// several times as much, because its rows are on pages of their own. So all channels in use on a large relay
    /// should fit.
    static let cachedChannels = 1 << 20

    /// References of open blocks kept in memory, 40 bytes each. If a block is not in memory when it becomes complete,
    /// it is rebuilt from its entries, once for all of them.
    static let openReferences = 1 << 22

    /// Heads examined in one read of an expiry: other reads wait some ms at most.
    static let headsPerExpiryRead: UInt64 = 20_000

    /// Expired entries after which such a read ends with the current channel: some tens of ms.
    static let entriesPerExpiryRead: UInt64 = 262_144

    /// Channels that one call of `expire` trims.
    static let channelsPerExpiry = 500

    /// Time between creation and last use above which a channel counts as in long use, in milliseconds: a week, which
    /// separates conversations from attempts. The index `channel_brief` contains it, so another value needs a
    /// migration.
    static let longUseMs: UInt64 = 7 * 86_400_000

    /// Idle channels found in one read. Each takes a commit.
    static let idleChannelsPerRead = 64

    /// Old key packages, and old names, that one transaction deletes. A key package has 64 KiB at most, so this is at
    /// most 2 MiB: some ms.
    static let discardedPerSlice = 32

    /// Size of the write-ahead log, in bytes, at which the checkpointer copies it into the database while commits go
    /// on.
    static let checkpointBytes = 16 << 20
    /// Fraction of ``checkpointBytes`` up to which the writer copies the commits of the meantime, so that the log
    /// starts over. A larger rest waits for the checkpointer, which runs again when the log has grown by the same
    /// amount.
    static let checkpointShare = 4
    /// Size of the write-ahead log, in bytes, at which the writer copies it itself, so that no load makes it grow
    /// without bound.
    static let checkpointNowBytes = 64 << 20

    /// The latest valid time of a noted clock, in milliseconds since 1970. A later one is damaged. Sums of two such
    /// times and of durations fit into 64 bits.
    static let latestMs = UInt64(1) << 60

    /// Page size of the database. It is larger than SQLite's default: entries take fewer pages, and only tails of
    /// tables change in place.
    static let pageBytes = 8_192
    /// Page caches of the writer and the reader. The writer touches the ends of its tables and the pages of heads and
    /// blocks; the system caches the rest.
    static let writerCacheKiB = 32 << 10
    static let readerCacheKiB = 8 << 10

    /// Attempts at a read beside the commits, if entries are dropped meanwhile, before it makes commits wait.
    static let readAttempts = 2

    /// Payload bytes of the entries that an audit reads at once.
    static let auditReadBytes = 1 << 20
    /// Number of other rows that an audit reads at once.
    static let auditedRowsAtOnce: UInt64 = 512
    /// Bytes of each payload that an audit shows: enough to see that they are random.
    static let auditedPayloadBytes = 16

    /// Time for which SQLite waits for a lock, in milliseconds. Only a recovery after a crash ever holds one.
    static let busyTimeoutMs: Int32 = 5_000
}

/// The limits that decide when work is deferred and when data is evicted. Tests set them low, so that little data
/// reaches all of them.
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
