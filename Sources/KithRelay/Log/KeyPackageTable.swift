import KithWire

/// The rows of the tables `shelf` and `key_package`.
struct KeyPackageTable {
    let connection: SQLiteConnection

    /// A row of `shelf`.
    struct ShelfRow {
        var version: UInt64 = 0
        var nextPosition: UInt64 = 1
        var hasLastResort = false
    }

    func shelf(of channel: UInt64) throws(StoreFailure) -> ShelfRow {
        let row = try connection.statement(
            "SELECT version, next_position, last_resort IS NOT NULL FROM shelf WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return ShelfRow() }
        defer { row.reset() }
        return ShelfRow(version: row.uint64(0), nextPosition: row.uint64(1), hasLastResort: row.uint64(2) != 0)
    }

    /// Writes a shelf's row. If `lastResort` is `nil`, the last-resort package does not change.
    func write(_ shelf: ShelfRow, of channel: UInt64, lastResort: KeyPackageBytes?) throws(StoreFailure) {
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

    /// Returns two values for a channel: the number of key packages, including the last-resort package, and the size of the
    /// one-time packages in bytes.
    func size(of channel: UInt64) throws(StoreFailure) -> (packages: UInt64, bytes: Int) {
        let row = try connection.statement(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM key_package WHERE channel = ?")
        row.bind(channel, at: 1)
        guard try row.next() else { return (0, 0) }
        defer { row.reset() }
        return (row.uint64(0) + (try shelf(of: channel).hasLastResort ? 1 : 0), Int(clamping: row.uint64(1)))
    }

    /// Inserts one-time packages at the shelf's next positions.
    func insert(
        _ keyPackages: [KeyPackageBytes], on shelf: inout ShelfRow, of channel: UInt64, atMs: UInt64
    ) throws(StoreFailure) {
        let row = try connection.statement("INSERT INTO key_package VALUES (NULL, ?, ?, ?, ?)")
        for keyPackage in keyPackages {
            row.bind(channel, at: 1)
            row.bind(shelf.nextPosition, at: 2)
            row.bind(keyPackage.bytes, at: 3)
            row.bind(atMs, at: 4)
            try row.run()
            shelf.nextPosition += 1
        }
    }

    /// Returns the position of the next one-time package; `nil` if there is no one-time package.
    func firstPosition(of channel: UInt64) throws(StoreFailure) -> UInt64? {
        let row = try connection.statement("SELECT min(position) FROM key_package WHERE channel = ?")
        row.bind(channel, at: 1)
        defer { row.reset() }
        return try row.next() ? row.optionalUInt64(0) : nil
    }

    func delete(_ position: UInt64, of channel: UInt64) throws(StoreFailure) {
        let row = try connection.statement("DELETE FROM key_package WHERE channel = ? AND position = ?")
        row.bind(channel, at: 1)
        row.bind(position, at: 2)
        try row.run()
    }

    /// Deletes all one-time packages of a channel.
    func deleteAll(of channel: UInt64) throws(StoreFailure) {
        let rows = try connection.statement("DELETE FROM key_package WHERE channel = ?")
        rows.bind(channel, at: 1)
        try rows.run()
    }

    /// Deletes one-time packages of a channel. Subtracts the deleted bytes from `room`, and stops when `room` is used up. Returns
    /// whether no one-time package is left.
    func deleteSome(of channel: UInt64, room: inout Int) throws(StoreFailure) -> Bool {
        let rows = try connection.statement(
            "SELECT number, length(bytes) FROM key_package WHERE channel = ? ORDER BY position")
        rows.bind(channel, at: 1)
        var found: [UInt64] = []
        while room > 0, try rows.next() {
            found.append(rows.uint64(0))
            room -= Int(clamping: rows.uint64(1)) + StoreLimits.rowBytes
        }
        rows.reset()
        try delete(found)
        return room > 0
    }

    func deleteShelf(of channel: UInt64) throws(StoreFailure) {
        let row = try connection.statement("DELETE FROM shelf WHERE channel = ?")
        row.bind(channel, at: 1)
        try row.run()
    }

    /// Deletes a slice of the packages that were deposited before a time. Returns the number of deleted packages.
    func deleteSome(depositedBeforeMs ms: UInt64) throws(StoreFailure) -> Int {
        let row = try connection.statement(
            "SELECT number FROM key_package WHERE deposited_ms < ? LIMIT \(StoreLimits.discardedPerSlice)")
        row.bind(ms, at: 1)
        var found: [UInt64] = []
        while try row.next() { found.append(row.uint64(0)) }
        try delete(found)
        return found.count
    }

    private func delete(_ numbers: [UInt64]) throws(StoreFailure) {
        let row = try connection.statement("DELETE FROM key_package WHERE number = ?")
        for number in numbers {
            row.bind(number, at: 1)
            try row.run()
        }
    }
}
