import KithWire

/// Moving the fronts of channels, and closing them. What that drops is deleted at once if it is little, and later otherwise,
/// see `LogWriter+Deleting`: a transaction stays short however much is dropped.
extension LogWriter {
    func close(_ id: ChannelID, lastSeq: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        var head = channel.state.head
        guard head.close(lastSeq: lastSeq) else { return false }
        let open = try openBlock(of: channel.state)
        let number = channel.state.number
        let (packages, bytes) = try shelfSize(of: number)
        save(channel)
        try dropEntries(of: channel.state, before: head.firstSeq, open: open)
        if takeRoom(bytes) {
            let rows = try connection.statement("DELETE FROM key_package WHERE channel = ?")
            rows.bind(number, at: 1)
            try rows.run()
        } else {
            try noteDropped(from: channel.state.head.firstSeq, of: number)
        }
        let shelf = try connection.statement("DELETE FROM shelf WHERE channel = ?")
        shelf.bind(number, at: 1)
        try shelf.run()
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

    /// Writes down when a channel is due, after it was found not to be.
    func noteDue(_ due: DueChannel) throws(StoreFailure) {
        guard let channel = try channel(due.id), channel.state.head.firstSeq == due.firstSeq else { return }
        save(channel)
        channel.state.dueMs = due.dueMs
        try write(headOf: channel)
    }

    func trim(_ id: ChannelID, to firstSeq: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), channel.state.head.canTrim(to: firstSeq) else { return false }
        guard firstSeq > channel.state.head.firstSeq else { return true }
        var open = try openBlock(of: channel.state)
        // The log itself knows how many bytes came before an entry.
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

    private func totalBytes(before reference: EntryReference) throws(StoreFailure) -> UInt64 {
        let row = try connection.statement("SELECT total_bytes FROM entry WHERE position = ?")
        row.bind(reference.position, at: 1)
        guard try row.next() else { throw .damaged("an entry is not where its reference says") }
        defer { row.reset() }
        let total = row.uint64(0)
        guard total >= UInt64(reference.size) else { throw .damaged("an entry's size contradicts its channel's") }
        return total - UInt64(reference.size)
    }

    /// Takes what was dropped out of the totals. They may be damaged: what they cannot be is 0.
    func count(dropped entries: UInt64, packages: UInt64 = 0, channels: UInt64 = 0) {
        totals.channels -= min(channels, totals.channels)
        totals.entries -= min(entries, totals.entries)
        totals.keyPackages -= min(packages, totals.keyPackages)
        transaction.changesTotals = true
    }

    // MARK: At once or later

    /// Whether so many bytes may be deleted in this transaction. If so, they are taken for deleted.
    private func takeRoom(_ bytes: Int) -> Bool {
        guard bytes <= transaction.room else { return false }
        transaction.room -= bytes
        return true
    }

    /// Deletes entry rows of the open block, or makes a block of them that is to be deleted, as complete ones are.
    private func dropEntries(
        of state: ChannelState, before firstSeq: UInt64, open: EntryBlock
    ) throws(StoreFailure) {
        let dropped = open.references(from: open.firstSeq, through: firstSeq - 1)
        let hasComplete = state.head.firstSeq <= EntryBlock.lastComplete(upTo: state.head.lastSeq)
        let isAtOnce = takeRoom(dropped.reduce(0) { $0 + Int($1.size) + StoreLimits.rowBytes })
        if isAtOnce {
            let row = try connection.statement("DELETE FROM entry WHERE position = ?")
            for reference in dropped {
                row.bind(reference.position, at: 1)
                try row.run()
            }
        } else {
            // Its last entry is never that of a complete block, so it has a place of its own.
            try insert(EntryBlock(lastSeq: firstSeq - 1, references: Array(dropped)), in: state.number)
        }
        if hasComplete || !isAtOnce { try noteDropped(from: state.head.firstSeq, of: state.number) }
    }

    /// Deletes epochs without a kept entry before `epoch`, as many as may go at once.
    private func dropEpochs(
        before epoch: UInt64, of state: ChannelState, droppedFrom: UInt64
    ) throws(StoreFailure) {
        let most = transaction.room / StoreLimits.rowBytes
        let (deleted, isAll) = try deleteEpochs(
            of: state.number, before: epoch, endedBefore: state.head.firstSeq, atMost: most)
        transaction.room -= deleted * StoreLimits.rowBytes
        if !isAll { try noteDropped(from: droppedFrom, of: state.number) }
    }

    /// Notes that a channel has something to be deleted: entries from a seq on to its front, and what else it does not keep.
    private func noteDropped(from seq: UInt64, of channel: UInt64) throws(StoreFailure) {
        // An earlier range that is not gone yet joins on to this one.
        let row = try connection.statement("INSERT OR IGNORE INTO dropped VALUES (?, ?)")
        row.bind(channel, at: 1)
        row.bind(seq, at: 2)
        try row.run()
        hasDropped = true
    }
}
