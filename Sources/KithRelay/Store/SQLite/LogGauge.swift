import GRDBSQLite

/// Watches how long the write-ahead log gets: SQLite tells after each commit.
final class LogGauge {
    private(set) var pages = 0

    /// Must live as long as the connection commits.
    func watch(_ connection: SQLiteConnection) {
        sqlite3_wal_hook(
            connection.handle,
            { gauge, _, _, pages in
                guard let gauge else { return SQLITE_OK }
                Unmanaged<LogGauge>.fromOpaque(gauge).takeUnretainedValue().pages = Int(pages)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

extension SQLiteConnection {
    /// Copies what is in the write-ahead log, and nobody reads there, into the database. Makes nobody wait.
    func checkpoint() throws(StoreFailure) {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        // Busy: another connection is at it.
        if code != SQLITE_OK && code & 0xff != SQLITE_BUSY { throw failure(code) }
    }
}
