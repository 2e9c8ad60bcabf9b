/// The rows of the table `epoch`.
struct EpochTable {
    let connection: SQLiteConnection

    /// Inserts a row for the current epoch of a channel's head.
    func insert(of head: ChannelHead, in channel: UInt64) throws(StoreFailure) {
        let row = try connection.statement("INSERT INTO epoch VALUES (?, ?, ?, NULL, ?, ?, ?)")
        row.bind(channel, at: 1)
        row.bind(head.epoch, at: 2)
        row.bind(head.epochFirstSeq, at: 3)
        row.bind(head.access.read.bytes, at: 4)
        row.bind(head.access.append.bytes, at: 5)
        row.bind(head.access.turn.bytes, at: 6)
        try row.run()
    }

    /// Notes that a turn with the seq `seq` ended a channel's current epoch.
    func end(in state: ChannelState, at seq: UInt64) throws(StoreFailure) {
        let row = try connection.statement("UPDATE epoch SET last_seq = ? WHERE channel = ? AND epoch = ?")
        row.bind(seq, at: 1)
        row.bind(state.number, at: 2)
        row.bind(state.head.epoch, at: 3)
        try row.run()
    }

    /// Returns the number of a channel's last epoch.
    func last(of channel: UInt64) throws(StoreFailure) -> UInt64 {
        let row = try connection.statement("SELECT max(epoch) FROM epoch WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return 0 }
        defer { row.reset() }
        return try row.count(0)
    }

    /// Deletes up to `count` epochs before `epoch` that ended before the entry `seq`, the oldest first. Returns the number of
    /// deleted epochs, and `true` if no such epoch is left.
    func delete(
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
