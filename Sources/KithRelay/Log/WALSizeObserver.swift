import CSQLite

/// The size of the write-ahead log. SQLite reports the size after each commit.
final class WALSizeObserver {
    private(set) var pages = 0

    /// Starts to observe a connection. The observer must exist until the connection's last commit.
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
    /// Grows the file of the write-ahead log to a length of about `bytes` bytes. Writes pages in a transaction, and then rolls
    /// the transaction back.
    ///
    /// A commit that extends the file also waits for the file system's metadata. A commit that overwrites existing bytes waits
    /// only for its own bytes, and takes about 60 % of the time of a commit that extends the file. After the rollback, the next
    /// commit begins at the front of the log.
    func preallocateWAL(bytes: Int) throws(StoreFailure) {
        // With a small cache, SQLite writes pages to the log as they are created, so that they take no memory. The last pages
        // stay in the cache and are never written.
        let cacheKiB = 1024
        try execute("PRAGMA cache_size = -\(cacheKiB); BEGIN IMMEDIATE")
        defer {
            rollback()
            // This does not fail on an open connection. If the statement failed, the cache would only stay small.
            try? execute("PRAGMA cache_size = -\(StoreLimits.writerCacheKiB)")
        }
        try execute("CREATE TABLE room (bytes BLOB); INSERT INTO room VALUES (zeroblob(\(bytes + cacheKiB << 10)))")
    }

    /// Copies pages from the write-ahead log into the database. Blocks no connection. Leaves out pages that would change the
    /// result of a read under way. Returns the number of the log's pages that are now in the database. If all pages of the log
    /// are in the database, the next commit begins at the front of the log.
    func checkpoint() throws(StoreFailure) -> Int {
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, &copied)
        // The code means that another connection is copying.
        if code != SQLITE_OK && code & 0xff != SQLITE_BUSY { throw failure(code) }
        return max(0, Int(copied))
    }
}
