import CSQLite
import Glibc

/// One connection to a SQLite file, used by one thread at a time.
///
/// The store uses SQLite's C interface directly: an append is one bound statement, GRDB adds more than half of what SQLite
/// itself needs for the row (see `Benchmarks/StoreBenchmark`), and its queues would take commits off the hub's thread.
final class SQLiteConnection {
    enum Mode {
        /// May create the file.
        case readWrite
        case readOnly
        /// For a file that nothing can change, on a medium that nothing can be written to.
        case immutable
    }

    let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    /// Opens a file. It is not read until the first statement.
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
        // Each connection stays on its thread, so SQLite's own mutexes would only cost.
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
        // Statements that are still referenced keep the connection until they go.
        sqlite3_close_v2(handle)
    }

    /// Runs statements that have no parameters and whose rows nobody wants.
    func execute(_ sql: String) throws(StoreFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw failure(code) }
    }

    /// Compiles a statement that is kept as long as the caller keeps it.
    func prepare(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code) }
        return SQLiteStatement(statement, of: self)
    }

    /// A statement that the connection keeps. Reset, and not used elsewhere until it has been read to its end.
    func statement(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
        if let statement = statements[sql] {
            statement.reset()
            return statement
        }
        let statement = try prepare(sql)
        statements[sql] = statement
        return statement
    }

    /// The number that a pragma or a query gives.
    func number(_ sql: String) throws(StoreFailure) -> UInt64? {
        let statement = try prepare(sql)
        return try statement.next() ? statement.uint64(0) : nil
    }

    /// Whether a transaction is open. SQLite itself ends one after some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Ends the open transaction, if there is one, without its changes.
    func rollback() {
        // The only way it fails is that there is nothing to roll back.
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    func failure(_ code: Int32) -> StoreFailure { SQLiteConnection.failure(code, handle) }

    /// SQLite's codes as a store's failures. The texts are SQLite's fixed ones: no value of a row can be in them.
    private static func failure(_ code: Int32, _ handle: OpaquePointer?) -> StoreFailure {
        let text = "\(String(cString: sqlite3_errstr(code))) (SQLite \(code))"
        switch code & 0xff {
        case SQLITE_FULL: return .full
        // What is written was decided on what was read: if it cannot be so, the file contradicts itself.
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CONSTRAINT, SQLITE_MISMATCH: return .damaged(text)
        // A file system may say only when it syncs that there is no room.
        case SQLITE_IOERR where handle.map { sqlite3_system_errno($0) } == ENOSPC: return .full
        default: return .io(text)
        }
    }

    /// `%`, `?` and `#` mean something in a URI.
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
