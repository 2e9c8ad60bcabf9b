import KithWire

@testable import KithRelay

/// Access for tests to the connection that commits.
extension SQLiteStore {
    /// The value of `PRAGMA synchronous` on the connection that commits. 2 is FULL.
    func synchronousMode() throws(StoreFailure) -> UInt64? { try number("PRAGMA synchronous") }

    /// Length of SQLite's write-ahead log after the last commit, from its start, in bytes.
    func walBytes() throws(StoreFailure) -> Int { try openWriter().walBytes }

    /// The number that a query on the connection that commits returns.
    func number(_ sql: String) throws(StoreFailure) -> UInt64? {
        try openWriter().connection.number(sql)
    }

    /// Limits the file to its present size and `more` pages, so that SQLite finds the disk full. `nil` removes the
    /// limit.
    func limitPages(more: UInt64?) throws(StoreFailure) {
        var bound: UInt64 = 0xffff_fffe
        if let more { bound = (try number("PRAGMA page_count") ?? 0) + more }
        _ = try number("PRAGMA max_page_count = \(bound)")
    }

    /// Runs all deferred maintenance at once.
    func finishHousekeeping() throws(StoreFailure) {
        let writer = try openWriter()
        while try writer.performMaintenance() {}
    }
}
