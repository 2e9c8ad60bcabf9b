import KithWire

/// Key packages and names.
extension LogWriter {
    func deposit(
        _ keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, on id: ChannelID, shelfVersion: UInt64,
        atMs: UInt64
    ) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), !channel.state.head.isClosed else { return false }
        let number = channel.state.number
        var shelf = try shelf(of: number)
        guard shelf.version == shelfVersion else { return false }
        beginWriting()
        let row = try connection.statement("INSERT INTO key_package VALUES (NULL, ?, ?, ?, ?)")
        for keyPackage in keyPackages {
            row.bind(number, at: 1)
            row.bind(shelf.nextPosition, at: 2)
            row.bind(keyPackage.bytes, at: 3)
            row.bind(atMs, at: 4)
            try row.run()
            shelf.nextPosition += 1
        }
        totals.keyPackages += UInt64(keyPackages.count)
        if lastResort != nil && !shelf.hasLastResort { totals.keyPackages += 1 }
        transaction.changesTotals = true
        shelf.version += 1
        try write(shelf, of: number, lastResort: lastResort)
        return true
    }

    func withdraw(_ position: UInt64, from id: ChannelID, shelfVersion: UInt64) throws(StoreFailure) -> Bool {
        guard let channel = try channel(id), !channel.state.head.isClosed else { return false }
        let number = channel.state.number
        var shelf = try shelf(of: number)
        guard shelf.version == shelfVersion else { return false }
        let first = try connection.statement("SELECT min(position) FROM key_package WHERE channel = ?")
        first.bind(number, at: 1)
        let next = try first.next() ? first.optionalUInt64(0) : nil
        first.reset()
        guard next == position else { return false }
        beginWriting()
        let row = try connection.statement("DELETE FROM key_package WHERE channel = ? AND position = ?")
        row.bind(number, at: 1)
        row.bind(position, at: 2)
        try row.run()
        totals.keyPackages -= min(1, totals.keyPackages)
        transaction.changesTotals = true
        shelf.version += 1
        try write(shelf, of: number, lastResort: nil)
        return true
    }

    func register(_ record: NameRecord, replacing: UInt64?, atMs: UInt64) throws(StoreFailure) -> Bool {
        let current = try connection.statement("SELECT version FROM name WHERE name = ?")
        current.bind(record.name.text, at: 1)
        let version = try current.next() ? current.uint64(0) : nil
        current.reset()
        guard version == replacing else { return false }
        beginWriting()
        let row = try connection.statement("REPLACE INTO name VALUES (?, ?, ?, ?)")
        row.bind(record.name.text, at: 1)
        row.bind(record.version, at: 2)
        row.bind(record.unverified.encoded, at: 3)
        row.bind(atMs, at: 4)
        try row.run()
        if version == nil {
            totals.names += 1
            transaction.changesTotals = true
        }
        return true
    }

    /// How many key packages a channel has, the last-resort one included, and the bytes of the others.
    func shelfSize(of channel: UInt64) throws(StoreFailure) -> (packages: UInt64, bytes: Int) {
        let row = try connection.statement(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM key_package WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return (0, 0) }
        defer { row.reset() }
        return (row.uint64(0) + (try shelf(of: channel).hasLastResort ? 1 : 0), Int(clamping: row.uint64(1)))
    }

    struct Shelf {
        var version: UInt64 = 0
        var nextPosition: UInt64 = 1
        var hasLastResort = false
    }

    func shelf(of channel: UInt64) throws(StoreFailure) -> Shelf {
        let row = try connection.statement(
            "SELECT version, next_position, last_resort IS NOT NULL FROM shelf WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return Shelf() }
        defer { row.reset() }
        return Shelf(version: row.uint64(0), nextPosition: row.uint64(1), hasLastResort: row.uint64(2) != 0)
    }

    /// Writes a shelf's row; a last-resort package stays unless there is a new one.
    private func write(_ shelf: Shelf, of channel: UInt64, lastResort: KeyPackageBytes?) throws(StoreFailure) {
        let row = try connection.statement(
            """
            INSERT INTO shelf VALUES (?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE SET version = excluded.version,
                next_position = excluded.next_position, last_resort = coalesce(excluded.last_resort, last_resort)
            """)
        row.bind(channel, at: 1)
        row.bind(shelf.version, at: 2)
        row.bind(shelf.nextPosition, at: 3)
        if let lastResort { row.bind(lastResort.bytes, at: 4) } else { row.bind(nil, at: 4) }
        try row.run()
    }
}
