import Foundation
import GRDB
import GRDBSQLite

/// The SQLite file of a vault: opening, tables, and the meaning of errors. It has no keys.
struct VaultDatabase: Sendable {
    /// "KiVa" in ASCII: tells the file from other SQLite files.
    private static let applicationID: Int64 = 0x4b69_5661
    /// The value of `user_version`. A change of the tables raises it and comes with a migration.
    private static let version: Int64 = 1

    private let queue: DatabaseQueue

    // MARK: Opening

    /// Opens an existing file.
    ///
    /// - Parameter canWrite: whether this user may write the file and its folder.
    /// - Throws: ``StoreError``; the file is unchanged.
    init(opening file: URL, canWrite: Bool = true) throws(StoreError) {
        queue = try canWrite ? Self.queue(file) : Self.unwritableQueue(file)
        try checkVersion()
        // The file is in WAL mode already, unless a tool has restored it.
        if canWrite { try perform { try $0.execute(sql: "PRAGMA journal_mode = WAL") } }
    }

    /// Opens an existing file for reading, on a disk without room for the file that readers share.
    ///
    /// - Throws: ``StoreError``, also if another process has the file open.
    init(openingWithoutRoom file: URL) throws(StoreError) {
        queue =
            try Self.hasLog(file)
            ? Self.queue(file, path: file.path, isReadOnly: false, isAlone: true) : Self.unwritableQueue(file)
        try checkVersion()
    }

    private func checkVersion() throws(StoreError) {
        try perform { database in
            let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard try Int64.fetchOne(database, sql: "PRAGMA application_id") == Self.applicationID else {
                throw StoreError.database(code: SQLITE_NOTADB)
            }
            guard version <= Self.version else { throw StoreError.version(UInt32(truncatingIfNeeded: version)) }
        }
    }

    /// Makes the tables and the wrapped key of a new vault in an empty file, and closes it.
    ///
    /// - Throws: ``StoreError``; the file is unusable then.
    static func make(_ file: URL, header: [UInt8]) throws(StoreError) {
        let made = VaultDatabase(queue: try queue(file))
        try made.transaction { database in
            try database.execute(sql: schema)
            try database.execute(sql: "INSERT INTO vault VALUES (1, ?, 0)", arguments: [Data(header)])
            try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        }
        // Stored in the file. Set last, so that there is no second file until then.
        try made.perform { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        try made.close()
    }

    private init(queue: DatabaseQueue) { self.queue = queue }

    /// A database whose folder can't be written, not even for the file that readers share. Without a WAL file, the database is
    /// opened as immutable: SQLite reads a WAL file only together with the shared file.
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

    /// - Parameter isAlone: whether SQLite keeps the shared data in memory, and locks other processes out.
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
                // Must be set before the first read.
                if isAlone { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
                try database.execute(sql: settings)
            }
        }
        do { return try DatabaseQueue(path: path, configuration: configuration) } catch { throw failure(error) }
    }

    /// SQLite recommends NORMAL for WAL, which may lose the last commits in a power cut. Deleted values are overwritten: they
    /// were sealed, but would be readable if the key leaked later.
    private static let settings =
        """
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA cache_size = -\(ClientLimits.vaultCacheKiB);
        """

    /// Closes the file. The last process to do so moves everything into the one file and removes the others.
    func close() throws(StoreError) {
        do { try queue.close() } catch { throw Self.failure(error) }
    }

    // MARK: Tables

    /// One table for each kind of value. All but one are ordered by owner and item, with the value in the index, so a change
    /// writes one page.
    ///
    /// Entries are in the order of arrival, with an index. That is one more page to write, but the same few for every
    /// conversation. In the order of owner and item, an entry among 100,000 would split pages of its own (`ClientBenchmark`: 37
    /// instead of 30 KB for a message in any of 100 conversations).
    private static let schema =
        """
        -- One row. header: a WrappedKey. last_request: the highest item ever put into the table of requests.
        CREATE TABLE vault (
            one INTEGER PRIMARY KEY CHECK (one = 1), header BLOB NOT NULL, last_request INTEGER NOT NULL);

        """
        + StoreTable.allCases.map { table in
            """
            CREATE TABLE \(table) (
                owner INTEGER NOT NULL, item INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (owner, item)
            )\(table == .entry ? "" : "WITHOUT ROWID");
            """
        }.joined()

    /// The vault's ``WrappedKey``, in the clear.
    func header() throws(StoreError) -> [UInt8] {
        try perform { try Data.fetchOne($0, sql: "SELECT header FROM vault").map { Array($0) } ?? [] }
    }

    /// Replaces the wrapped key.
    ///
    /// When this returns, the old wrapped key is in none of the files. If another process is reading at that time, it is
    /// removed when the files are closed.
    func replaceHeader(_ header: [UInt8]) throws(StoreError) {
        try transaction { try $0.execute(sql: "UPDATE vault SET header = ?", arguments: [Data(header)]) }
        try perform { _ = try? $0.checkpoint(.truncate) }
    }

    /// Copies the WAL file into the database.
    func emptyLog() throws(StoreError) { try perform { _ = try $0.checkpoint(.truncate) } }

    // MARK: Running

    /// Runs statements, outside of a transaction.
    func perform<R>(_ body: (Database) throws -> R) throws(StoreError) -> R {
        do {
            return try queue.unsafeReentrantWrite { database in
                try Self.withKnownRoom(database) { try body(database) }
            }
        } catch { throw Self.failure(error) }
    }

    /// Runs `body`, whose reads of this database form one transaction.
    func reading<R, E: Error>(_ body: () throws(E) -> R) throws(StoreError) -> Result<R, E> {
        try perform { database in
            try database.beginTransaction(.deferred)
            // Nothing was written. The rollback fails only if SQLite has ended the transaction already.
            defer { try? database.rollback() }
            do throws(E) { return .success(try body()) } catch { return .failure(error) }
        }
    }

    /// Runs statements as one transaction, and returns when they are on the disk.
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

    /// Runs statements. SQLite reports a full disk as a failing one when it makes the shared file, and when a file system
    /// reports the lack of room only at a sync.
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
        // A row does not decode.
        default: .database(code: SQLITE_CORRUPT)
        }
    }
}
