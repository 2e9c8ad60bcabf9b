import KithWire
import NIOCore

/// A store in one SQLite file. Only one process at a time writes the file.
///
/// A commit blocks the store's event loop, so the event loop should have its own thread. The hub decides mutations on the
/// thread of this event loop, so a commit needs no change of thread after the decision. To keep commits from waiting, separate
/// threads read entries, search for expired entries and make checkpoints.
///
/// The comments on `StoreSchema`, `EntryBlock` and `HeadSweep` describe how entries are stored and found.
package actor SQLiteStore: ChannelStore {
    /// See ``ChannelStore/eventLoop``.
    package nonisolated let eventLoop: any EventLoop
    /// See ``ChannelStore/relayID``.
    package nonisolated let relayID: [UInt8]
    private nonisolated let executor: any SerialExecutor
    nonisolated let folder: StoreFolder
    nonisolated let reader: ConnectionThread
    private nonisolated let checkpointer: ConnectionThread

    private var lock: FolderLock?
    /// The writer; `nil` after the store was closed.
    private var writer: LogWriter?
    private var isCheckpointing = false
    /// Size of the write-ahead log in bytes after the last commit.
    private var lastWALBytes = 0
    private var checkpointedAt = 0
    private var scheduledMaintenance: Scheduled<Void>?
    private var lastCommit = NIODeadline.now()
    /// The number of the last channel that expiry examined.
    private var expiredThrough: UInt64 = 0

    /// The executor of the store's event loop.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens the store in a folder. If the folder or the store is missing, creates it. Blocks until the store is ready.
    ///
    /// - Parameters:
    ///   - folder: the path of the store's folder. A new folder gets mode 0700, and its files get mode 0600.
    ///   - eventLoop: the event loop on which the store runs. The event loop's thread waits for the disk.
    /// - Throws: ``StoreOpenError``. After an error, an existing store still has all its data.
    package init(folder: String, eventLoop: any EventLoop) throws(StoreOpenError) {
        try self.init(folder: folder, eventLoop: eventLoop, tuning: StoreTuning())
    }

    init(folder path: String, eventLoop: any EventLoop, tuning: StoreTuning) throws(StoreOpenError) {
        let folder = StoreFolder(path: path)
        try folder.create()
        let lock = try folder.locked()
        let connection = try StoreSchema.openWriter(folder)
        do throws(StoreFailure) {
            let writer = try LogWriter(
                connection: connection, recovered: LogRecovery(connection), tuning: tuning)
            relayID = writer.relayID
            self.writer = writer
            reader = ConnectionThread(try StoreSchema.openReader(folder))
            checkpointer = ConnectionThread(try StoreSchema.openCheckpointer(folder))
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
        self.eventLoop = eventLoop
        self.folder = folder
        self.lock = lock
        executor = eventLoop.executor
        // This runs later, so that the start does not wait for it.
        eventLoop.scheduleTask(in: .milliseconds(StoreLimits.idleMs)) { [weak self] in
            guard let self else { return }
            Task { await self.preallocateWAL() }
        }
    }

    func openWriter() throws(StoreFailure) -> LogWriter {
        guard let writer else { throw .closed }
        return writer
    }

    // MARK: Reading

    /// See ``ChannelStore/head(of:)``.
    package func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? {
        try await state(of: channel)?.head
    }

    /// See ``ChannelStore/epoch(_:of:)``.
    package func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
        try await reader.read { (reader) throws(StoreFailure) in try reader.epoch(epoch, of: channel) }
    }

    /// See ``ChannelStore/entries(of:from:through:maximumBytes:)``.
    package func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry] {
        try await read(channel) { (reader, state) throws(StoreFailure) in
            let first = max(first, state.head.firstSeq)
            let last = min(last, state.head.lastSeq)
            guard first <= last else { return [] }
            return try reader.entries(of: state, from: first, through: last, maximumBytes: maximumBytes)
        } ?? []
    }

    /// See ``ChannelStore/entryIDs(of:receivedSinceMs:)``.
    package func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)] {
        try await read(channel) { (reader, state) throws(StoreFailure) in
            try reader.entryIDs(of: state, receivedSinceMs: receivedSinceMs)
        } ?? []
    }

    /// Runs `body` on the reader's thread with the channel's state and open block. If entries that `body` needs were dropped
    /// after the state was read, `body` must return `nil`, and is then called again with a new state. This method returns `nil`
    /// if the channel does not exist.
    private func read<T: Sendable>(
        _ channel: ChannelID, _ body: @escaping @Sendable (LogReader, ChannelState) throws(StoreFailure) -> T?
    ) async throws(StoreFailure) -> T? {
        for _ in 0..<StoreLimits.readAttempts {
            guard let state = try await state(of: channel) else { return nil }
            let (result, block) = try await reader.read { (reader) throws(StoreFailure) -> (T?, EntryBlock?) in
                var state = state
                state.openBlock = try reader.openBlock(of: state)
                return (state.openBlock == nil ? nil : try body(reader, state), state.openBlock)
            }
            if let block { writer?.keep(block, of: channel) }
            if let result { return result }
        }
        // The channel loses entries so often that the reads keep failing. On the store's own thread, no entry is dropped during
        // the read.
        guard let state = try await state(of: channel) else { return nil }
        guard let result = try body(openWriter().reader, state) else {
            throw .damaged("a channel's entries are not where their references say")
        }
        return result
    }

    /// See ``ChannelStore/shelf(of:)``.
    package func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf {
        try await reader.read { (reader) throws(StoreFailure) in try reader.shelf(of: channel) }
    }

    /// See ``ChannelStore/record(under:)``.
    package func record(under name: Name) async throws(StoreFailure) -> StoredName? {
        let found = try await reader.read { (reader) throws(StoreFailure) in try reader.record(under: name) }
        guard let found else { return nil }
        return StoredName(
            record: try await SQLiteStore.verified(found.record, for: name), renewedMs: found.renewedMs)
    }

    /// Verifies a record's signature again: the disk may have damaged the record. The check takes as long as many reads, so the
    /// check runs on a thread of the global pool and not on the reader's thread.
    private static func verified(
        _ record: UnverifiedNameRecord, for name: Name
    ) async throws(StoreFailure) -> NameRecord {
        guard let record = record.verified(for: name) else {
            throw .damaged("a name's record has no valid signature")
        }
        return record
    }

    /// See ``ChannelStore/statistics()``.
    package func statistics() throws(StoreFailure) -> StoreStatistics {
        let writer = try openWriter()
        let totals = writer.totals
        return StoreStatistics(
            channels: totals.channels, entries: totals.entries, keyPackages: totals.keyPackages, names: totals.names,
            diskBytes: folder.diskBytes, damages: writer.damages)
    }

    /// Returns a channel's state from memory. If the state is not in memory, reads the state from the file.
    private func state(of id: ChannelID) async throws(StoreFailure) -> ChannelState? {
        let writer = try openWriter()
        if let channel = writer.cache[id] { return channel.state }
        let departures = writer.cache.departures
        var state = try await reader.read { (reader) throws(StoreFailure) in try reader.channel(id) }
        // A state in memory is newer than the one from the file. If channels were removed from memory during the read, this
        // channel may have been loaded, changed and evicted. Then its state is read again on this thread, where nothing changes
        // during the read.
        if let channel = writer.cache[id] { return channel.state }
        if writer.cache.departures != departures { state = try openWriter().reader.channel(id) }
        if let state { writer.cache.insert(CachedChannel(id: id, state: state)) }
        return state
    }

    // MARK: Writing

    /// See ``ChannelStore/commit(_:)``.
    package func commit(_ mutations: [StoreMutation]) -> [StoreOutcome] {
        guard let writer else { return mutations.map { _ in .failed(.closed) } }
        let outcomes = writer.commit(mutations)
        lastCommit = .now()
        checkpointIfDue(writer)
        scheduleMaintenance(writer)
        return outcomes
    }

    /// See ``ChannelStore/expire(nowMs:)``.
    package func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        // The search for due channels reads the heads in the file.
        try await writeHeads()
        while true {
            let after = expiredThrough
            let (due, last, damaged) = try await reader.read { (reader) throws(StoreFailure) in
                try reader.dueChannels(after: after, nowMs: nowMs)
            }
            expiredThrough = last ?? 0
            let writer = try openWriter()
            writer.damages += UInt64(damaged)
            let trimmed = try writer.expire(due)
            if !trimmed.isEmpty || last == nil { return trimmed }
        }
    }

    /// Writes all heads that are dirty now, in slices. Other jobs can run between two slices.
    private func writeHeads() async throws(StoreFailure) {
        // Two sweeps are enough: the current one, and one for the heads that became dirty since it began.
        for _ in 0..<2 {
            while try openWriter().performMaintenance(), try openWriter().sweep != nil {
                try await reader.run { (_) throws(StoreFailure) in }
            }
        }
    }

    /// See ``ChannelStore/close()``.
    package func close() async {
        guard let writer else { return }
        scheduledMaintenance?.cancel()
        scheduledMaintenance = nil
        // Written heads make the next start faster. If the writes fail, recovery finds the ends of the channels in the log.
        try? writer.writeAllHeads()
        self.writer = nil
        await reader.close()
        await checkpointer.close()
        lock = nil
    }

    // MARK: Maintenance

    /// Reserves disk space for the write-ahead log. Called once after a start. If the log is already large enough to be copied
    /// into the database, does nothing.
    private func preallocateWAL() {
        guard let writer, StoreFolder.size(of: folder.wal) < writer.tuning.checkpointBytes else { return }
        // If this fails, commits only take longer.
        try? writer.connection.preallocateWAL(bytes: writer.tuning.checkpointBytes)
    }

    /// If the write-ahead log has grown enough, copies the log into the database. Copies are kept rare, because each
    /// copy syncs the log and the database, and commits wait for the disk during a sync.
    private func checkpointIfDue(_ writer: LogWriter) {
        let (bytes, tuning) = (writer.walBytes, writer.tuning)
        // The log is shorter, so SQLite has restarted it.
        if bytes < lastWALBytes { checkpointedAt = 0 }
        lastWALBytes = bytes
        guard bytes >= tuning.checkpointBytes, bytes - checkpointedAt >= tuning.checkpointShareBytes else { return }
        if bytes >= tuning.checkpointNowBytes {
            checkpointedAt = bytes
            // The error is ignored: the log keeps the committed data, and an error that matters will also fail the next commit.
            _ = try? writer.connection.checkpoint()
        } else if !isCheckpointing {
            checkpointedAt = bytes
            isCheckpointing = true
            Task { await checkpoint() }
        }
    }

    private func checkpoint() async {
        let pages = try? await checkpointer.run { (connection) throws(StoreFailure) in try connection.checkpoint() }
        isCheckpointing = false
        // The rest of the log was committed during the copying. The log grows as long as a rest is left, so a small rest is
        // copied now.
        guard let writer, let pages, writer.walPages > pages,
            (writer.walPages - pages) * StoreLimits.pageBytes <= writer.tuning.checkpointShareBytes
        else { return }
        _ = try? writer.connection.checkpoint()
    }

    private func scheduleMaintenance(_ writer: LogWriter, after delay: TimeAmount = .milliseconds(StoreLimits.idleMs)) {
        guard scheduledMaintenance == nil, writer.hasPendingMaintenance else { return }
        scheduledMaintenance = eventLoop.scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            Task { await self.performMaintenance() }
        }
    }

    /// Runs one slice of deferred work if the store is idle. In a busy store, each commit includes a slice.
    private func performMaintenance() {
        scheduledMaintenance = nil
        guard let writer else { return }
        var delay = TimeAmount.milliseconds(StoreLimits.idleMs)
        if NIODeadline.now() - lastCommit >= delay {
            // After a failure, the work is tried again after the longer delay.
            if let more = try? writer.performMaintenance(), more { delay = .milliseconds(StoreLimits.sliceGapMs) }
            checkpointIfDue(writer)
        }
        scheduleMaintenance(writer, after: delay)
    }
}
