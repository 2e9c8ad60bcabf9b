import KithWire

/// Deletion of what has not been used for long.
extension LogWriter {
    func use(_ id: ChannelID, atMs: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id) else { return false }
        save(channel)
        let row = try connection.statement("UPDATE channel SET used_ms = ? WHERE number = ?")
        row.bind(atMs, at: 1)
        row.bind(channel.state.number, at: 2)
        try row.run()
        channel.state.head.usedMs = atMs
        return true
    }

    func forget(_ id: ChannelID, usedMs: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), channel.state.head.usedMs == usedMs, !channel.state.head.hasEntries,
            // Its head would be written after it is gone.
            !channel.isBehind
        else { return false }
        let number = channel.state.number
        let (packages, bytes) = try shelfSize(of: number)
        // Many key packages go by their own age first: a transaction stays short.
        guard bytes <= StoreLimits.deletedBytesOfIdleCommit, try !isBeingDeleted(number) else { return false }
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

    private func isBeingDeleted(_ channel: UInt64) throws(StoreFailure) -> Bool {
        let row = try connection.statement("SELECT 1 FROM dropped WHERE channel = ?")
        row.bind(channel, at: 1)
        defer { row.reset() }
        return try row.next()
    }

    func drop(_ name: Name) throws(StoreFailure) -> Bool {
        guard try reader.record(under: name) != nil else { return false }
        beginWriting()
        let row = try connection.statement("DELETE FROM name WHERE name = ?")
        row.bind(name.text, at: 1)
        try row.run()
        totals.names -= min(1, totals.names)
        transaction.changesTotals = true
        return true
    }

    func note(_ clock: NotedClock) throws(StoreFailure) -> Bool {
        beginWriting()
        let row = try connection.statement("UPDATE store SET clock_ms = ?, doubted_ms = ?, doubt_ran_ms = ?")
        row.bind(clock.timeMs, at: 1)
        row.bind(clock.doubt?.wallMs ?? 0, at: 2)
        row.bind(clock.doubt?.ranMs ?? 0, at: 3)
        try row.run()
        return true
    }

    /// Deletes a slice of the key packages and names that are too old. Returns whether there may be more.
    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) throws(StoreFailure) -> Bool {
        var isAll = true
        try inTransaction { () throws(StoreFailure) in
            let packages = try oldKeyPackages(before: keyPackagesBeforeMs)
            let package = try connection.statement("DELETE FROM key_package WHERE number = ?")
            for number in packages {
                package.bind(number, at: 1)
                try package.run()
            }
            count(dropped: 0, packages: UInt64(packages.count))
            let names = try oldNames(before: namesBeforeMs)
            let name = try connection.statement("DELETE FROM name WHERE name = ?")
            for text in names {
                name.bind(text, at: 1)
                try name.run()
            }
            totals.names -= min(UInt64(names.count), totals.names)
            isAll = packages.count < StoreLimits.discardedPerSlice && names.count < StoreLimits.discardedPerSlice
            try keepHouse(beside: packages.count + names.count)
        }
        return !isAll
    }

    private func oldKeyPackages(before ms: UInt64) throws(StoreFailure) -> [UInt64] {
        let row = try connection.statement(
            "SELECT number FROM key_package WHERE deposited_ms < ? LIMIT \(StoreLimits.discardedPerSlice)")
        row.bind(ms, at: 1)
        defer { row.reset() }
        var numbers: [UInt64] = []
        while try row.next() { numbers.append(row.uint64(0)) }
        return numbers
    }

    private func oldNames(before ms: UInt64) throws(StoreFailure) -> [String] {
        let row = try connection.statement(
            "SELECT name FROM name WHERE renewed_ms < ? LIMIT \(StoreLimits.discardedPerSlice)")
        row.bind(ms, at: 1)
        defer { row.reset() }
        var names: [String] = []
        while try row.next() { names.append(row.text(0)) }
        return names
    }
}

extension LogReader {
    /// Channels without entries that were used longest ago, before a time.
    ///
    /// - Parameter condition: a condition in SQL on the rows of `channel`.
    func idleChannels(usedBeforeMs: UInt64, _ condition: String = "") throws(StoreFailure) -> [ChannelID] {
        let row = try connection.statement(
            """
            SELECT id FROM channel LEFT JOIN channel_head h ON h.channel = number
            WHERE used_ms < ? \(condition) AND (h.channel IS NULL OR h.first_seq > h.last_seq)
            ORDER BY used_ms LIMIT \(StoreLimits.idleChannelsPerRead)
            """)
        row.bind(usedBeforeMs, at: 1)
        defer { row.reset() }
        var found: [ChannelID] = []
        while try row.next() {
            guard let id = ChannelID(row.bytes(0)) else { throw .damaged("a channel's id has the wrong length") }
            found.append(id)
        }
        return found
    }
}
