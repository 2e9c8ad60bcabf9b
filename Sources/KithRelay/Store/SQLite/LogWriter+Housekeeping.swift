/// What is put off: heads behind their logs, and rows of entries that nobody can ask for any more.
extension LogWriter {
    /// Starts to write down heads if there is reason to.
    ///
    /// - Parameter atOnce: whether any head that is behind is reason enough.
    func startSweepIfDue(atOnce: Bool) {
        guard sweep == nil, !behind.isEmpty else { return }
        guard atOnce || lastPosition - sweptThrough >= tuning.entriesPerSweep else { return }
        sweep = HeadSweep(through: lastPosition, channels: behind)
        sweptThrough = lastPosition
        behind = []
    }

    /// Adds a slice of what was put off to the transaction, and the totals if they have changed.
    func keepHouse(beside mutations: Int) throws(StoreFailure) {
        if let sweep {
            let slice = sweep.next(StoreLimits.headsPerCommit + mutations * StoreLimits.headsPerMutation)
            for channel in slice { try write(headOf: channel) }
            transaction.sweepSlice = slice
            if sweep.isLast(slice) { try writeMark(sweep.through) }
        }
        if hasDropped { try deleteDropped(blocks: 1 + UInt64(mutations) / StoreLimits.mutationsPerDroppedBlock) }
        if transaction.changesTotals { try writeTotals() }
    }

    /// The transaction with the slice is durable.
    func finishSweepSlice() {
        let slice = transaction.sweepSlice
        guard let isLast = sweep?.isLast(slice) else { return }
        sweep?.finish(slice)
        if isLast { sweep = nil }
    }

    func write(headOf channel: CachedChannel) throws(StoreFailure) {
        writeHead.bind(channel.state.number, at: 1)
        writeHead.bind(channel.state.head.firstSeq, at: 2)
        writeHead.bind(channel.state.head.lastSeq, at: 3)
        writeHead.bind(channel.state.lastPosition, at: 4)
        writeHead.bind(channel.state.totalBytes, at: 5)
        writeHead.bind(channel.state.droppedBytes, at: 6)
        writeHead.bind(channel.state.dueMs, at: 7)
        try writeHead.run()
    }

    private func writeMark(_ position: UInt64) throws(StoreFailure) {
        let row = try connection.statement("UPDATE store SET heads_through = ?")
        row.bind(position, at: 1)
        try row.run()
        transaction.changesTotals = true
    }

    private func writeTotals() throws(StoreFailure) {
        let row = try connection.statement(
            "UPDATE store SET counted_through = ?, channels = ?, entries = ?, key_packages = ?, names = ?")
        row.bind(lastPosition, at: 1)
        row.bind(totals.channels, at: 2)
        row.bind(totals.entries, at: 3)
        row.bind(totals.keyPackages, at: 4)
        row.bind(totals.names, at: 5)
        try row.run()
    }

    // MARK: Dropped entries

    /// Deletes the rows of some dropped entries, a block of references at a time.
    private func deleteDropped(blocks: UInt64) throws(StoreFailure) {
        let next = try connection.statement(
            """
            SELECT d.channel, d.from_seq, h.first_seq FROM dropped d JOIN channel_head h ON h.channel = d.channel LIMIT 1
            """)
        guard try next.next() else {
            hasDropped = false
            return
        }
        let (channel, fromSeq, firstSeq) = (next.uint64(0), next.uint64(1), next.uint64(2))
        next.reset()
        let (reached, isDone) = try deleteDropped(of: channel, from: fromSeq, before: firstSeq, blocks: blocks)
        let row = try connection.statement(
            isDone ? "DELETE FROM dropped WHERE channel = ?" : "UPDATE dropped SET from_seq = ?2 WHERE channel = ?1")
        row.bind(channel, at: 1)
        if !isDone { row.bind(reached, at: 2) }
        try row.run()
    }

    /// Returns the seq that was reached, and whether that was all of the channel.
    private func deleteDropped(
        of channel: UInt64, from fromSeq: UInt64, before firstSeq: UInt64, blocks: UInt64
    ) throws(StoreFailure) -> (reached: UInt64, isDone: Bool) {
        let rows = try connection.statement(
            """
            SELECT number, last_seq, entry_references FROM entry_block WHERE channel = ? AND last_seq >= ?
            ORDER BY last_seq LIMIT ?
            """)
        rows.bind(channel, at: 1)
        rows.bind(fromSeq, at: 2)
        rows.bind(blocks, at: 3)
        var found: [(number: UInt64, block: EntryBlock)] = []
        while try rows.next() {
            found.append(
                (rows.uint64(0), try EntryBlock(lastSeq: rows.uint64(1), encodedReferences: rows.bytes(2))))
        }
        let entry = try connection.statement("DELETE FROM entry WHERE position = ?")
        let whole = try connection.statement("DELETE FROM entry_block WHERE number = ?")
        var reached = fromSeq
        for (number, block) in found {
            for reference in block.references(from: reached, through: firstSeq - 1) {
                entry.bind(reference.position, at: 1)
                try entry.run()
            }
            guard block.lastSeq < firstSeq else { return (reached, true) }
            whole.bind(number, at: 1)
            try whole.run()
            reached = block.lastSeq + 1
        }
        return (reached, UInt64(found.count) < blocks)
    }
}
