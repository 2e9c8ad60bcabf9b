import Foundation
import GRDB
import GRDBSQLite

/// The SQLite file of a vault: opening it, its tables, and the meaning of its errors. This type has no keys.
struct VaultDatabase: Sendable {
    /// "KiVa" in ASCII. The number distinguishes a vault from other SQLite files.
    private static let applicationID: Int64 = 0x4b69_5661
    /// The value of `user_version`. A change of the tables raises this version, and requires a migration.
    private static let version: Int64 = 3

    private let queue: DatabaseQueue
    /// The version of the file. Adding the missing tables raises the version.
    private var fileVersion = Self.version

    // MARK: Opening

    /// Opens an existing file.
    ///
    /// - Parameter canWrite: whether this user may write the file and its folder.
    /// - Throws: ``StoreError``. After an error, the file is unchanged.
    init(opening file: URL, canWrite: Bool = true) throws(StoreError) {
        queue = try canWrite ? Self.queue(file) : Self.unwritableQueue(file)
        fileVersion = try checkedVersion()
        // The file is already in WAL mode, unless it was restored with another tool.
        if canWrite { try perform { try $0.execute(sql: "PRAGMA journal_mode = WAL") } }
    }

    /// Opens an existing file for reading although the disk has no room for the shared-memory file of SQLite's readers.
    ///
    /// - Throws: ``StoreError``, for instance if another process has opened the file.
    init(openingWithoutRoom file: URL) throws(StoreError) {
        queue =
            try Self.hasLog(file)
            ? Self.queue(file, path: file.path, isReadOnly: false, isAlone: true) : Self.unwritableQueue(file)
        fileVersion = try checkedVersion()
    }

    /// Adds the tables that an earlier version did not have.
    ///
    /// - Throws: ``StoreError``. After an error, the file is unchanged.
    mutating func addMissingTables() throws(StoreError) {
        guard fileVersion < Self.version else { return }
        try transaction { database in
            try database.execute(sql: StoreTable.allCases.map(Self.schema).joined())
            try database.execute(sql: "PRAGMA user_version = \(Self.version)")
        }
        fileVersion = Self.version
    }

    /// Whether files of this file's version have a table. A file of an earlier version lacks tables until the file is opened for
    /// writing.
    func has(_ table: StoreTable) -> Bool { fileVersion >= Self.firstVersion(with: table) }

    /// The first version of vaults that have a table.
    private static func firstVersion(with table: StoreTable) -> Int64 {
        switch table {
        case .marks, .upload, .download, .piece, .file: 2
        case .deletion: 3
        default: 1
        }
    }

    /// Returns the file's version. Refuses a file that is not a vault, or that a newer Kith has made.
    private func checkedVersion() throws(StoreError) -> Int64 {
        try perform { database in
            let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard try Int64.fetchOne(database, sql: "PRAGMA application_id") == Self.applicationID else {
                throw StoreError.database(code: SQLITE_NOTADB)
            }
            guard version <= Self.version else { throw StoreError.version(UInt32(truncatingIfNeeded: version)) }
            return version
        }
    }

    /// Creates the tables of a new vault in an empty file, stores the wrapped key, and closes the file.
    ///
    /// - Throws: ``StoreError``. After an error, the file cannot be used.
    static func make(_ file: URL, header: [UInt8]) throws(StoreError) {
        let made = VaultDatabase(queue: try queue(file))
        try made.transaction { database in
            try database.execute(sql: schema)
            try database.execute(sql: "INSERT INTO vault VALUES (1, ?, 0)", arguments: [Data(header)])
            try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        }
        // WAL mode is stored in the file. The mode is set last, so that no second file exists before.
        try made.perform { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        try made.close()
    }

    private init(queue: DatabaseQueue) { self.queue = queue }

    /// Opens a database in a folder that cannot be written. SQLite cannot create its shared-memory file in that folder. If
    /// there is no WAL file, the database is opened as immutable. If there is a WAL file, the database is opened in the usual
    /// way, which works only if the shared-memory file exists: SQLite needs that file to read the WAL file.
    private static func unwritableQueue(_ file: URL) throws(StoreError) -> DatabaseQueue {
        if hasLog(file) { return try queue(file, path: file.path, isReadOnly: true) }
        var address = URLComponents()
        address.scheme = "file"
        address.path = file.path
        address.queryItems = [URLQueryItem(name: "immutable", value: "1")]
        return try queue(file, path: address.string ?? file.path, isReadOnly: true)
    }

    /// Whether there is a WAL file with changes.
    private static func hasLog(_ file: URL) -> Bool {
        let size = try? FileManager.default.attributesOfItem(atPath: file.path + "-wal")[.size] as? Int
        return size ?? 0 > 0
    }

    private static func queue(_ file: URL) throws(StoreError) -> DatabaseQueue {
        try queue(file, path: file.path, isReadOnly: false)
    }

    /// - Parameter isAlone: whether this process uses the database alone. If `true`, SQLite locks out other processes. It then
    ///   needs no shared-memory file, because it keeps the content of that file in this process's memory.
    private static func queue(
        _ file: URL, path: String, isReadOnly: Bool, isAlone: Bool = false
    ) throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.label = "kith.vault"
        configuration.busyMode = .timeout(ClientLimits.vaultWait)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { database in
            try withKnownRoom(database) {
                // The mode has to be set before the first read.
                if isAlone { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
                try database.execute(sql: settings)
            }
        }
        do { return try DatabaseQueue(path: path, configuration: configuration) } catch { throw failure(error) }
    }

    /// The settings of every connection to the database.
    ///
    /// - SQLite recommends `synchronous = NORMAL` for WAL. With `NORMAL`, a power cut can undo the last commits, so Kith uses a
    ///   safer setting.
    /// - Deleted values are overwritten. Values are sealed, but after a leak of the key, an attacker could read deleted values
    ///   that are still in the file.
    private static let settings =
        """
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA cache_size = -\(ClientLimits.vaultCacheKiB);
        """

    /// Closes the file. The last process that closes the file copies all data into the database file and removes the other files.
    func close() throws(StoreError) {
        do { try queue.close() } catch { throw Self.failure(error) }
    }

    // MARK: Tables

    /// There is one table for each kind of value. All tables but `entry` are ordered by owner and item. In these tables, the
    /// value is in the index, so a change writes one page.
    ///
    /// Entries are stored in the order of their arrival, with an index. Storing an entry writes one page more, but all
    /// conversations share the same few pages. If entries were stored in the order of owner and item, each conversation would
    /// fill and split pages of its own. With 100,000 entries in 100 conversations, `ClientBenchmark` measured 30 KB written per
    /// message if entries are stored in the order of arrival, and 37 KB if they are stored in the order of owner and item.
    private static let schema =
        """
        -- One row. header: a WrappedKey. last_request: the highest item ever put into the table of requests.
        CREATE TABLE vault (
            one INTEGER PRIMARY KEY CHECK (one = 1), header BLOB NOT NULL, last_request INTEGER NOT NULL);

        """
        + StoreTable.allCases.map(schema).joined()

    private static func schema(_ table: StoreTable) -> String {
        """
        CREATE TABLE IF NOT EXISTS \(table) (
            owner INTEGER NOT NULL, item INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (owner, item)
        )\(table == .entry ? "" : "WITHOUT ROWID");
        """
    }

    /// Reads the vault's ``WrappedKey``. The wrapped key is stored unencrypted.
    func header() throws(StoreError) -> [UInt8] {
        try perform { try Data.fetchOne($0, sql: "SELECT header FROM vault").map { Array($0) } ?? [] }
    }

    /// Replaces the wrapped key.
    ///
    /// After this call, the vault's files do not contain the old wrapped key, unless another process reads the vault during the
    /// call. In that case, the files contain the old wrapped key until the vault is closed.
    func replaceHeader(_ header: [UInt8]) throws(StoreError) {
        try transaction { try $0.execute(sql: "UPDATE vault SET header = ?", arguments: [Data(header)]) }
        try perform { _ = try? $0.checkpoint(.truncate) }
    }

    /// Copies the changes in the WAL file into the database, and empties the WAL file, unless another process is reading.
    ///
    /// - Returns: whether the WAL file is empty.
    func emptyLogIfUnused() throws(StoreError) -> Bool {
        try perform { database in
            // Otherwise SQLite would wait for the reader.
            sqlite3_busy_timeout(database.sqliteConnection, 0)
            defer {
                sqlite3_busy_timeout(database.sqliteConnection, Int32(ClientLimits.vaultWait * 1000))
            }
            return (try? database.checkpoint(.truncate)) != nil
        }
    }

    /// Copies the changes in the WAL file into the database, and empties the WAL file.
    func emptyLog() throws(StoreError) { try perform { _ = try $0.checkpoint(.truncate) } }

    // MARK: Running

    /// Runs statements outside a transaction.
    func perform<R>(_ body: (Database) throws -> R) throws(StoreError) -> R {
        do {
            return try queue.unsafeReentrantWrite { database in
                try Self.withKnownRoom(database) { try body(database) }
            }
        } catch { throw Self.failure(error) }
    }

    /// Runs `body`. All reads of this database in `body` are one transaction.
    func reading<R, E: Error>(_ body: () throws(E) -> R) throws(StoreError) -> Result<R, E> {
        try perform { database in
            try database.beginTransaction(.deferred)
            // The transaction has no changes. The rollback fails only if SQLite has already ended the transaction.
            defer { try? database.rollback() }
            do throws(E) { return .success(try body()) } catch { return .failure(error) }
        }
    }

    /// Runs statements as one transaction. Returns when the changes are on the disk.
    func transaction<R>(_ body: (Database) throws -> R) throws(StoreError) -> R {
        try perform { database in
            var result: R?
            try database.inTransaction(.immediate) {
                result = try body(database)
                return .commit
            }
            guard let result else { throw StoreError.database(code: SQLITE_INTERNAL) }
            return result
        }
    }

    /// Runs statements, and finds out whether a failure means a full disk. SQLite reports a full disk as a disk failure in two
    /// cases:
    ///
    /// - The disk is full when SQLite creates the shared-memory file.
    /// - The file system notices the full disk only during a sync.
    private static func withKnownRoom<R>(_ database: Database, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as DatabaseError where [.SQLITE_IOERR, .SQLITE_CANTOPEN].contains(error.resultCode) {
            let number = sqlite3_system_errno(database.sqliteConnection)
            throw [ENOSPC, EDQUOT].contains(number) ? StoreError.full : error
        }
    }

    private static func failure(_ error: any Error) -> StoreError {
        switch error {
        case let error as StoreError: error
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL: .full
        case let error as DatabaseError: .database(code: error.extendedResultCode.rawValue)
        // A row cannot be decoded.
        default: .database(code: SQLITE_CORRUPT)
        }
    }
}
