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
    ///
    /// - Parameter bytes: how many bytes of dropped payloads to delete, beside as many as were appended twice over.
    func keepHouse(
        beside mutations: Int, deletingBytes bytes: Int = StoreLimits.deletedBytesPerCommit
    ) throws(StoreFailure) {
        if let sweep {
            let slice = sweep.next(StoreLimits.headsPerCommit + mutations * StoreLimits.headsPerMutation)
            for channel in slice { try writeIfPossible(headOf: channel) }
            transaction.sweepSlice = slice
            if sweep.isLast(slice), !hasUnwrittenHeads, transaction.unwritten.isEmpty { try writeMark(sweep.through) }
        }
        if hasDropped {
            try deleteDropped(
                blocks: 1 + UInt64(mutations) / StoreLimits.mutationsPerDroppedBlock,
                bytes: bytes + 2 * transaction.appendedBytes)
        }
        if transaction.changesTotals { try writeTotals() }
    }

    /// The transaction with the slice is durable.
    func finishSweepSlice() {
        let slice = transaction.sweepSlice
        guard let isLast = sweep?.isLast(slice) else { return }
        sweep?.finish(slice)
        if isLast { sweep = nil }
        for channel in transaction.unwritten {
            // It stays in memory, where its head is right.
            channel.isBehind = true
            hasUnwrittenHeads = true
            damages += 1
        }
    }

    /// Writes a head beside the commits of others, which are not to fail with it.
    private func writeIfPossible(headOf channel: CachedChannel) throws(StoreFailure) {
        do throws(StoreFailure) {
            try write(headOf: channel)
        } catch {
            guard case .damaged = error, connection.isInTransaction else { throw error }
            transaction.unwritten.append(channel)
        }
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
}
