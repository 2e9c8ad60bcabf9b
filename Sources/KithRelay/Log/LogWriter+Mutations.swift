import CSQLite
import KithWire

/// Decides each mutation, and writes the mutation's rows. Each function reads first. A function whose mutation takes no effect
/// changes nothing.
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

    /// Returns the channel from memory, or else from the file.
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
        try epochs.insert(of: head, in: lastChannelNumber)
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
            try epochs.end(in: channel.state, at: entry.seq)
            try epochs.insert(of: head, in: channel.state.number)
        }
        channel.state.head = head
        channel.state.lastPosition = lastPosition
        channel.state.totalBytes += size
        markHeadDirty(channel)
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

    /// Writes a complete block. Then begins an empty block for the channel's next entry.
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

    // MARK: Key packages, names and the clock

    private func deposit(
        _ packages: [KeyPackageBytes], lastResort: KeyPackageBytes?, on id: ChannelID, shelfVersion: UInt64,
        atMs: UInt64
    ) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), !channel.state.head.isClosed else { return false }
        let number = channel.state.number
        var shelf = try keyPackages.shelf(of: number)
        guard shelf.version == shelfVersion else { return false }
        beginWriting()
        try keyPackages.insert(packages, on: &shelf, of: number, atMs: atMs)
        totals.keyPackages += UInt64(packages.count)
        if lastResort != nil && !shelf.hasLastResort { totals.keyPackages += 1 }
        transaction.changesTotals = true
        shelf.version += 1
        try keyPackages.write(shelf, of: number, lastResort: lastResort)
        return true
    }

    private func withdraw(_ position: UInt64, from id: ChannelID, shelfVersion: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), !channel.state.head.isClosed else { return false }
        let number = channel.state.number
        var shelf = try keyPackages.shelf(of: number)
        guard shelf.version == shelfVersion, try keyPackages.firstPosition(of: number) == position else {
            return false
        }
        beginWriting()
        try keyPackages.delete(position, of: number)
        count(dropped: 0, packages: 1)
        shelf.version += 1
        try keyPackages.write(shelf, of: number, lastResort: nil)
        return true
    }

    private func register(_ record: NameRecord, replacing: UInt64?, atMs: UInt64) throws(StoreFailure) -> Bool {
        let version = try names.version(of: record.name)
        guard version == replacing else { return false }
        beginWriting()
        try names.write(record, renewedMs: atMs)
        if version == nil {
            totals.names += 1
            transaction.changesTotals = true
        }
        return true
    }

    private func drop(_ name: Name) throws(StoreFailure) -> Bool {
        guard try reader.record(under: name) != nil else { return false }
        beginWriting()
        try names.delete(name.text)
        count(dropped: 0, names: 1)
        return true
    }

    private func note(_ clock: NotedClock) throws(StoreFailure) -> Bool {
        beginWriting()
        let row = try connection.statement("UPDATE store SET clock_ms = ?, doubted_ms = ?, doubt_ran_ms = ?")
        row.bind(clock.timeMs, at: 1)
        row.bind(clock.doubt?.wallMs ?? 0, at: 2)
        row.bind(clock.doubt?.ranMs ?? 0, at: 3)
        try row.run()
        return true
    }

    private func use(_ id: ChannelID, atMs: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        save(channel)
        let row = try connection.statement("UPDATE channel SET used_ms = ? WHERE number = ?")
        row.bind(atMs, at: 1)
        row.bind(channel.state.number, at: 2)
        try row.run()
        channel.state.head.usedMs = atMs
        return true
    }
}
