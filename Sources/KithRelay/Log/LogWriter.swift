import CSQLite
import KithWire
import TLSCodec

/// The only writer of a store's file. The writer decides mutations, and keeps its state in memory consistent with the file.
///
/// All functions block, so ``SQLiteStore`` calls them on the store's thread. A transaction saves the previous states of the
/// cached channels before it changes these channels. If the transaction fails, the saved states are restored, and memory matches
/// the file again.
final class LogWriter {
    let connection: SQLiteConnection
    let reader: LogReader
    let tuning: StoreTuning
    var cache: ChannelCache
    var blocks: OpenBlocks
    var totals: StoreTotals
    let relayID: [UInt8]

    /// The highest position that an entry ever had.
    var lastPosition: UInt64
    var lastChannelNumber: UInt64
    /// Channels whose heads are newer than their rows. Channels of the current sweep are not included.
    var dirtyHeads: [CachedChannel] = []
    var sweep: HeadSweep?
    /// The position at which the latest sweep began. All heads that were dirty at the start of the latest sweep are written, or
    /// are being written.
    var sweptThrough: UInt64
    /// Dropped rows that still have to be deleted.
    var deletion: DeferredDeletion
    /// Whether a head could not be written. From then on, no sweep is noted as finished, so the next start reads the head's
    /// entries from the log.
    var hasUnwrittenHeads = false
    /// Number of times that a channel's data was found damaged and skipped.
    var damages: UInt64 = 0

    /// The transaction under way.
    var transaction = Transaction()
    var transactionNumber: UInt64 = 0
    let keyPackages: KeyPackageTable
    let names: NameTable
    let epochs: EpochTable
    let insertEntry: SQLiteStatement
    let insertBlock: SQLiteStatement
    let writeHead: SQLiteStatement
    var scratch = TLSWriter(capacity: 16)
    private let walSize = WALSizeObserver()

    /// The state to restore if the transaction fails, and the work to do before the transaction ends.
    struct Transaction {
        var saved: [(channel: CachedChannel, state: ChannelState)] = []
        /// Channels that entered the cache during the transaction. The states of these channels may contain changes of the
        /// transaction.
        var entered: [ChannelID] = []
        var totals = StoreTotals()
        var lastPosition: UInt64 = 0
        var lastChannelNumber: UInt64 = 0
        var dirtyCount = 0
        /// Whether the current mutation has changed rows. After the first change of rows, a failure of the mutation ends the
        /// whole transaction.
        var isWriting = false
        var changesTotals = false
        var sweepSlice: ArraySlice<CachedChannel> = []
        /// Channels of the sweep's slice whose heads could not be written.
        var unwritten: [CachedChannel] = []
        /// Number of bytes that mutations may still delete in this transaction. Bytes above this number are deleted later.
        var room = StoreLimits.deletedBytesPerCommit
        var appendedBytes = 0
        var isDeletionPending = false
    }

    /// Creates the writer on a connection whose heads ``LogRecovery`` has already updated.
    init(
        connection: SQLiteConnection, recovered: LogRecovery, tuning: StoreTuning
    ) throws(StoreFailure) {
        self.tuning = tuning
        cache = ChannelCache(capacity: tuning.cachedChannelStates)
        blocks = OpenBlocks(capacity: tuning.openReferences)
        self.connection = connection
        reader = LogReader(connection: connection)
        relayID = recovered.relayID
        totals = recovered.totals
        lastPosition = recovered.lastPosition
        sweptThrough = recovered.lastPosition
        lastChannelNumber = try connection.number("SELECT max(number) FROM channel") ?? 0
        deletion = try DeferredDeletion(connection)
        keyPackages = KeyPackageTable(connection: connection)
        names = NameTable(connection: connection)
        epochs = EpochTable(connection: connection)
        insertEntry = try connection.prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        insertBlock = try connection.prepare("INSERT INTO entry_block VALUES (NULL, ?, ?, ?)")
        writeHead = try connection.prepare("REPLACE INTO channel_head VALUES (?, ?, ?, ?, ?, ?, ?)")
        walSize.watch(connection)
    }

    /// Length of SQLite's write-ahead log after the last commit, in pages.
    var walPages: Int { walSize.pages }
    var walBytes: Int { walPages * StoreLimits.pageBytes }

    // MARK: Transactions

    /// Makes mutations durable in one transaction.
    func commit(_ mutations: [StoreMutation]) -> [StoreOutcome] {
        var outcomes: [StoreOutcome] = []
        outcomes.reserveCapacity(mutations.count)
        do throws(StoreFailure) {
            try inTransaction { () throws(StoreFailure) in
                for mutation in mutations { outcomes.append(try decide(mutation)) }
                try performMaintenance(beside: mutations.count)
            }
            return outcomes
        } catch {
            guard case .damaged = error, mutations.count > 1 else { return mutations.map { _ in .failed(error) } }
            // The damage concerns one channel, and mutations of other channels must not fail because of it. Halving isolates that
            // channel.
            let half = mutations.count / 2
            return commit(Array(mutations[..<half])) + commit(Array(mutations[half...]))
        }
    }

    /// Drops expired entries in one transaction. If a channel is damaged, uses several transactions. Returns the channels that
    /// lost entries.
    func expire(_ due: [DueChannel]) throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        guard !due.isEmpty else { return [] }
        do throws(StoreFailure) {
            return try expireTogether(due)
        } catch {
            guard case .damaged = error else { throw error }
            guard due.count > 1 else {
                damages += 1
                return []
            }
            let half = due.count / 2
            return try expire(Array(due[..<half])) + expire(Array(due[half...]))
        }
    }

    private func expireTogether(_ due: [DueChannel]) throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        var trimmed: [(channel: ChannelID, firstSeq: UInt64)] = []
        try inTransaction { () throws(StoreFailure) in
            for due in due {
                // If the channel has changed in the meantime, it was trimmed further or closed, because dropped entries never
                // reappear.
                guard let before = try channel(due.id)?.state.head, !before.isClosed else { continue }
                if due.firstSeq > before.firstSeq {
                    if try trim(due.id, to: due.firstSeq) { trimmed.append((due.id, due.firstSeq)) }
                } else {
                    try noteDue(due)
                }
            }
            try performMaintenance(beside: due.count)
        }
        return trimmed
    }

    /// Does a slice of the deferred work. Returns whether more work is left.
    func performMaintenance() throws(StoreFailure) -> Bool {
        startSweepIfDue(atOnce: true)
        guard sweep != nil || deletion.isPending else { return false }
        try inTransaction { () throws(StoreFailure) in
            try performMaintenance(
                beside: StoreLimits.mutationsOfIdleCommit, deletingBytes: StoreLimits.deletedBytesOfIdleCommit)
        }
        return sweep != nil || deletion.isPending || !dirtyHeads.isEmpty
    }

    /// Writes all dirty heads. Afterwards, the file has the correct end of every channel.
    func writeAllHeads() throws(StoreFailure) {
        while sweep != nil || !dirtyHeads.isEmpty { _ = try performMaintenance() }
    }

    /// Whether there is deferred work.
    var hasPendingMaintenance: Bool { deletion.isPending || sweep != nil || !dirtyHeads.isEmpty }

    func inTransaction(_ body: () throws(StoreFailure) -> Void) throws(StoreFailure) {
        startSweepIfDue(atOnce: false)
        transactionNumber += 1
        transaction = Transaction()
        transaction.totals = totals
        transaction.lastPosition = lastPosition
        transaction.lastChannelNumber = lastChannelNumber
        transaction.dirtyCount = dirtyHeads.count
        transaction.isDeletionPending = deletion.isPending
        do throws(StoreFailure) {
            try connection.statement("BEGIN IMMEDIATE").run()
            try body()
            try connection.statement("COMMIT").run()
        } catch {
            restore()
            throw error
        }
        finishSweepSlice()
        transaction = Transaction()
    }

    /// Restores memory to its state before the transaction.
    private func restore() {
        connection.rollback()
        for (channel, state) in transaction.saved {
            blocks.clear(channel)
            channel.state = state
        }
        for channel in dirtyHeads[transaction.dirtyCount...] { channel.isHeadDirty = false }
        dirtyHeads.removeLast(dirtyHeads.count - transaction.dirtyCount)
        for id in transaction.entered { cache.remove(id) }
        totals = transaction.totals
        lastPosition = transaction.lastPosition
        lastChannelNumber = transaction.lastChannelNumber
        deletion.isPending = transaction.isDeletionPending
        transaction = Transaction()
    }

    /// Decides one mutation. If a read fails, only this mutation fails. If a write fails, the transaction fails.
    private func decide(_ mutation: StoreMutation) throws(StoreFailure) -> StoreOutcome {
        transaction.isWriting = false
        do throws(StoreFailure) {
            return try apply(mutation) ? .committed : .conflict
        } catch {
            if transaction.isWriting || !connection.isInTransaction { throw error }
            return .failed(error)
        }
    }

    /// Notes that the mutation takes effect. Called before the first change of every mutation.
    func beginWriting() { transaction.isWriting = true }

    /// Saves a channel's state, once in each transaction, and notes that the mutation takes effect. Called before a mutation
    /// changes the channel.
    func save(_ channel: CachedChannel) {
        beginWriting()
        guard channel.savedIn != transactionNumber else { return }
        channel.savedIn = transactionNumber
        var state = channel.state
        // The block is not saved, because it can be read again. A second owner of its array would cause a copy at each append.
        state.openBlock = nil
        transaction.saved.append((channel, state))
    }

    /// Keeps in memory an open block that was read on a different thread. If the channel has changed since the read, ignores
    /// the block.
    func keep(_ block: EntryBlock, of id: ChannelID) {
        guard let channel = cache[id], channel.state.openBlock == nil, channel.state.head.lastSeq == block.lastSeq,
            block.firstSeq == max(channel.state.head.firstSeq, EntryBlock.lastComplete(upTo: block.lastSeq) + 1)
        else { return }
        blocks.set(block, of: channel)
    }

    /// Marks a channel's head to be written by the next sweep.
    func markHeadDirty(_ channel: CachedChannel) {
        guard !channel.isHeadDirty else { return }
        channel.isHeadDirty = true
        dirtyHeads.append(channel)
    }
}
