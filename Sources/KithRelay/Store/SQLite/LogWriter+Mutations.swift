import CSQLite
import KithWire

/// Deciding mutations and writing their rows. Each reads first, and changes nothing unless it takes effect.
extension LogWriter {
    /// Returns whether the mutation took effect.
    func apply(_ mutation: StoreMutation) throws(StoreFailure) -> Bool {
        switch mutation {
        case .create(let id, let kind, let access, let retentionSeconds, let atMs):
            try create(
                id, ChannelHead(created: access, kind: kind, retentionSeconds: retentionSeconds, atMs: atMs))
        case .append(let id, let entry, let nextAccess):
            try append(entry, to: id, nextAccess: nextAccess)
        case .close(let id, let lastSeq):
            try close(id, lastSeq: lastSeq)
        case .trim(let id, let firstSeq):
            try trim(id, to: firstSeq)
        case .deposit(let id, let keyPackages, let lastResort, let shelfVersion, let atMs):
            try deposit(keyPackages, lastResort: lastResort, on: id, shelfVersion: shelfVersion, atMs: atMs)
        case .withdraw(let id, let position, let shelfVersion):
            try withdraw(position, from: id, shelfVersion: shelfVersion)
        case .register(let record, let replacing, let atMs):
            try register(record, replacing: replacing, atMs: atMs)
        case .use(let id, let atMs):
            try use(id, atMs: atMs)
        case .forget(let id, let usedMs):
            try forget(id, usedMs: usedMs)
        case .dropName(let name):
            try drop(name)
        case .noteClock(let clock):
            try note(clock)
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

    private func create(_ id: ChannelID, _ head: ChannelHead) throws(StoreFailure) -> Bool {
        guard try channel(id) == nil else { return false }
        beginWriting()
        lastChannelNumber += 1
        let row = try connection.statement("INSERT INTO channel VALUES (?, ?, ?, ?, 0, ?, ?)")
        row.bind(lastChannelNumber, at: 1)
        row.bind(id.bytes, at: 2)
        row.bind(head.createdMs, at: 3)
        row.bind(UInt64(head.retentionSeconds), at: 4)
        row.bind(UInt64(head.kind.rawValue), at: 5)
        row.bind(head.usedMs, at: 6)
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
        transaction.appendedBytes += Int(size)
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
        try insert(block, in: channel.state.number)
        blocks.set(EntryBlock(lastSeq: block.lastSeq), of: channel)
    }

    func insert(_ block: EntryBlock, in channel: UInt64) throws(StoreFailure) {
        insertBlock.bind(channel, at: 1)
        insertBlock.bind(block.lastSeq, at: 2)
        insertBlock.bind(block.encodedReferences, at: 3)
        try insertBlock.run()
    }

    func openBlock(of state: ChannelState) throws(StoreFailure) -> EntryBlock {
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
}
