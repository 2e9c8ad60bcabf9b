import CSQLite

/// Watches how long the write-ahead log gets: SQLite tells after each commit.
final class WALSizeObserver {
    private(set) var pages = 0

    /// Must live as long as the connection commits.
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
    /// Makes the write-ahead log's file about this long, by a transaction that is taken back.
    ///
    /// A commit that makes the file longer waits for the file system to note that too; one that writes over what is there
    /// waits for its own bytes only, and takes about 60 % of the time. The next commit begins at the front again.
    func preallocateWAL(bytes: Int) throws(StoreFailure) {
        // With a small cache the pages go to the log as they are made, and take no memory; the last ones never go.
        let cacheKiB = 1024
        try execute("PRAGMA cache_size = -\(cacheKiB); BEGIN IMMEDIATE")
        defer {
            rollback()
            // Cannot fail on an open connection; at worst the cache stays small.
            try? execute("PRAGMA cache_size = -\(StoreLimits.writerCacheKiB)")
        }
        try execute("CREATE TABLE room (bytes BLOB); INSERT INTO room VALUES (zeroblob(\(bytes + cacheKiB << 10)))")
    }

    /// Copies what is in the write-ahead log, and nobody reads there, into the database. Makes nobody wait. Returns how many
    /// pages of the log are in the database now: if all are, the next commit begins at the log's front.
    func checkpoint() throws(StoreFailure) -> Int {
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, &copied)
        // Busy: another connection is at it.
        if code != SQLITE_OK && code & 0xff != SQLITE_BUSY { throw failure(code) }
        return max(0, Int(copied))
    }
}
