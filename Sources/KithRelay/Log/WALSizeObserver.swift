import CSQLite

/// The size of the write-ahead log, which SQLite reports after each commit.
final class WALSizeObserver {
    private(set) var pages = 0

    /// Registers with a connection. The observer must outlive the connection's commits.
    func watch(_ connection: SQLiteConnection) {
        sqlite3_wal_hook(
            connection.handle,
            { gauge, _, _, pages in
                guard let gauge else { return SQLITE_OK }
                Unmanaged<WALSizeObserver>.fromOpaque(gauge).takeUnretainedValue().pages = Int(pages)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

extension SQLiteConnection {
    /// Grows the write-ahead log's file to about this size, with a transaction that is rolled back.
    ///
    /// A commit that extends the file also waits for the file system's metadata. A commit that overwrites existing
    /// bytes waits for its own bytes only, and takes about 60 % of the time. The next commit begins at the front again.
    func preallocateWAL(bytes: Int) throws(StoreFailure) {
        // With a small cache, pages go to the log as they are created and take no memory. The last ones never get
        // there.
        let cacheKiB = 1024
        try execute("PRAGMA cache_size = -\(cacheKiB); BEGIN IMMEDIATE")
        defer {
            rollback()
            // Does not fail on an open connection; at worst the cache stays small.
            try? execute("PRAGMA cache_size = -\(StoreLimits.writerCacheKiB)")
        }
        try execute("CREATE TABLE room (bytes BLOB); INSERT INTO room VALUES (zeroblob(\(bytes + cacheKiB << 10)))")
    }

    /// Copies pages that no connection is reading from the write-ahead log into the database, without blocking any
    /// connection. Returns the number of pages of the log that are in the database now: if all are, the next commit
    /// begins at the log's front.
    func checkpoint() throws(StoreFailure) -> Int {
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, &copied)
        // Busy: another connection is copying.
        if code != SQLITE_OK && code & 0xff != SQLITE_BUSY { throw failure(code) }
        return max(0, Int(copied))
    }
}
