import KithWire

/// Deleting what channels do not keep any more, some of it beside each commit and the rest when nothing goes on: bounded by
/// rows and by bytes, since deleted bytes are overwritten.
extension LogWriter {
    /// A channel that has something to be deleted.
    private struct Dropped {
        let channel: UInt64
        /// Entries before this seq are gone.
        var fromSeq: UInt64
        /// Entries from this one on are kept.
        let firstSeq: UInt64
        let isClosed: Bool
    }

    /// Deletes some of what was dropped. What is damaged there stays, and nobody can ask for it: commits do not fail with it.
    func deleteDropped(blocks: UInt64, bytes: Int) throws(StoreFailure) {
        var channel: UInt64?
        // What it cannot do to one channel is taken back by itself.
        try connection.statement("SAVEPOINT deleting").run()
        do throws(StoreFailure) {
            if var dropped = try nextDropped(&channel) {
                let isDone = try delete(&dropped, blocks: blocks, bytes: bytes)
                try note(dropped, isDone: isDone)
            } else {
                hasDropped = false
            }
        } catch {
            guard case .damaged = error, connection.isInTransaction else { throw error }
            damages += 1
            try connection.statement("ROLLBACK TO deleting").run()
            // If not even that can be written, deleting waits for the next start.
            if !forgetDropped(channel) { hasDropped = false }
        }
        try connection.statement("RELEASE deleting").run()
    }

    /// - Parameter channel: whose turn it is, also when that channel's numbers cannot be.
    private func nextDropped(_ channel: inout UInt64?) throws(StoreFailure) -> Dropped? {
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

    /// Returns whether that could be written.
    private func forgetDropped(_ channel: UInt64?) -> Bool {
        guard let channel else { return false }
        do throws(StoreFailure) {
            let row = try connection.statement("DELETE FROM dropped WHERE channel = ?")
            row.bind(channel, at: 1)
            try row.run()
            return true
        } catch { return false }
    }

    /// Deletes up to so many blocks and bytes of a channel. Returns whether that was all of it.
    private func delete(_ dropped: inout Dropped, blocks: UInt64, bytes: Int) throws(StoreFailure) -> Bool {
        var room = bytes
        guard try deleteEntries(&dropped, blocks: blocks, room: &room) else { return false }
        if dropped.isClosed, try !deleteKeyPackages(of: dropped.channel, room: &room) { return false }
        var before = try lastEpoch(of: dropped.channel)
        if !dropped.isClosed { before -= min(before, StoreLimits.trimmedEpochs) }
        return try deleteEpochs(
            of: dropped.channel, before: before, endedBefore: dropped.firstSeq, atMost: room / StoreLimits.rowBytes
        ).isAll
    }

    private func lastEpoch(of channel: UInt64) throws(StoreFailure) -> UInt64 {
        let row = try connection.statement("SELECT max(epoch) FROM epoch WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return 0 }
        defer { row.reset() }
        return try row.count(0)
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

    private func deleteKeyPackages(of channel: UInt64, room: inout Int) throws(StoreFailure) -> Bool {
        let rows = try connection.statement(
            "SELECT number, length(bytes) FROM key_package WHERE channel = ? ORDER BY position")
        rows.bind(channel, at: 1)
        var found: [UInt64] = []
        while room > 0, try rows.next() {
            found.append(rows.uint64(0))
            room -= Int(clamping: rows.uint64(1)) + StoreLimits.rowBytes
        }
        rows.reset()
        let row = try connection.statement("DELETE FROM key_package WHERE number = ?")
        for number in found {
            row.bind(number, at: 1)
            try row.run()
        }
        return room > 0
    }

    /// Deletes epochs before `epoch` that ended before an entry, the oldest first. Returns how many, and whether that was all.
    func deleteEpochs(
        of channel: UInt64, before epoch: UInt64, endedBefore seq: UInt64, atMost count: Int
    ) throws(StoreFailure) -> (deleted: Int, isAll: Bool) {
        let rows = try connection.statement(
            "SELECT epoch FROM epoch WHERE channel = ? AND epoch < ? AND last_seq < ? ORDER BY epoch LIMIT ?")
        rows.bind(channel, at: 1)
        rows.bind(epoch, at: 2)
        rows.bind(seq, at: 3)
        rows.bind(UInt64(max(count, 0) + 1), at: 4)
        var found: [UInt64] = []
        while try rows.next() { found.append(rows.uint64(0)) }
        let isAll = found.count <= count
        let row = try connection.statement("DELETE FROM epoch WHERE channel = ? AND epoch = ?")
        for epoch in isAll ? found[...] : found.dropLast() {
            row.bind(channel, at: 1)
            row.bind(epoch, at: 2)
            try row.run()
        }
        return (isAll ? found.count : found.count - 1, isAll)
    }
}
