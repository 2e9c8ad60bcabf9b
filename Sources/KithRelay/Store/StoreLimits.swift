/// The limits of the stores, each with its reason.
package enum StoreLimits {
    /// Number of epochs without a kept entry that a channel remembers. In a remembered epoch, a member that was away for longer
    /// than the retention can still prove its right, so it gets the error `trimmed` and not `denied`. The number bounds the cost
    /// of a channel that is turned again and again.
    package static let trimmedEpochs: UInt64 = 1_000

    /// Number of entries whose references share one row. A larger number saves writes. A smaller number shortens the chain of
    /// entries that has to be followed when an unused channel is loaded.
    static let entriesPerBlock: UInt64 = 64

    /// Number of appended entries after which dirty heads are written. After a crash, at most this many entries have to be read
    /// again, which takes 50 ms for entries of 300 bytes. With a smaller number, the head of a busy channel would be written more
    /// often.
    static let entriesPerSweep: UInt64 = 131_072

    /// Number of heads that are written in one transaction, in addition to `headsPerMutation` heads for each of its mutations.
    /// Writing these heads makes a commit at most 1 ms longer.
    static let headsPerCommit = 512
    static let headsPerMutation = 4

    /// A commit deletes the entries of one dropped block, and of one more block for each group of this many mutations in the
    /// commit. The work is in proportion to the number of mutations, because deleting costs about as much as appending.
    static let mutationsPerDroppedBlock: UInt64 = 64

    /// Maximum number of payload bytes that one commit deletes for entries that its mutations drop. For entries that were dropped
    /// earlier, the commit deletes at most this number of bytes plus twice the number of bytes that it appends. Deleted bytes are
    /// overwritten, so a MiB takes some ms.
    static let deletedBytesPerCommit = 1 << 20
    /// Maximum number of payload bytes that a commit deletes if it only does maintenance.
    static let deletedBytesOfIdleCommit = 4 << 20
    /// The cost of deleting a row, without the cost of its payload. The unit is the cost of deleting one byte of payload. The
    /// cost is about the size of the row.
    static let rowBytes = 128

    /// Work budget of a commit that only does maintenance, in mutations. Such a commit takes about 10 ms.
    static let mutationsOfIdleCommit = 1_024

    /// Time without a commit after which maintenance runs in transactions of its own, in milliseconds.
    static let idleMs: Int64 = 100

    /// Pause between two transactions of maintenance, in milliseconds. Other work on the thread can run during the pause.
    static let sliceGapMs: Int64 = 1

    /// Number of channels that are kept in memory, about 300 bytes each. If a channel has to be read from the file, an append
    /// costs several times as much, because the channel's rows are on pages of their own. So the number is large enough for all
    /// channels in use on a large relay.
    static let cachedChannelStates = 1 << 20

    /// Maximum number of references of open blocks that are kept in memory, 40 bytes each. If a block is not in memory when it
    /// becomes complete, all its references are read from its entries in one pass.
    static let openReferences = 1 << 22

    /// Number of heads that one read examines when it searches for expired entries. Other reads wait for such a read for at most
    /// some ms.
    static let headsPerExpiryRead: UInt64 = 20_000

    /// Number of expired entries after which a read that searches for such entries examines no further channel. Reading this many
    /// entries takes some tens of ms.
    static let entriesPerExpiryRead: UInt64 = 262_144

    /// Maximum number of channels that one call of `expire` trims.
    static let channelsPerExpiry = 500

    /// Time between creation and last use above which a channel counts as in long use, in milliseconds. A channel that was used
    /// for more than a week most likely belongs to a conversation. The index `channel_brief` contains this value, so a change
    /// needs a migration.
    static let longUseMs: UInt64 = 7 * 86_400_000

    /// Maximum number of idle channels that one read finds. Forgetting each of them takes a commit.
    static let idleChannelsPerRead = 64

    /// Maximum number of old key packages that one transaction deletes. The same maximum applies to old names. A key package has
    /// up to 64 KiB, so the transaction deletes up to 2 MiB in some ms.
    static let discardedPerSlice = 32

    /// Size of the write-ahead log, in bytes, at which the checkpointer copies the log into the database. Commits continue during
    /// the copying.
    static let checkpointBytes = 16 << 20
    /// ``checkpointBytes`` divided by this number is a size in bytes. Commits continue while the checkpointer copies, and add a
    /// part to the log. If the part has at most this size, the writer copies it too, so that the log restarts. A larger part
    /// waits for the next checkpoint, which runs when the log has grown by this size.
    static let checkpointShare = 4
    /// Size of the write-ahead log, in bytes, at which the writer itself copies the log, so that the log cannot grow without
    /// bound under load.
    static let checkpointNowBytes = 64 << 20

    /// The latest valid time of a noted clock, in milliseconds since 1970. A later time is treated as damage. With this bound, a
    /// sum of two times and some durations fits into 64 bits.
    static let latestMs = UInt64(1) << 60

    /// Page size of the database, in bytes. The size is larger than SQLite's default, so that entries take fewer pages. A large
    /// page makes a change in place more expensive, but only the ends of tables change in place.
    static let pageBytes = 8_192
    /// Size of the writer's page cache, in KiB. (`readerCacheKiB` is the size of the reader's page cache.) The writer uses the
    /// ends of its tables and the pages of heads and blocks. The system caches all other pages.
    static let writerCacheKiB = 32 << 10
    static let readerCacheKiB = 8 << 10

    /// Number of attempts at a read that runs beside commits. An attempt fails if entries are dropped meanwhile. After the last
    /// attempt, the read runs between two commits, which wait for it.
    static let readAttempts = 2

    /// Payload bytes of the entries that an audit reads at once.
    static let auditReadBytes = 1 << 20
    /// Number of rows other than entries that an audit reads at once.
    static let auditedRowsAtOnce: UInt64 = 512
    /// Bytes of each payload that an audit shows. This number is enough to see that the payload looks random.
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
