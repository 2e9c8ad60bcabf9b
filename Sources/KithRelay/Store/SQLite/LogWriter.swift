import CSQLite
import KithWire
import TLSCodec

/// The one writer of a store's file: decides mutations, and keeps memory and file the same.
///
/// Everything here blocks; ``SQLiteStore`` runs it on its thread. A transaction changes the cached channels directly and
/// notes what they were; if it fails, they become that again, so that memory is always what the file would say.
final class LogWriter {
    let connection: SQLiteConnection
    let reader: LogReader
    let tuning: StoreTuning
    var cache: ChannelCache
    var blocks: OpenBlocks
    var totals: StoreTotals
    let relayID: [UInt8]

    /// The position of the last entry ever.
    var lastPosition: UInt64
    var lastChannelNumber: UInt64
    /// Channels whose head is behind, and not in the sweep.
    var behind: [CachedChannel] = []
    var sweep: HeadSweep?
    /// The position through which the heads were written, or are being.
    var sweptThrough: UInt64
    /// Whether entry rows wait to be deleted.
    var hasDropped: Bool
    /// Whether some head could not be written: then a start has to find it in the log, from the last mark on.
    var hasUnwrittenHeads = false
    /// How often something of one channel was damaged, and passed over.
    var damages: UInt64 = 0

    /// The transaction under way.
    var transaction = Transaction()
    var transactionNumber: UInt64 = 0
    let insertEntry: SQLiteStatement
    let insertBlock: SQLiteStatement
    let writeHead: SQLiteStatement
    var scratch = TLSWriter(capacity: 16)
    private let gauge = LogGauge()

    /// What to take back if the transaction fails, and what to write before it ends.
    struct Transaction {
        var saved: [(channel: CachedChannel, state: ChannelState)] = []
        /// Channels that came into the cache: made or read in the transaction, so maybe with what it did.
        var entered: [ChannelID] = []
        var totals = StoreTotals()
        var lastPosition: UInt64 = 0
        var lastChannelNumber: UInt64 = 0
        var behindCount = 0
        /// Whether the mutation being decided has changed something: then a failure ends the transaction.
        var isWriting = false
        var changesTotals = false
        var sweepSlice: ArraySlice<CachedChannel> = []
        /// Channels of that slice whose heads could not be written.
        var unwritten: [CachedChannel] = []
        /// Bytes that mutations may still delete at once; what does not fit is deleted later.
        var room = StoreLimits.deletedBytesPerCommit
        var appendedBytes = 0
        var hasDropped = false
    }

    /// Takes over a connection of which ``LogRecovery`` brought the heads up to date.
    init(
        connection: SQLiteConnection, recovered: LogRecovery, tuning: StoreTuning
    ) throws(StoreFailure) {
        self.tuning = tuning
        cache = ChannelCache(capacity: tuning.cachedChannels)
        blocks = OpenBlocks(capacity: tuning.openReferences)
        self.connection = connection
        reader = LogReader(connection: connection)
        relayID = recovered.relayID
        totals = recovered.totals
        lastPosition = recovered.lastPosition
        sweptThrough = recovered.lastPosition
        lastChannelNumber = try connection.number("SELECT max(number) FROM channel") ?? 0
        hasDropped = try connection.number("SELECT EXISTS (SELECT 1 FROM dropped)") == 1
        insertEntry = try connection.prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        insertBlock = try connection.prepare("INSERT INTO entry_block VALUES (NULL, ?, ?, ?)")
        writeHead = try connection.prepare("REPLACE INTO channel_head VALUES (?, ?, ?, ?, ?, ?, ?)")
        gauge.watch(connection)
    }

    /// How long SQLite's write-ahead log is, as of the last commit.
    var logPages: Int { gauge.pages }
    var logBytes: Int { logPages * StoreLimits.pageBytes }

    // MARK: Transactions

    /// Makes mutations durable in one transaction.
    func commit(_ mutations: [StoreMutation]) -> [StoreOutcome] {
        var outcomes: [StoreOutcome] = []
        outcomes.reserveCapacity(mutations.count)
        do throws(StoreFailure) {
            try inTransaction { () throws(StoreFailure) in
                for mutation in mutations { outcomes.append(try decide(mutation)) }
                try keepHouse(beside: mutations.count)
            }
            return outcomes
        } catch {
            guard case .damaged = error, mutations.count > 1 else { return mutations.map { _ in .failed(error) } }
            // What is damaged is one channel's, and the others are not to fail with it: it is found by halves.
            let half = mutations.count / 2
            return commit(Array(mutations[..<half])) + commit(Array(mutations[half...]))
        }
    }

    /// Moves the fronts of channels as far as they have expired, in one transaction; around a damaged one in several.
    /// Returns those that lost entries.
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
                // A channel that changed meanwhile was trimmed further, or closed: no entry comes back to its front.
                guard let before = try channel(due.id)?.state.head, !before.isClosed else { continue }
                if due.firstSeq > before.firstSeq {
                    if try trim(due.id, to: due.firstSeq) { trimmed.append((due.id, due.firstSeq)) }
                } else {
                    try noteDue(due)
                }
            }
            try keepHouse(beside: due.count)
        }
        return trimmed
    }

    /// Does a slice of what has been put off. Returns whether there is more.
    func keepHouse() throws(StoreFailure) -> Bool {
        startSweepIfDue(atOnce: true)
        guard sweep != nil || hasDropped else { return false }
        try inTransaction { () throws(StoreFailure) in
            try keepHouse(
                beside: StoreLimits.mutationsOfIdleCommit, deletingBytes: StoreLimits.deletedBytesOfIdleCommit)
        }
        return sweep != nil || hasDropped || !behind.isEmpty
    }

    /// Writes down all heads, so that the file says where every channel ends.
    func writeAllHeads() throws(StoreFailure) {
        while sweep != nil || !behind.isEmpty { _ = try keepHouse() }
    }

    /// Whether something has been put off.
    var hasHousekeeping: Bool { hasDropped || sweep != nil || !behind.isEmpty }

    func inTransaction(_ body: () throws(StoreFailure) -> Void) throws(StoreFailure) {
        startSweepIfDue(atOnce: false)
        transactionNumber += 1
        transaction = Transaction()
        transaction.totals = totals
        transaction.lastPosition = lastPosition
        transaction.lastChannelNumber = lastChannelNumber
        transaction.behindCount = behind.count
        transaction.hasDropped = hasDropped
        do throws(StoreFailure) {
            try connection.statement("BEGIN IMMEDIATE").run()
            try body()
            try connection.statement("COMMIT").run()
        } catch {
            takeBack()
            throw error
        }
        finishSweepSlice()
        transaction = Transaction()
    }

    /// Makes memory what it was before the transaction.
    private func takeBack() {
        connection.rollback()
        for (channel, state) in transaction.saved {
            blocks.clear(channel)
            channel.state = state
        }
        for channel in behind[transaction.behindCount...] { channel.isBehind = false }
        behind.removeLast(behind.count - transaction.behindCount)
        for id in transaction.entered { cache.remove(id) }
        totals = transaction.totals
        lastPosition = transaction.lastPosition
        lastChannelNumber = transaction.lastChannelNumber
        hasDropped = transaction.hasDropped
        transaction = Transaction()
    }

    /// Decides one mutation. A failure to read what it needs is its own; a failure to write ends the transaction.
    private func decide(_ mutation: StoreMutation) throws(StoreFailure) -> StoreOutcome {
        transaction.isWriting = false
        do throws(StoreFailure) {
            return try apply(mutation) ? .committed : .conflict
        } catch {
            if transaction.isWriting || !connection.isInTransaction { throw error }
            return .failed(error)
        }
    }

    /// Says that the mutation takes effect, before it changes anything.
    func beginWriting() { transaction.isWriting = true }

    /// Notes a channel's state before its first change in the transaction. Says that the mutation takes effect, too.
    func save(_ channel: CachedChannel) {
        beginWriting()
        guard channel.savedIn != transactionNumber else { return }
        channel.savedIn = transactionNumber
        var state = channel.state
        // Can be read again; a second owner of the references would mean a copy of them for each append.
        state.openBlock = nil
        transaction.saved.append((channel, state))
    }

    /// Keeps a block that was read beside the commits, if the channel is still as it was then.
    func keep(_ block: EntryBlock, of id: ChannelID) {
        guard let channel = cache[id], channel.state.openBlock == nil, channel.state.head.lastSeq == block.lastSeq,
            block.firstSeq == max(channel.state.head.firstSeq, EntryBlock.lastComplete(upTo: block.lastSeq) + 1)
        else { return }
        blocks.set(block, of: channel)
    }

    /// Marks a channel's head for the next sweep.
    func fallBehind(_ channel: CachedChannel) {
        guard !channel.isBehind else { return }
        channel.isBehind = true
        behind.append(channel)
    }
}
