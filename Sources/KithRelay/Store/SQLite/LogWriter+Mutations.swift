import GRDBSQLite
import KithWire

/// Deciding mutations and writing their rows. Each reads first, and changes nothing unless it takes effect.
extension LogWriter {
    /// Returns whether the mutation took effect.
    func apply(_ mutation: StoreMutation) throws(StoreFailure) -> Bool {
        switch mutation {
        case .create(let id, let access, let retentionSeconds, let atMs):
            try create(id, access: access, retentionSeconds: retentionSeconds, atMs: atMs)
        case .append(let id, let entry, let nextAccess):
            try append(entry, to: id, nextAccess: nextAccess)
        case .close(let id, let lastSeq):
            try close(id, lastSeq: lastSeq)
        case .trim(let id, let firstSeq):
            try trim(id, to: firstSeq)
        case .deposit(let id, let keyPackages, let lastResort, let shelfVersion):
            try deposit(keyPackages, lastResort: lastResort, on: id, shelfVersion: shelfVersion)
        case .withdraw(let id, let position, let shelfVersion):
            try withdraw(position, from: id, shelfVersion: shelfVersion)
        case .register(let record, let replacing):
            try register(record, replacing: replacing)
        }
    }

    /// The channel, from memory or else from the file.
    func channel(_ id: ChannelID) throws(StoreFailure) -> CachedChannel? {
        if let channel = cache[id] { return channel }
        guard let state = try reader.channel(id) else { return nil }
        let channel = CachedChannel(id: id, state: state)
        transaction.entered.append(id)
        cache.insert(channel)
        return channel
    }

    private func create(
        _ id: ChannelID, access: Access, retentionSeconds: UInt32, atMs: UInt64
    ) throws(StoreFailure) -> Bool {
        guard try channel(id) == nil else { return false }
        beginWriting()
        lastChannelNumber += 1
        let head = ChannelHead(created: access, retentionSeconds: retentionSeconds)
        let row = try connection.statement("INSERT INTO channel VALUES (?, ?, ?, ?, 0)")
        row.bind(lastChannelNumber, at: 1)
        row.bind(id.bytes, at: 2)
        row.bind(atMs, at: 3)
        row.bind(UInt64(retentionSeconds), at: 4)
        try row.run()
        try insertEpoch(of: head, in: lastChannelNumber)
        transaction.entered.append(id)
        cache.insert(CachedChannel(id: id, state: ChannelState(number: lastChannelNumber, head: head)))
        totals.channels += 1
        transaction.changesTotals = true
        return true
    }

    private func append(
        _ entry: Entry, to id: ChannelID, nextAccess: Access?
    ) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        var head = channel.state.head
        guard head.append(entry, nextAccess: nextAccess) else { return false }
        let block = EntryBlock.isComplete(at: entry.seq) ? try openBlock(of: channel.state) : nil
        save(channel)

        lastPosition += 1
        let size = UInt64(entry.payload.count)
        try insert(
            entry, number: channel.state.number, previous: channel.state.lastPosition,
            total: channel.state.totalBytes + size)
        if channel.state.head.firstSeq == entry.seq {
            channel.state.dueMs = channel.state.dueMs(receivedAtMs: entry.receivedAtMs)
        }
        let reference = EntryReference(
            position: lastPosition, id: entry.id, receivedAtMs: entry.receivedAtMs, size: UInt32(size))
        if var block {
            block.append(reference)
            try insert(block, of: channel)
        } else {
            blocks.append(reference, to: channel)
        }
        if nextAccess != nil {
            try endEpoch(of: channel.state, at: entry.seq)
            try insertEpoch(of: head, in: channel.state.number)
        }
        channel.state.head = head
        channel.state.lastPosition = lastPosition
        channel.state.totalBytes += size
        fallBehind(channel)
        totals.entries += 1
        return true
    }

    private func insert(_ entry: Entry, number: UInt64, previous: UInt64, total: UInt64) throws(StoreFailure) {
        insertEntry.bind(lastPosition, at: 1)
        insertEntry.bind(number, at: 2)
        insertEntry.bind(entry.seq, at: 3)
        insertEntry.bind(entry.epoch, at: 4)
        insertEntry.bind(UInt64(entry.kind.rawValue), at: 5)
        insertEntry.bind(entry.receivedAtMs, at: 6)
        insertEntry.bind(previous, at: 7)
        insertEntry.bind(total, at: 8)
        scratch.removeAll()
        scratch.write(entry.id)
        let code = scratch.bytes.withUnsafeBytes { id in
            entry.payload.withUnsafeBytes { payload in
                insertEntry.bind(borrowing: id, at: 9)
                insertEntry.bind(borrowing: payload, at: 10)
                return insertEntry.runReturningCode()
            }
        }
        try insertEntry.check(code)
    }

    /// Writes a complete block. The next entry starts another.
    private func insert(_ block: EntryBlock, of channel: CachedChannel) throws(StoreFailure) {
        insertBlock.bind(channel.state.number, at: 1)
        insertBlock.bind(block.lastSeq, at: 2)
        insertBlock.bind(block.encodedReferences, at: 3)
        try insertBlock.run()
        blocks.set(EntryBlock(lastSeq: block.lastSeq), of: channel)
    }

    private func openBlock(of state: ChannelState) throws(StoreFailure) -> EntryBlock {
        guard let block = try reader.openBlock(of: state) else {
            throw .damaged("a channel's entries are not chained")
        }
        return block
    }

    // MARK: Epochs

    private func insertEpoch(of head: ChannelHead, in channel: UInt64) throws(StoreFailure) {
        let row = try connection.statement("INSERT INTO epoch VALUES (?, ?, ?, NULL, ?, ?, ?)")
        row.bind(channel, at: 1)
        row.bind(head.epoch, at: 2)
        row.bind(head.epochFirstSeq, at: 3)
        row.bind(head.access.read.bytes, at: 4)
        row.bind(head.access.append.bytes, at: 5)
        row.bind(head.access.turn.bytes, at: 6)
        try row.run()
    }

    private func endEpoch(of state: ChannelState, at seq: UInt64) throws(StoreFailure) {
        let row = try connection.statement("UPDATE epoch SET last_seq = ? WHERE channel = ? AND epoch = ?")
        row.bind(seq, at: 1)
        row.bind(state.number, at: 2)
        row.bind(state.head.epoch, at: 3)
        try row.run()
    }

    /// Forgets the epochs that ``ChannelHead/keepsEpoch(_:lastSeq:)`` does not want.
    private func deleteEpochs(of state: ChannelState) throws(StoreFailure) {
        guard state.head.epoch > StoreLimits.trimmedEpochs else { return }
        let row = try connection.statement("DELETE FROM epoch WHERE channel = ? AND epoch < ? AND last_seq < ?")
        row.bind(state.number, at: 1)
        row.bind(state.head.epoch - StoreLimits.trimmedEpochs, at: 2)
        row.bind(state.head.firstSeq, at: 3)
        try row.run()
    }

    // MARK: Dropping

    private func close(_ id: ChannelID, lastSeq: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        var head = channel.state.head
        guard head.close(lastSeq: lastSeq) else { return false }
        let open = try openBlock(of: channel.state)
        let packages = try shelfSize(of: channel.state.number)
        save(channel)
        try dropEntries(of: channel.state, before: head.firstSeq, open: open)
        let epochs = try connection.statement("DELETE FROM epoch WHERE channel = ? AND epoch < ?")
        epochs.bind(channel.state.number, at: 1)
        epochs.bind(head.epoch, at: 2)
        try epochs.run()
        for table in ["key_package", "shelf"] {
            let rows = try connection.statement("DELETE FROM \(table) WHERE channel = ?")
            rows.bind(channel.state.number, at: 1)
            try rows.run()
        }
        let row = try connection.statement("UPDATE channel SET closed = 1 WHERE number = ?")
        row.bind(channel.state.number, at: 1)
        try row.run()
        totals.channels -= 1
        totals.entries -= head.firstSeq - channel.state.head.firstSeq
        totals.keyPackages -= packages
        transaction.changesTotals = true
        channel.state.head = head
        blocks.set(EntryBlock(lastSeq: lastSeq), of: channel)
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
        try dropEntries(of: channel.state, before: firstSeq, open: open)
        open.removeReferences(before: firstSeq)
        totals.entries -= firstSeq - channel.state.head.firstSeq
        transaction.changesTotals = true
        channel.state.head.trim(to: firstSeq, droppedBytes: droppedBytes - channel.state.droppedBytes)
        channel.state.dueMs = dueMs
        blocks.set(open, of: channel)
        try deleteEpochs(of: channel.state)
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

    /// Deletes entry rows of the open block at once, and notes that those of complete blocks are to be deleted.
    private func dropEntries(
        of state: ChannelState, before firstSeq: UInt64, open: EntryBlock
    ) throws(StoreFailure) {
        let row = try connection.statement("DELETE FROM entry WHERE position = ?")
        for reference in open.references(from: open.firstSeq, through: firstSeq - 1) {
            row.bind(reference.position, at: 1)
            try row.run()
        }
        guard state.head.firstSeq <= EntryBlock.lastComplete(upTo: state.head.lastSeq) else { return }
        // An earlier range that is not gone yet joins on to this one.
        let dropped = try connection.statement("INSERT OR IGNORE INTO dropped VALUES (?, ?)")
        dropped.bind(state.number, at: 1)
        dropped.bind(state.head.firstSeq, at: 2)
        try dropped.run()
        hasDropped = true
    }
}
