/// The limits of the stores, each with its reason.
package enum StoreLimits {
    /// Number of epochs before the current epoch that a channel remembers even without a kept entry. A member who was away for
    /// longer than the retention can still prove the right in a remembered epoch, and gets the error `trimmed` and not
    /// `denied`. The number bounds the cost of a channel with very many turns.
    package static let trimmedEpochs: UInt64 = 1_000

    /// Number of entries whose references share one row. A larger number saves writes. With a smaller number, fewer entries are
    /// read when an unused channel is loaded.
    static let entriesPerBlock: UInt64 = 64

    /// Number of appended entries after which dirty heads are written. After a crash, at most this number of entries has to be
    /// read again. Reading this number of entries of 300 bytes takes 50 ms. A smaller number would cause more frequent writes
    /// of heads.
    static let entriesPerSweep: UInt64 = 131_072

    /// Number of heads that a transaction without mutations writes during a sweep. For each mutation in a transaction, the
    /// transaction writes `headsPerMutation` more heads. Writing the heads makes a commit at most 1 ms longer.
    static let headsPerCommit = 512
    static let headsPerMutation = 4

    /// Number of mutations for which a commit deletes one more dropped block. Every commit deletes at least one dropped block.
    /// The number of deletions is in proportion to the number of mutations, because a deletion costs about as much as an append.
    static let mutationsPerDroppedBlock: UInt64 = 64

    /// Maximum number of payload bytes that one commit deletes. This maximum applies to entries that the commit's own mutations
    /// drop. For entries that were dropped earlier, the maximum is this number plus twice the number of appended bytes. Deleted
    /// bytes are overwritten, so the deletion of a MiB takes a few ms.
    static let deletedBytesPerCommit = 1 << 20
    /// Maximum number of payload bytes that a maintenance-only commit deletes.
    static let deletedBytesOfIdleCommit = 4 << 20
    /// The cost of deleting a row, without the cost of its payload. The unit is the cost of deleting one byte of payload. The
    /// cost is about the size of the row.
    static let rowBytes = 128

    /// Work budget of a maintenance-only commit, in mutations. A maintenance-only commit takes about 10 ms.
    static let mutationsOfIdleCommit = 1_024

    /// Time from the last commit until maintenance runs in separate transactions, in milliseconds.
    static let idleMs: Int64 = 100

    /// Pause between two transactions of maintenance, in milliseconds. Other work on the thread can run during the pause.
    static let sliceGapMs: Int64 = 1

    /// Number of channels that are kept in memory, about 300 bytes each. If a channel is not in memory, an append reads the
    /// channel's rows from separate pages, and costs several times as much. The number is large enough for all channels in use on
    /// a large relay.
    static let cachedChannelStates = 1 << 20

    /// Maximum number of references of open blocks that are kept in memory, 40 bytes each. If a block becomes complete and is not
    /// in memory, all references of the block are read from its entries in one pass.
    static let openReferences = 1 << 22

    /// Maximum number of heads that one search for expired entries examines. A search delays all reads by at most a few ms.
    static let headsPerExpiryRead: UInt64 = 20_000

    /// Number of found expired entries after which a search examines no more channels. Reading this number of entries takes
    /// some tens of ms.
    static let entriesPerExpiryRead: UInt64 = 262_144

    /// Maximum number of channels that one call of `expire` trims.
    static let channelsPerExpiry = 500

    /// An open channel is in long use if its last use is later than its creation by more than this time, in milliseconds: a
    /// week. Such a channel most likely belongs to a conversation. The index `channel_brief` contains this value, so a change
    /// needs a migration.
    static let longUseMs: UInt64 = 7 * 86_400_000

    /// Maximum number of idle channels that one read returns. Forgetting one channel takes one commit.
    static let idleChannelsPerRead = 64

    /// Maximum number of old key packages that one transaction deletes. The same limit applies to old names. A key package has
    /// up to 64 KiB, so a transaction deletes up to 2 MiB, which takes a few ms.
    static let discardedPerSlice = 32

    /// Size of the write-ahead log at which the checkpointer copies the log into the database, in bytes. Commits continue
    /// during the copying.
    static let checkpointBytes = 16 << 20
    /// Divisor of ``checkpointBytes``: the quotient is the size of a share, in bytes. While the checkpointer copies the log,
    /// commits add pages to the log. If the added pages fit into a share, the writer copies the added pages at once, and the log
    /// restarts. If the added pages do not fit into a share, the next checkpoint copies them. The next checkpoint runs when the
    /// log has grown by a share.
    static let checkpointShare = 4
    /// Size of the write-ahead log at which the writer itself copies the log into the database, in bytes. This bounds the size
    /// of the log under load.
    static let checkpointNowBytes = 64 << 20

    /// The latest valid time of a noted clock, in milliseconds since 1970. A later time is treated as damage. With this bound, a
    /// sum of two times and some durations fits into 64 bits.
    static let latestMs = UInt64(1) << 60

    /// Page size of the database, in bytes. The size is larger than SQLite's default, so entries take fewer pages. In large
    /// pages, changes in place are more expensive, but only the ends of tables change in place.
    static let pageBytes = 8_192
    /// Size of the writer's page cache, in KiB. The writer uses the ends of its tables and the pages of heads and blocks. The
    /// system caches all other pages.
    static let writerCacheKiB = 32 << 10
    /// Size of the reader's page cache, in KiB.
    static let readerCacheKiB = 8 << 10

    /// Number of attempts at a read that runs at the same time as commits. If entries are dropped during an attempt, the attempt
    /// fails. If all attempts fail, the read runs between two commits. The next commit waits for the read.
    static let readAttempts = 2

    /// Maximum total payload size of the entries that an audit reads at once, in bytes.
    static let auditReadBytes = 1 << 20
    /// Maximum number of rows other than entries that an audit reads at once.
    static let auditedRowsAtOnce: UInt64 = 512
    /// Number of bytes that an audit shows of each payload. This number is enough to see that the payload looks random.
    static let auditedPayloadBytes = 16

    /// Time for which SQLite waits for a lock, in milliseconds. Only a recovery after a crash ever holds a lock.
    static let busyTimeoutMs: Int32 = 5_000
}

/// The limits that decide when work is deferred and when data is evicted. Tests set low limits, so that a small amount of data
/// reaches every limit.
struct StoreTuning: Sendable {
    /// See ``StoreLimits/entriesPerSweep``.
    var entriesPerSweep = StoreLimits.entriesPerSweep
    /// See ``StoreLimits/cachedChannelStates``.
    var cachedChannelStates = StoreLimits.cachedChannelStates
    /// See ``StoreLimits/openReferences``.
    var openReferences = StoreLimits.openReferences
    /// See ``StoreLimits/checkpointBytes``.
    var checkpointBytes = StoreLimits.checkpointBytes
    /// See ``StoreLimits/checkpointNowBytes``.
    var checkpointNowBytes = StoreLimits.checkpointNowBytes

    /// See ``StoreLimits/checkpointShare``.
    var checkpointShareBytes: Int { checkpointBytes / StoreLimits.checkpointShare }
}
