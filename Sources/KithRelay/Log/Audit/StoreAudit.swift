import Crypto
import KithSupport
import KithWire

/// Reads all data of a store, row by row. A relay may use the store during the audit. The audit changes nothing.
///
/// The audit reads the rows in pieces: the caller may take hours to process the rows, and SQLite cannot restart its write-ahead
/// log while a read is open. Each piece shows the current state of the file. While the caller processes a piece, no read is open.
package final class StoreAudit {
    private let folder: StoreFolder
    private let connection: SQLiteConnection
    private let reader: LogReader
    /// The lock that keeps a relay from starting during the audit; `nil` if a relay is already running.
    private let lock: FolderLock?
    /// The last entries of channels whose heads were not yet written when the audit began.
    private let ends: [UInt64: LogEnd]

    /// Opens the store in a folder.
    ///
    /// - Parameter path: the path of the folder.
    /// - Throws: ``StoreOpenError``, also if the folder has no store.
    package init(folder path: String) throws(StoreOpenError) {
        folder = StoreFolder(path: path)
        guard StoreFolder.exists(folder.database) else { throw .missing(folder: path) }
        lock = folder.lockedForReading()
        let format: StoreSchema.Format
        do throws(StoreFailure) {
            connection = try SQLiteConnection(
                path: folder.database, mode: .audit(of: folder.database, isLocked: lock != nil))
            format = try StoreSchema.format(of: connection)
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
        if let refusal = StoreSchema.refusal(of: format, folder) { throw refusal }
        if case .older = format { throw .olderVersion(file: folder.database) }
        guard format == .known else { throw .foreign(file: folder.database) }
        reader = LogReader(connection: connection)
        do throws(StoreFailure) {
            let mark = try connection.number("SELECT heads_through FROM store") ?? 0
            ends = try LogEnd.all(in: connection, after: mark).ends
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
    }

    /// Calls `body` for every row: first the store, then each channel with its epochs, entries and key packages, then the names,
    /// then the blobs.
    /// The rows of a running relay are not a consistent snapshot.
    ///
    /// - Parameters:
    ///   - entriesPerChannel: maximum number of entries to read from each channel, or `nil` to read all entries. If a channel has
    ///     more entries, only its last entries are read.
    ///   - body: called with each row.
    /// - Throws: ``StoreFailure``, and the errors of `body`.
    package func forEachRow(entriesPerChannel: UInt64? = nil, _ body: (AuditRow) throws -> Void) throws {
        try body(.store(try store()))
        var last: UInt64 = 0
        while let (number, id, createdMs) = try nextChannel(after: last) {
            last = number
            try auditChannel(number, id, createdMs, entriesPerChannel ?? .max, body)
        }
        try auditNames(body)
        try BlobAudit(folder: BlobFolder(path: folder.path), isLocked: lock != nil)?.forEachRow(body)
    }

    private func store() throws(StoreFailure) -> AuditRow.StoreRow {
        let row = try connection.statement("SELECT relay_id, channels, names FROM store")
        guard try row.next() else { throw .damaged("the store's own row is missing") }
        defer { row.reset() }
        return AuditRow.StoreRow(
            relayID: Hex.encode(row.bytes(0)), channels: row.uint64(1), names: row.uint64(2),
            diskBytes: folder.diskBytes)
    }

    // MARK: Channels

    private func nextChannel(
        after number: UInt64
    ) throws(StoreFailure) -> (number: UInt64, id: ChannelID, createdMs: UInt64)? {
        let row = try connection.statement(
            "SELECT number, id, created_ms FROM channel WHERE number > ? ORDER BY number LIMIT 1")
        row.bind(number, at: 1)
        guard try row.next() else { return nil }
        defer { row.reset() }
        guard let id = ChannelID(row.bytes(1)) else { throw .damaged("a channel's id has the wrong length") }
        return (row.uint64(0), id, row.uint64(2))
    }

    private func auditChannel(
        _ number: UInt64, _ id: ChannelID, _ createdMs: UInt64, _ entryCount: UInt64, _ body: (AuditRow) throws -> Void
    ) throws {
        guard let state = try piece({ () throws(StoreFailure) in try state(of: id) }) else { return }
        try body(
            .channel(
                AuditRow.ChannelRow(
                    number: number, id: Hex.encode(id.bytes.prefix(4)), kind: state.head.kind, createdMs: createdMs,
                    usedMs: state.head.usedMs,
                    retentionSeconds: state.head.retentionSeconds, isClosed: state.head.isClosed,
                    epoch: state.head.epoch, firstSeq: state.head.firstSeq, lastSeq: state.head.lastSeq,
                    payloadBytes: state.head.payloadBytes)))
        try auditEpochs(of: number, body)
        try auditEntries(of: id, state.head, entryCount, body)
        try auditKeyPackages(of: number, body)
    }

    private func state(of id: ChannelID) throws(StoreFailure) -> ChannelState? {
        guard var state = try reader.channel(id) else { return nil }
        if let end = ends[state.number], end.seq > state.head.lastSeq, !state.head.isClosed {
            guard end.totalBytes >= state.totalBytes else {
                throw .damaged("the sizes of a channel's entries contradict each other")
            }
            state.head.payloadBytes += end.totalBytes - state.totalBytes
            state.head.lastSeq = end.seq
            state.lastPosition = end.position
            state.totalBytes = end.totalBytes
        }
        return state
    }

    /// Reads from one snapshot of the file.
    private func piece<T>(_ read: () throws(StoreFailure) -> T) throws(StoreFailure) -> T {
        try connection.statement("BEGIN").run()
        // This ends the read transaction. It has no changes to undo.
        defer { connection.rollback() }
        return try read()
    }

    /// The rows of a query, at most ``StoreLimits/auditedRowsAtOnce``.
    private func rows<Row>(
        _ sql: String, _ bind: (SQLiteStatement) -> Void, _ read: (SQLiteStatement) throws(StoreFailure) -> Row
    ) throws(StoreFailure) -> [Row] {
        try piece { () throws(StoreFailure) in
            let row = try connection.statement(sql + " LIMIT \(StoreLimits.auditedRowsAtOnce)")
            bind(row)
            defer { row.reset() }
            var found: [Row] = []
            while try row.next() { found.append(try read(row)) }
            return found
        }
    }

    private func auditEpochs(of channel: UInt64, _ body: (AuditRow) throws -> Void) throws {
        var next: UInt64? = 0
        while let from = next {
            let epochs = try rows(
                """
                SELECT epoch, first_seq, last_seq, read_grant, append_grant, turn_grant FROM epoch
                WHERE channel = ? AND epoch >= ? ORDER BY epoch
                """,
                { row in
                    row.bind(channel, at: 1)
                    row.bind(from, at: 2)
                },
                { (row) throws(StoreFailure) in
                    AuditRow.EpochRow(
                        channel: channel, epoch: try row.count(0), firstSeq: row.uint64(1),
                        lastSeq: row.optionalUInt64(2), readTokenHash: Hex.encode(row.bytes(3)),
                        appendTokenHash: Hex.encode(row.bytes(4)), turnTokenHash: Hex.encode(row.bytes(5)))
                })
            for epoch in epochs { try body(.epoch(epoch)) }
            next = epochs.last.map { $0.epoch + 1 }
        }
    }

    private func auditEntries(
        of id: ChannelID, _ head: ChannelHead, _ count: UInt64, _ body: (AuditRow) throws -> Void
    ) throws {
        let kept = head.lastSeq + 1 - head.firstSeq
        var next = head.lastSeq + 1 - min(kept, count)
        while let (number, entries) = try entries(of: id, from: next, through: head.lastSeq), let last = entries.last {
            for entry in entries { try body(.entry(AuditRow.EntryRow(channel: number, entry))) }
            next = last.seq + 1
        }
    }

    /// Reads the first entries of a range. Skips entries that were dropped in the meantime.
    private func entries(
        of id: ChannelID, from first: UInt64, through last: UInt64
    ) throws(StoreFailure) -> (channel: UInt64, entries: [Entry])? {
        try piece { () throws(StoreFailure) in
            guard first <= last, let state = try state(of: id) else { return nil }
            let first = max(first, state.head.firstSeq)
            guard first <= last, last <= state.head.lastSeq else { return nil }
            let entries = try reader.entries(
                of: state, from: first, through: last, maximumBytes: StoreLimits.auditReadBytes)
            guard let entries, !entries.isEmpty else {
                throw .damaged("a channel's entries are not where their references say")
            }
            return (state.number, entries)
        }
    }

    private func auditKeyPackages(of channel: UInt64, _ body: (AuditRow) throws -> Void) throws {
        var last: UInt64? = 0
        while let after = last {
            let packages = try rows(
                """
                SELECT position, length(bytes), deposited_ms FROM key_package WHERE channel = ? AND position > ?
                ORDER BY position
                """,
                { row in
                    row.bind(channel, at: 1)
                    row.bind(after, at: 2)
                }, { ($0.uint64(0), $0.uint64(1), $0.uint64(2)) })
            for (_, size, depositedMs) in packages {
                try body(
                    .keyPackage(
                        AuditRow.KeyPackageRow(
                            channel: channel, size: size, isLastResort: false, depositedMs: depositedMs)))
            }
            last = packages.last?.0
        }
        let lastResort = try rows(
            "SELECT length(last_resort) FROM shelf WHERE channel = ? AND last_resort IS NOT NULL",
            { $0.bind(channel, at: 1) }, { $0.uint64(0) })
        for size in lastResort {
            try body(
                .keyPackage(
                    AuditRow.KeyPackageRow(channel: channel, size: size, isLastResort: true, depositedMs: nil)))
        }
    }

    // MARK: Names

    private func auditNames(_ body: (AuditRow) throws -> Void) throws {
        var last: String? = ""
        while let after = last {
            let names = try rows(
                "SELECT name, record, renewed_ms FROM name WHERE name > ? ORDER BY name", { $0.bind(after, at: 1) },
                { (row) throws(StoreFailure) in
                    guard
                        let name = Name(row.text(0)),
                        let record = try? UnverifiedNameRecord(decoding: row.bytes(1)).verified(for: name)
                    else { throw .damaged("a name's record has no valid signature") }
                    return AuditRow.NameRow(
                        name: name.text, version: record.version,
                        identityHash: Hex.encode(SHA256.hash(data: record.identity)), contentSize: record.content.count,
                        renewedMs: row.uint64(2))
                })
            for name in names { try body(.name(name)) }
            last = names.last?.name
        }
    }
}
