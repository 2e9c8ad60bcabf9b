import KithWire

/// Trims, closes and forgets channels. If only a few rows are dropped, they are deleted at once. Otherwise they are deleted
/// later, so that every transaction stays short (``DeferredDeletion``).
extension LogWriter {
    func close(_ id: ChannelID, lastSeq: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        var head = channel.state.head
        guard head.close(lastSeq: lastSeq) else { return false }
        let open = try openBlock(of: channel.state)
        let number = channel.state.number
        let (packages, bytes) = try keyPackages.size(of: number)
        save(channel)
        try dropEntries(of: channel.state, before: head.firstSeq, open: open)
        if reserveDeletion(bytes) {
            try keyPackages.deleteAll(of: number)
        } else {
            try deletion.add(from: channel.state.head.firstSeq, of: number)
        }
        try keyPackages.deleteShelf(of: number)
        let row = try connection.statement("UPDATE channel SET closed = 1 WHERE number = ?")
        row.bind(number, at: 1)
        try row.run()
        count(dropped: head.firstSeq - channel.state.head.firstSeq, packages: packages, channels: 1)
        let firstSeq = channel.state.head.firstSeq
        channel.state.head = head
        blocks.set(EntryBlock(lastSeq: lastSeq), of: channel)
        try dropEpochs(before: head.epoch, of: channel.state, droppedFrom: firstSeq)
        try write(headOf: channel)
        return true
    }

    func trim(_ id: ChannelID, to firstSeq: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), channel.state.head.canTrim(to: firstSeq) else { return false }
        guard firstSeq > channel.state.head.firstSeq else { return true }
        var open = try openBlock(of: channel.state)
        // If entries are kept, the first kept entry's row shows how many bytes were dropped, because each row has the channel's
        // total up to that entry.
        var droppedBytes = channel.state.totalBytes
        var dueMs: UInt64 = 0
        if firstSeq <= channel.state.head.lastSeq {
            guard let first = try reader.reference(to: firstSeq, in: channel.state) else {
                throw .damaged("a channel's entries are not chained")
            }
            droppedBytes = try totalBytes(before: first)
            dueMs = channel.state.dueMs(receivedAtMs: first.receivedAtMs)
        }
        guard droppedBytes >= channel.state.droppedBytes, droppedBytes <= channel.state.totalBytes else {
            throw .damaged("the sizes of a channel's entries contradict each other")
        }
        save(channel)
        let before = channel.state.head.firstSeq
        try dropEntries(of: channel.state, before: firstSeq, open: open)
        open.removeReferences(before: firstSeq)
        count(dropped: firstSeq - before)
        channel.state.head.trim(to: firstSeq, droppedBytes: droppedBytes - channel.state.droppedBytes)
        channel.state.dueMs = dueMs
        blocks.set(open, of: channel)
        if channel.state.head.epoch > StoreLimits.trimmedEpochs {
            try dropEpochs(
                before: channel.state.head.epoch - StoreLimits.trimmedEpochs, of: channel.state, droppedFrom: before)
        }
        try write(headOf: channel)
        return true
    }

    /// Updates a channel's due time. Called if the due time has turned out to be later than the noted time.
    func noteDue(_ due: DueChannel) throws(StoreFailure) {
        guard let channel = try channel(due.id), channel.state.head.firstSeq == due.firstSeq else { return }
        save(channel)
        channel.state.dueMs = due.dueMs
        try write(headOf: channel)
    }

    func forget(_ id: ChannelID, usedMs: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), channel.state.head.usedMs == usedMs, !channel.state.head.hasEntries,
            // A dirty head would later be written, although the channel's rows no longer exist.
            !channel.isHeadDirty
        else { return false }
        let number = channel.state.number
        let (packages, bytes) = try keyPackages.size(of: number)
        // A channel with many key packages is forgotten only after they have expired, so that the transaction stays short.
        guard bytes <= StoreLimits.deletedBytesOfIdleCommit, try !deletion.contains(number) else { return false }
        save(channel)
        for table in ["channel_head", "epoch", "entry_block", "shelf", "key_package"] {
            let rows = try connection.statement("DELETE FROM \(table) WHERE channel = ?")
            rows.bind(number, at: 1)
            try rows.run()
        }
        let row = try connection.statement("DELETE FROM channel WHERE number = ?")
        row.bind(number, at: 1)
        try row.run()
        count(dropped: 0, packages: packages, channels: channel.state.head.isClosed ? 0 : 1)
        blocks.clear(channel)
        cache.remove(id)
        return true
    }

    private func totalBytes(before reference: EntryReference) throws(StoreFailure) -> UInt64 {
        let row = try connection.statement("SELECT total_bytes FROM entry WHERE position = ?")
        row.bind(reference.position, at: 1)
        guard try row.next() else { throw .damaged("an entry is not where its reference says") }
        defer { row.reset() }
        let total = row.uint64(0)
        guard total >= UInt64(reference.size) else { throw .damaged("an entry's size contradicts its channel's") }
        return total - UInt64(reference.size)
    }

    /// Subtracts dropped rows from the totals. No total goes below 0, even if the stored totals are damaged.
    func count(dropped entries: UInt64, packages: UInt64 = 0, channels: UInt64 = 0, names: UInt64 = 0) {
        totals.channels -= min(channels, totals.channels)
        totals.entries -= min(entries, totals.entries)
        totals.keyPackages -= min(packages, totals.keyPackages)
        totals.names -= min(names, totals.names)
        transaction.changesTotals = true
    }

    // MARK: At once or later

    /// Reserves the deletion of `bytes` bytes in this transaction. Returns `false` if the transaction may not delete so many
    /// bytes.
    private func reserveDeletion(_ bytes: Int) -> Bool {
        guard bytes <= transaction.room else { return false }
        transaction.room -= bytes
        return true
    }

    /// Deletes the rows of the dropped entries in the open block. If the rows are too many for this transaction, writes a block
    /// with references to the dropped entries instead. ``DeferredDeletion`` deletes the new block later, like a complete block.
    private func dropEntries(
        of state: ChannelState, before firstSeq: UInt64, open: EntryBlock
    ) throws(StoreFailure) {
        let dropped = open.references(from: open.firstSeq, through: firstSeq - 1)
        let hasComplete = state.head.firstSeq <= EntryBlock.lastComplete(upTo: state.head.lastSeq)
        let isAtOnce = reserveDeletion(dropped.reduce(0) { $0 + Int($1.size) + StoreLimits.rowBytes })
        if isAtOnce {
            let row = try connection.statement("DELETE FROM entry WHERE position = ?")
            for reference in dropped {
                row.bind(reference.position, at: 1)
                try row.run()
            }
        } else {
            // The new block's last seq differs from that of every complete block, so the key of its row is free.
            try insert(EntryBlock(lastSeq: firstSeq - 1, references: Array(dropped)), in: state.number)
        }
        if hasComplete || !isAtOnce { try deletion.add(from: state.head.firstSeq, of: state.number) }
    }

    /// Deletes epochs before `epoch` that have no kept entry. Stops when the transaction may delete no more.
    private func dropEpochs(
        before epoch: UInt64, of state: ChannelState, droppedFrom: UInt64
    ) throws(StoreFailure) {
        let most = transaction.room / StoreLimits.rowBytes
        let (deleted, isAll) = try epochs.delete(
            of: state.number, before: epoch, endedBefore: state.head.firstSeq, atMost: most)
        transaction.room -= deleted * StoreLimits.rowBytes
        if !isAll { try deletion.add(from: droppedFrom, of: state.number) }
    }
}
