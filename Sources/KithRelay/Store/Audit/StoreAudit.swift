import Crypto
import KithWire

/// Reads everything that a store holds, row by row, beside a running relay or without one. Changes nothing.
public final class StoreAudit {
    private let folder: StoreFolder
    private let connection: SQLiteConnection
    private let reader: LogReader
    /// Keeps a relay from starting while a file is read that nothing is expected to change.
    private let lock: FolderLock?
    /// Where channels end whose heads were behind when the audit began.
    private let ends: [UInt64: LogEnd]

    /// Opens the store in a folder.
    ///
    /// - Throws: ``StoreOpenError``, also if there is no store.
    public init(folder path: String) throws(StoreOpenError) {
        folder = StoreFolder(path: path)
        lock = folder.lockedForReading()
        // Without a relay and without a log there is one file, and no need for the two that SQLite would put beside it.
        let isAtRest = lock != nil && StoreFolder.size(of: folder.log) == 0
        let format: StoreSchema.Format
        do throws(StoreFailure) {
            connection = try SQLiteConnection(path: folder.database, mode: isAtRest ? .immutable : .readOnly)
            format = try StoreSchema.format(of: connection)
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
        if let refusal = StoreSchema.refusal(of: format, folder) { throw refusal }
        guard format == .known else { throw .foreign(file: folder.database) }
        reader = LogReader(connection: connection)
        do throws(StoreFailure) {
            let mark = try connection.number("SELECT heads_through FROM store") ?? 0
            ends = try LogEnd.all(in: connection, after: mark)
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
    }

    /// Gives `body` every row: first what the store is, then each channel with what belongs to it, then the names.
    ///
    /// - Parameter entriesPerChannel: how many entries of each channel to show, the last ones; all unless told.
    /// - Throws: ``StoreFailure``, and what `body` throws.
    public func forEachRow(entriesPerChannel: UInt64? = nil, _ body: (AuditRow) throws -> Void) throws {
        try body(.store(try store()))
        var last: UInt64 = 0
        while let (number, id, createdMs) = try nextChannel(after: last) {
            last = number
            try auditChannel(number, id, createdMs, entriesPerChannel ?? .max, body)
        }
        try auditNames(body)
    }

    private func store() throws(StoreFailure) -> AuditRow.Store {
        let row = try connection.statement("SELECT relay_id, channels, names FROM store")
        guard try row.next() else { throw .damaged("the store's own row is missing") }
        defer { row.reset() }
        return AuditRow.Store(
            relayID: hex(row.bytes(0)), channels: row.uint64(1), names: row.uint64(2), diskBytes: folder.diskBytes)
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
        // One state of the file for each channel, not one for all: the relay's log cannot start over while it is read.
        try connection.statement("BEGIN").run()
        defer { connection.rollback() }
        guard let state = try state(of: id) else { return }
        try body(
            .channel(
                AuditRow.Channel(
                    number: number, id: hex(id.bytes.prefix(4)), createdMs: createdMs,
                    retentionSeconds: state.head.retentionSeconds, isClosed: state.head.isClosed,
                    epoch: state.head.epoch, firstSeq: state.head.firstSeq, lastSeq: state.head.lastSeq,
                    payloadBytes: state.head.payloadBytes)))
        try auditEpochs(of: number, body)
        try auditEntries(of: state, entryCount, body)
        try auditKeyPackages(of: number, body)
    }

    private func state(of id: ChannelID) throws(StoreFailure) -> ChannelState? {
        guard var state = try reader.channel(id) else { return nil }
        if let end = ends[state.number], end.seq > state.head.lastSeq, !state.head.isClosed {
            state.head.payloadBytes += end.totalBytes - state.totalBytes
            state.head.lastSeq = end.seq
            state.lastPosition = end.position
            state.totalBytes = end.totalBytes
        }
        return state
    }

    private func auditEpochs(of channel: UInt64, _ body: (AuditRow) throws -> Void) throws {
        let row = try connection.statement(
            """
            SELECT epoch, first_seq, last_seq, read_grant, append_grant, turn_grant FROM epoch
            WHERE channel = ? ORDER BY epoch
            """)
        row.bind(channel, at: 1)
        defer { row.reset() }
        while try row.next() {
            try body(
                .epoch(
                    AuditRow.Epoch(
                        channel: channel, epoch: row.uint64(0), firstSeq: row.uint64(1),
                        lastSeq: row.optionalUInt64(2), readTokenHash: hex(row.bytes(3)),
                        appendTokenHash: hex(row.bytes(4)), turnTokenHash: hex(row.bytes(5)))))
        }
    }

    private func auditEntries(of state: ChannelState, _ count: UInt64, _ body: (AuditRow) throws -> Void) throws {
        let kept = state.head.lastSeq + 1 - state.head.firstSeq
        var next = state.head.lastSeq + 1 - min(kept, count)
        while next <= state.head.lastSeq {
            let batch = try reader.entries(
                of: state, from: next, through: state.head.lastSeq, maximumBytes: StoreLimits.auditReadBytes)
            guard let batch, let last = batch.last else {
                throw StoreFailure.damaged("a channel's entries are not where their references say")
            }
            for entry in batch { try body(.entry(AuditRow.Entry(channel: state.number, entry))) }
            next = last.seq + 1
        }
    }

    private func auditKeyPackages(of channel: UInt64, _ body: (AuditRow) throws -> Void) throws {
        let row = try connection.statement(
            """
            SELECT position, length(bytes), 0 FROM key_package WHERE channel = ?1
            UNION ALL SELECT 0, length(last_resort), 1 FROM shelf WHERE channel = ?1 AND last_resort IS NOT NULL
            """)
        row.bind(channel, at: 1)
        defer { row.reset() }
        while try row.next() {
            try body(
                .keyPackage(
                    AuditRow.KeyPackage(channel: channel, size: row.uint64(1), isLastResort: row.uint64(2) != 0)))
        }
    }

    // MARK: Names

    private func auditNames(_ body: (AuditRow) throws -> Void) throws {
        let row = try connection.statement("SELECT name, record FROM name ORDER BY name")
        defer { row.reset() }
        while try row.next() {
            guard
                let name = Name(row.text(0)),
                let record = try? UnverifiedNameRecord(decoding: row.bytes(1)).verified(for: name)
            else { throw StoreFailure.damaged("a name's record has no valid signature") }
            try body(
                .name(
                    AuditRow.Name(
                        name: name.text, version: record.version,
                        identityHash: hex(SHA256.hash(data: record.identity)), contentSize: record.content.count)))
        }
    }
}

/// Lower-case hexadecimal digits.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    return bytes.reduce(into: "") { text, byte in
        text.unicodeScalars.append(digits[Int(byte >> 4)])
        text.unicodeScalars.append(digits[Int(byte & 15)])
    }
}
