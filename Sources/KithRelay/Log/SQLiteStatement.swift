import CSQLite

/// A compiled statement. As in SQLite, the first parameter has the number 1, and the first column has the number 0.
final class SQLiteStatement {
    private let handle: OpaquePointer
    /// The connection always outlives the statement: the connection owns the statement, or one object owns both.
    private unowned let connection: SQLiteConnection

    init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Parameters

    /// Binds a number. SQLite's integers are signed, so the number's 64 bits are stored as a signed integer.
    func bind(_ value: UInt64, at index: Int32) { sqlite3_bind_int64(handle, index, Int64(bitPattern: value)) }

    func bind(_ value: UInt64?, at index: Int32) {
        if let value { bind(value, at: index) } else { sqlite3_bind_null(handle, index) }
    }

    func bind(_ text: String, at index: Int32) { sqlite3_bind_text(handle, index, text, -1, SQLiteStatement.copied) }

    /// Binds a copy of bytes.
    func bind(_ bytes: [UInt8], at index: Int32) {
        bytes.withUnsafeBytes { bind(copying: $0, at: index) }
    }

    /// Binds a copy of bytes.
    func bind(_ bytes: ArraySlice<UInt8>, at index: Int32) {
        bytes.withUnsafeBytes { bind(copying: $0, at: index) }
    }

    private func bind(copying bytes: UnsafeRawBufferPointer, at index: Int32) {
        // SQLite would bind a blob without an address as NULL.
        if bytes.count == 0 {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count), SQLiteStatement.copied)
        }
    }

    /// Binds bytes without a copy. The bytes must not move until the statement has run.
    func bind(borrowing bytes: UnsafeRawBufferPointer, at index: Int32) {
        if bytes.count == 0 {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count), nil)
        }
    }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    // MARK: Running

    /// Runs a statement that returns no rows. The statement's parameters stay bound.
    func run() throws(StoreFailure) {
        let code = runReturningCode()
        if code != SQLITE_DONE { throw connection.failure(code) }
    }

    /// Like ``run()``, but returns the code instead of throwing. This function is for closures that cannot throw a typed error.
    /// The caller must pass the code to ``check(_:)``.
    func runReturningCode() -> Int32 {
        let code = sqlite3_step(handle)
        sqlite3_reset(handle)
        return code
    }

    /// Throws an error unless `code` means a successful run.
    func check(_ code: Int32) throws(StoreFailure) {
        if code != SQLITE_DONE { throw connection.failure(code) }
    }

    /// Moves to the next row. After the last row, returns `false` and ends the read of the file.
    func next() throws(StoreFailure) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        sqlite3_reset(handle)
        if code != SQLITE_DONE { throw connection.failure(code) }
        return false
    }

    /// Ends the reading of the file. Called if the last row has not been reached.
    func reset() { sqlite3_reset(handle) }

    // MARK: Columns

    func uint64(_ column: Int32) -> UInt64 { UInt64(bitPattern: sqlite3_column_int64(handle, column)) }

    /// Returns a number that must not be negative, such as a count or a seq. If the number is negative, throws
    /// ``StoreFailure/damaged(_:)``.
    func count(_ column: Int32) throws(StoreFailure) -> UInt64 {
        let value = sqlite3_column_int64(handle, column)
        guard value >= 0 else { throw .damaged("a number is negative") }
        return UInt64(value)
    }

    func optionalUInt64(_ column: Int32) -> UInt64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : uint64(column)
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String { sqlite3_column_text(handle, column).map { String(cString: $0) } ?? "" }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// Returns the length of a column's bytes, without copying them.
    func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }
}
