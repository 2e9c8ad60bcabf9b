/// What tests have to see and do, and nobody else.
extension SQLiteStore {
    /// What `PRAGMA synchronous` says on the connection that commits: 2 is FULL.
    func synchronousMode() throws(StoreFailure) -> UInt64? { try number("PRAGMA synchronous") }

    /// How long SQLite's write-ahead log was after the last commit, from its front.
    func logBytes() throws(StoreFailure) -> Int { try openWriter().logBytes }

    /// The number that a query on the connection that commits gives.
    func number(_ sql: String) throws(StoreFailure) -> UInt64? {
        try openWriter().connection.number(sql)
    }

    /// Bounds the file to what it has now and some pages more, so that SQLite finds it full. `nil` takes the bound away.
    func limitPages(more: UInt64?) throws(StoreFailure) {
        var bound: UInt64 = 0xffff_fffe
        if let more { bound = (try number("PRAGMA page_count") ?? 0) + more }
        _ = try number("PRAGMA max_page_count = \(bound)")
    }

    /// Does at once what waits for a quiet moment.
    func finishHousekeeping() throws(StoreFailure) {
        let writer = try openWriter()
        while try writer.keepHouse() {}
    }
}
