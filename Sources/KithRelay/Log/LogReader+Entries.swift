import KithWire

/// Reads entries with the help of their references.
extension LogReader {
    /// Returns consecutive entries of a channel, from `first` on and not beyond `last`. Returns as many entries as fit into
    /// `maximumBytes` of payload, but always the entry `first`. Returns `nil` if a needed entry was dropped after `state` was
    /// read. According to `state`, the channel must still keep the entries `first` and `last`.
    func entries(
        of state: ChannelState, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) throws(StoreFailure) -> [Entry]? {
        var batch = EntryBatch(reader: self, channel: state.number, nextSeq: first, lastSeq: last, room: maximumBytes)
        let complete = EntryBlock.lastComplete(upTo: state.head.lastSeq)
        if first <= complete {
            try forEachBlock(of: state.number, from: first) { (block) throws(StoreFailure) in
                // The file may have a block that is newer than the state. The entries of such a block are after `last`.
                guard block.lastSeq <= complete else { return false }
                return try batch.append(from: block)
            }
        }
        if batch.nextSeq > complete, batch.nextSeq <= last, !batch.isFull {
            guard let open = try openBlock(of: state) else { return nil }
            _ = try batch.append(from: open)
        }
        return batch.isFull || batch.nextSeq > last ? batch.entries : nil
    }

    /// Returns the ids of a channel's kept entries that were received at or after a time. Reads the blocks backwards, and stops
    /// at a block that has only older entries. Returns `nil` if a needed entry was dropped after `state` was read.
    func entryIDs(
        of state: ChannelState, receivedSinceMs: UInt64
    ) throws(StoreFailure) -> [(id: EntryID, seq: UInt64)]? {
        guard let open = try openBlock(of: state) else { return nil }
        let row = try connection.statement(
            """
            SELECT last_seq, entry_references FROM entry_block WHERE channel = ? AND last_seq BETWEEN ? AND ?
            ORDER BY last_seq DESC
            """)
        row.bind(state.number, at: 1)
        row.bind(state.head.firstSeq, at: 2)
        row.bind(EntryBlock.lastComplete(upTo: state.head.lastSeq), at: 3)
        defer { row.reset() }
        var ids = LogReader.ids(in: open, of: state, receivedSinceMs: receivedSinceMs)
        while try row.next() {
            let block = try EntryBlock(lastSeq: row.count(0), encodedReferences: row.bytes(1))
            let found = LogReader.ids(in: block, of: state, receivedSinceMs: receivedSinceMs)
            if found.isEmpty { break }
            ids += found
        }
        return ids.reversed()
    }

    /// The ids in one block, from the last entry to the first.
    private static func ids(
        in block: EntryBlock, of state: ChannelState, receivedSinceMs: UInt64
    ) -> [(id: EntryID, seq: UInt64)] {
        var ids: [(id: EntryID, seq: UInt64)] = []
        var seq = block.lastSeq
        for reference in block.references.reversed() {
            if reference.receivedAtMs >= receivedSinceMs && seq >= state.head.firstSeq {
                ids.append((reference.id, seq))
            }
            seq -= 1
        }
        return ids
    }
}

/// Entries that are being collected with the help of their references.
private struct EntryBatch {
    let reader: LogReader
    let channel: UInt64
    var nextSeq: UInt64
    let lastSeq: UInt64
    /// Number of payload bytes that may still be added.
    var room: Int
    var isFull = false
    var entries: [Entry] = []

    /// Adds the next entries that the block has. Returns `true` if the next block has to be read.
    mutating func append(from block: EntryBlock) throws(StoreFailure) -> Bool {
        guard block.firstSeq <= nextSeq else { return false }
        let row = try reader.connection.statement(
            "SELECT channel, seq, epoch, kind, payload FROM entry WHERE position = ?")
        for reference in block.references(from: nextSeq, through: lastSeq) {
            room -= Int(reference.size)
            if room < 0 && !entries.isEmpty {
                isFull = true
                return false
            }
            row.bind(reference.position, at: 1)
            guard try row.next() else { return false }
            defer { row.reset() }
            guard
                row.uint64(0) == channel, row.uint64(1) == nextSeq,
                let kind = EntryKind(rawValue: UInt8(truncatingIfNeeded: row.uint64(3)))
            else { throw .damaged("an entry is not where its reference says") }
            entries.append(
                Entry(
                    seq: nextSeq, epoch: row.uint64(2), kind: kind, receivedAtMs: reference.receivedAtMs,
                    id: reference.id, payload: row.bytes(4)[...]))
            nextSeq += 1
        }
        return nextSeq <= lastSeq
    }
}
