import KithWire

/// The rows of the table `name`.
struct NameTable {
    let connection: SQLiteConnection

    /// Returns the version of the record under a name, or `nil` if there is none.
    func version(of name: Name) throws(StoreFailure) -> UInt64? {
        let row = try connection.statement("SELECT version FROM name WHERE name = ?")
        row.bind(name.text, at: 1)
        defer { row.reset() }
        return try row.next() ? row.uint64(0) : nil
    }

    func write(_ record: NameRecord, renewedMs: UInt64) throws(StoreFailure) {
        let row = try connection.statement("REPLACE INTO name VALUES (?, ?, ?, ?)")
        row.bind(record.name.text, at: 1)
        row.bind(record.version, at: 2)
        row.bind(record.unverified.encoded, at: 3)
        row.bind(renewedMs, at: 4)
        try row.run()
    }

    func delete(_ name: String) throws(StoreFailure) {
        let row = try connection.statement("DELETE FROM name WHERE name = ?")
        row.bind(name, at: 1)
        try row.run()
    }

    /// Deletes a slice of the names whose last renewal was before a time. Returns the number of deleted names.
    func deleteSome(renewedBeforeMs ms: UInt64) throws(StoreFailure) -> Int {
        let row = try connection.statement(
            "SELECT name FROM name WHERE renewed_ms < ? LIMIT \(StoreLimits.discardedPerSlice)")
        row.bind(ms, at: 1)
        var found: [String] = []
        while try row.next() { found.append(row.text(0)) }
        for name in found { try delete(name) }
        return found.count
    }
}
