/// Deferred work: writing dirty heads, and deleting dropped or outdated rows.
extension LogWriter {
    /// Starts a sweep of the dirty heads if enough entries were appended since the last sweep.
    ///
    /// - Parameter atOnce: `true` to start the sweep even if few entries were appended.
    func startSweepIfDue(atOnce: Bool) {
        guard sweep == nil, !dirtyHeads.isEmpty else { return }
        guard atOnce || lastPosition - sweptThrough >= tuning.entriesPerSweep else { return }
        sweep = HeadSweep(through: lastPosition, channels: dirtyHeads)
        sweptThrough = lastPosition
        dirtyHeads = []
    }

    /// Does a slice of the deferred work in the current transaction. If the totals have changed, writes the totals.
    ///
    /// - Parameters:
    ///   - mutations: number of mutations in the transaction. With more mutations, the slice is larger.
    ///   - bytes: maximum number of dropped payload bytes to delete, in addition to twice the number of appended bytes.
    func performMaintenance(
        beside mutations: Int, deletingBytes bytes: Int = StoreLimits.deletedBytesPerCommit
    ) throws(StoreFailure) {
        if let sweep {
            let slice = sweep.next(StoreLimits.headsPerCommit + mutations * StoreLimits.headsPerMutation)
            for channel in slice { try writeIfPossible(headOf: channel) }
            transaction.sweepSlice = slice
            if sweep.isLast(slice), !hasUnwrittenHeads, transaction.unwritten.isEmpty { try writeMark(sweep.through) }
        }
        if deletion.isPending {
            let isDamaged = try deletion.deleteSome(
                blocks: 1 + UInt64(mutations) / StoreLimits.mutationsPerDroppedBlock,
                bytes: bytes + 2 * transaction.appendedBytes)
            if isDamaged { damages += 1 }
        }
        if transaction.changesTotals { try writeTotals() }
    }

    /// Notes that the transaction with the sweep's slice is durable.
    func finishSweepSlice() {
        let slice = transaction.sweepSlice
        guard let isLast = sweep?.isLast(slice) else { return }
        sweep?.finish(slice)
        if isLast { sweep = nil }
        for channel in transaction.unwritten {
            // The channel stays in memory, where its head is correct.
            channel.isHeadDirty = true
            hasUnwrittenHeads = true
            damages += 1
        }
    }

    /// Writes a head. If the head's row is damaged, only notes the damage, so that the commit of other channels does not fail.
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

    /// Deletes a slice of the key packages and names that are too old. Returns whether more old key packages or names may be
    /// left.
    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) throws(StoreFailure) -> Bool {
        var isAll = true
        try inTransaction { () throws(StoreFailure) in
            let packages = try keyPackages.deleteSome(depositedBeforeMs: keyPackagesBeforeMs)
            let discarded = try names.deleteSome(renewedBeforeMs: namesBeforeMs)
            count(dropped: 0, packages: UInt64(packages), names: UInt64(discarded))
            isAll = packages < StoreLimits.discardedPerSlice && discarded < StoreLimits.discardedPerSlice
            try performMaintenance(beside: packages + discarded)
        }
        return !isAll
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
