import KithWire

/// Deletes dropped rows later: some rows with each commit, and more rows while the store is idle.
///
/// The table `dropped` names the channels with dropped rows. The rows are deleted in slices. A slice has a maximum number of
/// blocks and a maximum number of bytes: deleted bytes are overwritten, and this takes time.
struct DeferredDeletion {
    private let connection: SQLiteConnection
    private let keyPackages: KeyPackageTable
    private let epochs: EpochTable
    /// Whether any rows still have to be deleted.
    var isPending: Bool

    /// A channel with rows that have to be deleted.
    private struct Dropped {
        let channel: UInt64
        /// Entries before this seq are already deleted.
        var fromSeq: UInt64
        /// Entries from this seq on are kept.
        let firstSeq: UInt64
        let isClosed: Bool
    }

    init(_ connection: SQLiteConnection) throws(StoreFailure) {
        self.connection = connection
        keyPackages = KeyPackageTable(connection: connection)
        epochs = EpochTable(connection: connection)
        isPending = try connection.number("SELECT EXISTS (SELECT 1 FROM dropped)") == 1
    }

    /// Marks rows of a channel for deletion: the entries from `seq` on that come before the first kept entry, and all epochs and
    /// key packages that are no longer kept.
    mutating func add(from seq: UInt64, of channel: UInt64) throws(StoreFailure) {
        // If the channel is already listed, its row covers this range too, because the ranges are adjacent.
        let row = try connection.statement("INSERT OR IGNORE INTO dropped VALUES (?, ?)")
        row.bind(channel, at: 1)
        row.bind(seq, at: 2)
        try row.run()
        isPending = true
    }

    func contains(_ channel: UInt64) throws(StoreFailure) -> Bool {
        let row = try connection.statement("SELECT 1 FROM dropped WHERE channel = ?")
        row.bind(channel, at: 1)
        defer { row.reset() }
        return try row.next()
    }

    /// Deletes a slice of the rows. If the rows of a channel are damaged, removes the channel from the table `dropped`, so that
    /// the damaged rows do not make later commits fail. The damaged rows stay in the file, but no request can reach them.
    ///
    /// - Returns: `true` if damage was found.
    mutating func deleteSome(blocks: UInt64, bytes: Int) throws(StoreFailure) -> Bool {
        var channel: UInt64?
        var isDamaged = false
        // The savepoint undoes a failed deletion without undoing the rest of the transaction.
        try connection.statement("SAVEPOINT deleting").run()
        do throws(StoreFailure) {
            if var dropped = try next(&channel) {
                let isDone = try delete(&dropped, blocks: blocks, bytes: bytes)
                try note(dropped, isDone: isDone)
            } else {
                isPending = false
            }
        } catch {
            guard case .damaged = error, connection.isInTransaction else { throw error }
            isDamaged = true
            try connection.statement("ROLLBACK TO deleting").run()
            // If the channel cannot be removed from the table, deletion stops until the next start.
            if !remove(channel) { isPending = false }
        }
        try connection.statement("RELEASE deleting").run()
        return isDamaged
    }

    /// - Parameter channel: set to the number of the next channel in the table `dropped`, even if the remaining columns of the
    ///   row are damaged.
    private func next(_ channel: inout UInt64?) throws(StoreFailure) -> Dropped? {
        let row = try connection.statement(
            """
            SELECT d.channel, d.from_seq, h.first_seq, c.closed FROM dropped d
            JOIN channel_head h ON h.channel = d.channel JOIN channel c ON c.number = d.channel LIMIT 1
            """)
        guard try row.next() else { return nil }
        defer { row.reset() }
        let number = row.uint64(0)
        channel = number
        let firstSeq = try row.count(2)
        guard firstSeq > 0 else { throw .damaged("the ends of a channel contradict each other") }
        return Dropped(
            channel: number, fromSeq: try row.count(1), firstSeq: firstSeq, isClosed: row.uint64(3) != 0)
    }

    private func note(_ dropped: Dropped, isDone: Bool) throws(StoreFailure) {
        let row = try connection.statement(
            isDone ? "DELETE FROM dropped WHERE channel = ?" : "UPDATE dropped SET from_seq = ?2 WHERE channel = ?1")
        row.bind(dropped.channel, at: 1)
        if !isDone { row.bind(dropped.fromSeq, at: 2) }
        try row.run()
    }

    /// Removes a channel from the table `dropped`. Returns `false` if the removal failed, or if `channel` is `nil`.
    private func remove(_ channel: UInt64?) -> Bool {
        guard let channel else { return false }
        do throws(StoreFailure) {
            let row = try connection.statement("DELETE FROM dropped WHERE channel = ?")
            row.bind(channel, at: 1)
            try row.run()
            return true
        } catch { return false }
    }

    /// Deletes up to `blocks` blocks and `bytes` bytes of a channel. Returns `true` if nothing is left to delete.
    private func delete(_ dropped: inout Dropped, blocks: UInt64, bytes: Int) throws(StoreFailure) -> Bool {
        var room = bytes
        guard try deleteEntries(&dropped, blocks: blocks, room: &room) else { return false }
        if dropped.isClosed, try !keyPackages.deleteSome(of: dropped.channel, room: &room) { return false }
        var before = try epochs.last(of: dropped.channel)
        if !dropped.isClosed { before -= min(before, StoreLimits.trimmedEpochs) }
        return try epochs.delete(
            of: dropped.channel, before: before, endedBefore: dropped.firstSeq, atMost: room / StoreLimits.rowBytes
        ).isAll
    }

    private func deleteEntries(_ dropped: inout Dropped, blocks: UInt64, room: inout Int) throws(StoreFailure) -> Bool {
        let rows = try connection.statement(
            """
            SELECT number, last_seq, entry_references FROM entry_block WHERE channel = ? AND last_seq >= ?
            ORDER BY last_seq LIMIT ?
            """)
        rows.bind(dropped.channel, at: 1)
        rows.bind(dropped.fromSeq, at: 2)
        rows.bind(blocks, at: 3)
        defer { rows.reset() }
        var found: [(number: UInt64, block: EntryBlock)] = []
        while try rows.next() {
            found.append((rows.uint64(0), try EntryBlock(lastSeq: rows.count(1), encodedReferences: rows.bytes(2))))
        }
        let entry = try connection.statement("DELETE FROM entry WHERE position = ?")
        let whole = try connection.statement("DELETE FROM entry_block WHERE number = ?")
        for (number, block) in found {
            dropped.fromSeq = max(dropped.fromSeq, block.firstSeq)
            for reference in block.references(from: dropped.fromSeq, through: dropped.firstSeq - 1) {
                guard room > 0 else { return false }
                room -= Int(reference.size) + StoreLimits.rowBytes
                entry.bind(reference.position, at: 1)
                try entry.run()
                dropped.fromSeq += 1
            }
            guard block.lastSeq < dropped.firstSeq else { return true }
            whole.bind(number, at: 1)
            try whole.run()
            dropped.fromSeq = block.lastSeq + 1
        }
        return UInt64(found.count) < blocks
    }
}
