import KithWire
import TLSCodec

/// Reads the tables on one connection. If the caller has begun a transaction, all functions read the same snapshot of the file.
struct LogReader {
    let connection: SQLiteConnection

    // MARK: Channels

    /// Returns a channel's state from its rows, without an open block; `nil` if no channel with this id ever existed.
    func channel(_ id: ChannelID) throws(StoreFailure) -> ChannelState? {
        let channel = try connection.statement(
            "SELECT number, retention_s, closed, kind, created_ms, used_ms FROM channel WHERE id = ?")
        channel.bind(id.bytes, at: 1)
        guard try channel.next() else { return nil }
        defer { channel.reset() }
        let number = channel.uint64(0)
        guard let kind = ChannelKind(rawValue: UInt8(clamping: channel.uint64(3))) else {
            throw .damaged("a channel has an unknown kind")
        }
        let retentionSeconds = UInt32(truncatingIfNeeded: channel.uint64(1))
        var state = ChannelState(
            number: number,
            head: ChannelHead(
                created: .nobody, kind: kind, retentionSeconds: retentionSeconds, atMs: try channel.count(4)))
        state.head.usedMs = try channel.count(5)
        state.head.isClosed = channel.uint64(2) != 0
        try readHead(into: &state)
        try readCurrentEpoch(into: &state)
        if state.head.isClosed { state.head.epochFirstSeq = state.head.lastSeq + 1 }
        return state
    }

    private func readHead(into state: inout ChannelState) throws(StoreFailure) {
        let head = try connection.statement(
            """
            SELECT first_seq, last_seq, last_position, total_bytes, dropped_bytes, due_ms FROM channel_head
            WHERE channel = ?
            """)
        head.bind(state.number, at: 1)
        guard try head.next() else { return }
        defer { head.reset() }
        state.head.firstSeq = try head.count(0)
        state.head.lastSeq = try head.count(1)
        state.lastPosition = try head.count(2)
        state.totalBytes = try head.count(3)
        let dropped = try head.count(4)
        state.dueMs = head.uint64(5)
        guard state.head.firstSeq >= 1, state.head.firstSeq <= state.head.lastSeq + 1, dropped <= state.totalBytes
        else {
            throw .damaged("the ends of a channel contradict each other")
        }
        state.head.payloadBytes = state.totalBytes - dropped
    }

    private func readCurrentEpoch(into state: inout ChannelState) throws(StoreFailure) {
        let epoch = try connection.statement(
            """
            SELECT first_seq, last_seq, read_grant, append_grant, turn_grant, epoch FROM epoch
            WHERE channel = ? ORDER BY epoch DESC LIMIT 1
            """)
        epoch.bind(state.number, at: 1)
        guard try epoch.next() else { throw .damaged("a channel has no epoch") }
        defer { epoch.reset() }
        let record = try LogReader.epochRecord(epoch)
        state.head.access = record.access
        state.head.epochFirstSeq = record.firstSeq
        state.head.epoch = try epoch.count(5)
    }

    /// Returns one epoch of a channel, or `nil` if there is no row for the epoch.
    func epoch(_ number: UInt64, of channel: ChannelID) throws(StoreFailure) -> EpochRecord? {
        let epoch = try connection.statement(
            """
            SELECT e.first_seq, e.last_seq, e.read_grant, e.append_grant, e.turn_grant
            FROM channel c JOIN epoch e ON e.channel = c.number WHERE c.id = ? AND e.epoch = ?
            """)
        epoch.bind(channel.bytes, at: 1)
        epoch.bind(number, at: 2)
        guard try epoch.next() else { return nil }
        defer { epoch.reset() }
        return try LogReader.epochRecord(epoch)
    }

    /// Reads an epoch from the columns first_seq, last_seq, read_grant, append_grant, turn_grant.
    private static func epochRecord(_ row: SQLiteStatement) throws(StoreFailure) -> EpochRecord {
        guard let read = Grant(row.bytes(2)), let append = Grant(row.bytes(3)), let turn = Grant(row.bytes(4)) else {
            throw .damaged("a grant has the wrong length")
        }
        return EpochRecord(
            access: Access(read: read, append: append, turn: turn), firstSeq: try row.count(0),
            lastSeq: row.isNull(1) ? nil : try row.count(1))
    }

    // MARK: References

    /// Returns the references to the entries after the last complete block. If the state does not have the references, builds the
    /// references from the rows of the entries. Starts at the last entry: each row has the position of the channel's previous
    /// entry. Returns `nil` if the row of an entry was deleted after the state was read.
    func openBlock(of state: ChannelState) throws(StoreFailure) -> EntryBlock? {
        if let block = state.openBlock { return block }
        let lastSeq = state.head.lastSeq
        let firstSeq = max(state.head.firstSeq, EntryBlock.lastComplete(upTo: lastSeq) + 1)
        guard firstSeq <= lastSeq else { return EntryBlock(lastSeq: lastSeq) }
        let row = try connection.statement(
            "SELECT channel, seq, id, received_ms, length(payload), previous FROM entry WHERE position = ?")
        var references: [EntryReference] = []
        var position = state.lastPosition
        for seq in (firstSeq...lastSeq).reversed() {
            row.bind(position, at: 1)
            guard try row.next() else { return nil }
            defer { row.reset() }
            guard row.uint64(0) == state.number, row.uint64(1) == seq, let id = EntryID(row.bytes(2)) else {
                throw .damaged("a channel's entries are not chained")
            }
            references.append(
                EntryReference(
                    position: position, id: id, receivedAtMs: row.uint64(3),
                    size: UInt32(truncatingIfNeeded: row.uint64(4))))
            position = row.uint64(5)
        }
        return EntryBlock(lastSeq: lastSeq, references: references.reversed())
    }

    /// Calls `body` with each complete block of a channel, until `body` returns `false`. The first block is the block that
    /// contains the entry `first`.
    func forEachBlock(
        of channel: UInt64, from first: UInt64, _ body: (EntryBlock) throws(StoreFailure) -> Bool
    ) throws(StoreFailure) {
        let row = try connection.statement(
            """
            SELECT last_seq, entry_references FROM entry_block WHERE channel = ? AND last_seq >= ? ORDER BY last_seq
            """)
        row.bind(channel, at: 1)
        row.bind(first, at: 2)
        defer { row.reset() }
        while try row.next() {
            if try !body(EntryBlock(lastSeq: row.count(0), encodedReferences: row.bytes(1))) { return }
        }
    }

    /// Returns the reference to a kept entry, or `nil` if the channel does not have the entry.
    func reference(to seq: UInt64, in state: ChannelState) throws(StoreFailure) -> EntryReference? {
        if seq > EntryBlock.lastComplete(upTo: state.head.lastSeq) {
            return try openBlock(of: state)?[seq]
        }
        var found: EntryReference?
        try forEachBlock(of: state.number, from: seq) { (block) throws(StoreFailure) in
            found = block[seq]
            return false
        }
        return found
    }

    // MARK: Key packages and names

    /// Returns the shelf of a channel. If the channel has no shelf, returns an empty shelf.
    func shelf(of channel: ChannelID) throws(StoreFailure) -> KeyPackageShelf {
        let shelf = try connection.statement(
            """
            SELECT s.version, s.last_resort, s.channel,
                (SELECT count(*) FROM key_package k WHERE k.channel = s.channel)
            FROM channel c JOIN shelf s ON s.channel = c.number WHERE c.id = ?
            """)
        shelf.bind(channel.bytes, at: 1)
        guard try shelf.next() else { return KeyPackageShelf() }
        defer { shelf.reset() }
        return KeyPackageShelf(
            version: shelf.uint64(0), count: Int(shelf.uint64(3)), next: try nextKeyPackage(of: shelf.uint64(2)),
            lastResort: shelf.isNull(1) ? nil : KeyPackageBytes(shelf.bytes(1)[...]))
    }

    private func nextKeyPackage(of channel: UInt64) throws(StoreFailure) -> KeyPackageShelf.Item? {
        let row = try connection.statement(
            "SELECT position, bytes FROM key_package WHERE channel = ? ORDER BY position LIMIT 1")
        row.bind(channel, at: 1)
        guard try row.next() else { return nil }
        defer { row.reset() }
        return KeyPackageShelf.Item(position: row.uint64(0), bytes: KeyPackageBytes(row.bytes(1)[...]))
    }

    /// Returns the unverified record under a name, and the time of its last renewal.
    func record(under name: Name) throws(StoreFailure) -> (record: UnverifiedNameRecord, renewedMs: UInt64)? {
        let row = try connection.statement("SELECT record, renewed_ms FROM name WHERE name = ?")
        row.bind(name.text, at: 1)
        guard try row.next() else { return nil }
        defer { row.reset() }
        guard let record = try? UnverifiedNameRecord(decoding: row.bytes(0)) else {
            throw .damaged("a name's record cannot be decoded")
        }
        return (record, try row.count(1))
    }
}
