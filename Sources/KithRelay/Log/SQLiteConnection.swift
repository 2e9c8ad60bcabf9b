import CSQLite
import Glibc

/// One connection to a SQLite file. Only one thread at a time may use a connection.
///
/// The store uses SQLite's C interface directly. An append is one bound statement. With GRDB, an append would take more than 1.5
/// times as long (see `Benchmarks/StoreBenchmark`). GRDB would run commits on its own queues and not on the hub's thread.
final class SQLiteConnection {
    enum Mode {
        /// Reads and writes. Creates a missing file.
        case readWrite
        case readOnly
        /// Reads a file that no process changes. The medium may be read-only.
        case immutable

        /// The mode for an audit of a file. If no process can change the file, and the file has no write-ahead log, the mode is
        /// ``immutable``. In the mode ``immutable``, SQLite creates no additional files. If a process can change the file, or if
        /// the file has a write-ahead log, the mode is ``readOnly``.
        ///
        /// - Parameter isLocked: whether no relay runs and no relay can start.
        static func audit(of path: String, isLocked: Bool) -> Mode {
            isLocked && StoreFolder.size(of: path + "-wal") == 0 ? .immutable : .readOnly
        }
    }

    let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    /// Opens a file. Reads nothing from the file before the first statement.
    init(path: String, mode: Mode) throws(StoreFailure) {
        var opened: OpaquePointer?
        let flags: Int32
        var name = path
        switch mode {
        case .readWrite: flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readOnly: flags = SQLITE_OPEN_READONLY
        case .immutable:
            flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            name = "file:" + SQLiteConnection.escapedForURI(path) + "?immutable=1"
        }
        // Each connection is used on one thread, so SQLite's own mutexes would only cost time.
        let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = SQLiteConnection.failure(code, opened)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, StoreLimits.busyTimeoutMs)
    }

    deinit {
        // Statements that are still referenced keep the connection open until they are released.
        sqlite3_close_v2(handle)
    }

    /// Runs statements without parameters, and ignores their rows.
    func execute(_ sql: String) throws(StoreFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw failure(code) }
    }

    /// Compiles a statement, which the caller owns.
    func prepare(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code) }
        return SQLiteStatement(statement, of: self)
    }

    /// Returns a statement that the connection owns, and resets the statement. All callers with equal SQL share one statement, so
    /// a caller must finish reading rows before the next caller asks for the statement.
    func statement(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
        if let statement = statements[sql] {
            statement.reset()
            return statement
        }
        let statement = try prepare(sql)
        statements[sql] = statement
        return statement
    }

    /// Returns the number in the first row of a pragma's or a query's result; `nil` if there is no row.
    func number(_ sql: String) throws(StoreFailure) -> UInt64? {
        let statement = try prepare(sql)
        return try statement.next() ? statement.uint64(0) : nil
    }

    /// Whether a transaction is open. SQLite itself ends a transaction after some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rolls back the open transaction, if there is one.
    func rollback() {
        // This fails only if there is no transaction.
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    func failure(_ code: Int32) -> StoreFailure { SQLiteConnection.failure(code, handle) }

    /// Translates SQLite's codes into store failures. The failure's text is SQLite's fixed text for the code. The failure's text
    /// contains no values of rows.
    private static func failure(_ code: Int32, _ handle: OpaquePointer?) -> StoreFailure {
        let text = "\(String(cString: sqlite3_errstr(code))) (SQLite \(code))"
        switch code & 0xff {
        case SQLITE_FULL: return .full
        // The writer takes every key from the file, or checks the key against the file. So a violated constraint means that the
        // file contradicts itself.
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CONSTRAINT, SQLITE_MISMATCH: return .damaged(text)
        // Some file systems report a full disk only when they sync.
        case SQLITE_IOERR where handle.map { sqlite3_system_errno($0) } == ENOSPC: return .full
        default: return .io(text)
        }
    }

    /// Escapes the characters `%`, `?` and `#`, which have a special meaning in a URI.
    private static func escapedForURI(_ path: String) -> String {
        path.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "%"): result += "%25"
            case UInt8(ascii: "?"): result += "%3f"
            case UInt8(ascii: "#"): result += "%23"
            default: result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
    }
}
