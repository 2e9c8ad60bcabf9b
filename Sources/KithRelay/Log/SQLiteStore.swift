import KithWire
import NIOCore

/// A store in one SQLite file, which one process at a time writes.
///
/// Commits block the store's event loop, which should have a thread of its own. Mutations are decided on the same
/// thread, so that deciding and committing need no hop. Reads of many entries, the search for expired ones, and
/// checkpoints have threads of their own and do not delay commits.
///
/// `StoreSchema`, `EntryBlock` and `HeadSweep` describe the layout of entries and how they are found.
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
    /// `nil` once closed.
    private var writer: LogWriter?
    private var isCheckpointing = false
    /// Size of the write-ahead log after the last commit, and at its last copying; 0 after the log has started over.
    private var lastWALBytes = 0
    private var checkpointedAt = 0
    private var scheduledMaintenance: Scheduled<Void>?
    private var lastCommit = NIODeadline.now()
    /// The number of the last channel that expiry examined.
    private var expiredThrough: UInt64 = 0

    /// Runs on the store's event loop.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens the store in a folder, and creates both if they do not exist. Blocks until the store is ready.
    ///
    /// - Parameters:
    ///   - folder: the folder's path. A new folder gets mode 0700, and its files 0600.
    ///   - eventLoop: the event loop that the store runs on. Its thread waits for the disk.
    /// - Throws: ``StoreOpenError``, without a change in the folder.
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
        // Later, so that the start does not wait for it.
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

    /// Runs `body` on the reader's thread with the channel's state and open block. If `body` returns `nil`, because the
    /// state is outdated after entries were dropped, it runs again. Returns `nil` if there is no such channel.
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
        // The channel loses entries all the time. On this thread, none is dropped during the read.
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

    /// Checks a record's signature again, because the disk may have damaged it. Runs on a thread of the global pool:
    /// the check takes as long as many reads, which would have to wait.
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

    /// A channel's state from memory, or else from the file.
    private func state(of id: ChannelID) async throws(StoreFailure) -> ChannelState? {
        let writer = try openWriter()
        if let channel = writer.cache[id] { return channel.state }
        let departures = writer.cache.departures
        var state = try await reader.read { (reader) throws(StoreFailure) in try reader.channel(id) }
        // A state that is in memory now is newer. If channels have left the memory, this one may have been loaded,
        // changed and evicted meanwhile: then it is read on this thread, where nothing changes during the read.
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
        // The search for due channels reads the written heads.
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

    /// Writes the heads that are dirty now, a slice at a time. Other jobs run in between.
    private func writeHeads() async throws(StoreFailure) {
        // The sweep under way, and one of the heads that became dirty since it began.
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
        // Makes the next start faster. If it fails, recovery finds the heads.
        try? writer.writeAllHeads()
        self.writer = nil
        await reader.close()
        await checkpointer.close()
        lock = nil
    }

    // MARK: Maintenance

    /// Called once after a start. A log from an earlier run is large enough, or soon will be.
    private func preallocateWAL() {
        guard let writer, StoreFolder.size(of: folder.wal) < writer.tuning.checkpointBytes else { return }
        // If it fails, commits only take longer.
        try? writer.connection.preallocateWAL(bytes: writer.tuning.checkpointBytes)
    }

    /// Copies the write-ahead log into the database when it has grown enough. Copying is rare, because it syncs both
    /// files and commits wait for the disk meanwhile.
    private func checkpointIfDue(_ writer: LogWriter) {
        let (bytes, tuning) = (writer.walBytes, writer.tuning)
        // The log has started over.
        if bytes < lastWALBytes { checkpointedAt = 0 }
        lastWALBytes = bytes
        guard bytes >= tuning.checkpointBytes, bytes - checkpointedAt >= tuning.checkpointShareBytes else { return }
        if bytes >= tuning.checkpointNowBytes {
            checkpointedAt = bytes
            // An error that matters fails the next commit, too. The log keeps the committed data.
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
        // The rest was committed meanwhile. The log grows as long as there is a rest.
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

    /// Runs one slice of deferred work if the store is idle. Commits of a busy store do their share themselves.
    private func performMaintenance() {
        scheduledMaintenance = nil
        guard let writer else { return }
        var delay = TimeAmount.milliseconds(StoreLimits.idleMs)
        if NIODeadline.now() - lastCommit >= delay {
            // A failure is retried after the delay.
            if let more = try? writer.performMaintenance(), more { delay = .milliseconds(StoreLimits.sliceGapMs) }
            checkpointIfDue(writer)
        }
        scheduleMaintenance(writer, after: delay)
    }
}
