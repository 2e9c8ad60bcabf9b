import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The secret that opens a vault.
public enum VaultSecret: Sendable {
    /// A passphrase that the user has chosen.
    case passphrase(String)
    /// A key file beside the vault, for users who do not choose a passphrase.
    case keyFile
}

/// A profile's state on the disk, in one SQLite file. Each value is sealed separately. The file contains the key for the values
/// in encrypted form only. Without the key, a reader of the file sees the number, the kinds and the sizes of the values, and the
/// times of their changes.
package final class VaultStore: ProfileStore {
    let folder: ProfileFolder
    let database: VaultDatabase
    let key: VaultKey
    private let isReadOnly: Bool
    /// The value of SQLite's `data_version` at the last check. The value changes when another process commits.
    private let seenVersion: Mutex<Int64>
    /// Whether the WAL file may contain earlier states of erased texts.
    private let hasOldStates = Atomic(false)

    init(_ folder: ProfileFolder, _ database: VaultDatabase, _ key: VaultKey, isReadOnly: Bool) throws(StoreError) {
        self.folder = folder
        self.database = database
        self.key = key
        self.isReadOnly = isReadOnly
        seenVersion = Mutex(try database.perform(Self.version))
    }

    // MARK: Reading

    package func value(_ key: StoreKey) throws(StoreError) -> [UInt8]? {
        let place = try Self.place(key)
        guard database.has(key.table) else { return nil }
        let rows = try database.perform { database in
            try self.read(key.table, database, VaultStatements.of(key.table).value, place)
        }
        return try Self.whole(key.table, rows).first?.bytes
    }

    package func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue] {
        try Self.whole(table, rows(table, owner: owner, items: items, limit: limit, newestFirst: newestFirst))
    }

    package func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue] {
        try Self.whole(table, allRows(table))
    }

    package func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow] {
        guard limit > 0, let owner = Int64(exactly: owner), let first = Int64(exactly: items.lowerBound),
            database.has(table)
        else { return [] }
        let last = Int64(clamping: items.upperBound)
        let statements = VaultStatements.of(table)
        return try database.perform { database in
            try self.read(
                table, database, newestFirst ? statements.newest : statements.oldest,
                [owner, first, last, Int64(limit)])
        }
    }

    package func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow] {
        guard database.has(table) else { return [] }
        return try database.perform { try self.read(table, $0, VaultStatements.of(table).all, []) }
    }

    /// Runs `body`. All reads in `body` see the same state of the vault, even if another process writes in the meantime.
    ///
    /// - Throws: ``KithError/store(_:)``, or the error of `body`.
    package func atOneMoment<R>(_ body: () throws(KithError) -> R) throws(KithError) -> R {
        let result: Result<R, KithError>
        do throws(StoreError) { result = try database.reading(body) } catch { throw .store(error) }
        return try result.get()
    }

    private func read(
        _ table: StoreTable, _ database: Database, _ sql: String, _ arguments: StatementArguments
    ) throws -> [StoredRow] {
        let key = key.symmetric
        let rows = try Row.fetchCursor(try database.cachedStatement(sql: sql), arguments: arguments)
        var values: [StoredRow] = []
        while let row = try rows.next() {
            // In a damaged file, a row may lack its numbers or its value, or have the value of another row.
            guard let owner = (row[0] as Int64?).map(UInt64.init(bitPattern:)),
                let item = (row[1] as Int64?).map(UInt64.init(bitPattern:))
            else { throw StoreError.damaged(table) }
            let bytes = try row.withUnsafeData(atIndex: 2) { try? key.open($0, table, owner: owner, item: item) }
            values.append(StoredRow(owner: owner, item: item, bytes: bytes))
        }
        return values
    }

    /// A key in the form of SQLite's signed numbers.
    private static func place(_ key: StoreKey) throws(StoreError) -> StatementArguments {
        [try number(key.owner), try number(key.item)]
    }

    private static func number(_ number: UInt64) throws(StoreError) -> Int64 {
        guard let number = Int64(exactly: number) else { throw .database(code: SQLITE_RANGE) }
        return number
    }

    // MARK: Writing

    /// Performs the writes of a transaction, in order. Returns when the changes are on the disk.
    ///
    /// - Throws: ``StoreError``. After an error, nothing was written. Always throws if the vault is open only for reading.
    package func commit(_ transaction: StoreTransaction) throws(StoreError) {
        guard !transaction.isEmpty else { return }
        guard !isReadOnly else { throw .database(code: SQLITE_READONLY) }
        // Values are sealed before the transaction, so that the file is locked for a short time only.
        let key = key.symmetric
        var runs: [(sql: String, arguments: StatementArguments)] = []
        runs.reserveCapacity(transaction.writes.count)
        for write in transaction.writes {
            switch write {
            case .put(let place, let bytes):
                let arguments = try Self.place(place)
                runs.append((VaultStatements.of(place.table).put, arguments + [try key.seal(bytes, for: place)]))
            case .delete(let place):
                runs.append((VaultStatements.of(place.table).delete, try Self.place(place)))
            case .deleteAll(let table, let owner):
                runs.append((VaultStatements.of(table).deleteAll, [try Self.number(owner)]))
            }
        }
        try database.transaction { database in
            for run in runs {
                try database.cachedStatement(sql: run.sql).execute(arguments: run.arguments)
            }
        }
        try eraseOldStates(transaction.erasesTexts)
    }

    /// Removes earlier states of the values from the WAL file if a text was erased. If another process is reading the vault, the
    /// removal waits for a later transaction or for the closing of the files.
    private func eraseOldStates(_ isDue: Bool) throws(StoreError) {
        guard isDue || hasOldStates.load(ordering: .relaxed) else { return }
        hasOldStates.store(!(try database.emptyLogIfUnused()), ordering: .relaxed)
    }

    // MARK: Other processes

    /// Stores a request for the process that has opened the profile. The request comes after the requests that are already
    /// stored. If the vault is open only for reading, this is the only possible write.
    ///
    /// - Returns: the item number of the request. No number is used twice.
    /// - Throws: ``StoreError``.
    package func enqueueForOwner(_ bytes: [UInt8]) throws(StoreError) -> UInt64 {
        let key = key.symmetric
        return try database.transaction { database in
            let item = try Int64.fetchOne(
                database,
                sql: """
                    UPDATE vault SET last_request = 1 + max(last_request, (SELECT coalesce(max(item), 0) FROM request))
                    RETURNING last_request
                    """)
            guard let item, item > 0 else { throw StoreError.damaged(.request) }
            let place = StoreKey(.request, item: UInt64(item))
            try database.cachedStatement(sql: VaultStatements.of(.request).put)
                .execute(arguments: [0, item, try key.seal(bytes, for: place)])
            return UInt64(item)
        }
    }

    /// Returns whether another process has written to the vault since the last call. Only reads a counter that the processes
    /// share.
    ///
    /// - Throws: ``StoreError``.
    package func othersHaveWritten() throws(StoreError) -> Bool {
        let version = try database.perform(Self.version)
        return seenVersion.withLock { seen in
            defer { seen = version }
            return seen != version
        }
    }

    private static func version(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database.cachedStatement(sql: "PRAGMA data_version")) ?? 0
    }

    /// Closes the file. After this call, nothing can be read or written. Without this call, the file is closed when its last
    /// reference is released.
    package func close() throws(StoreError) { try database.close() }
}

/// The statements of one table.
private struct VaultStatements {
    let value, oldest, newest, all, put, delete, deleteAll: String

    private init(_ table: StoreTable) {
        let columns = "SELECT owner, item, value FROM \(table)"
        value = "\(columns) WHERE owner = ? AND item = ?"
        oldest = "\(columns) WHERE owner = ? AND item BETWEEN ? AND ? ORDER BY item LIMIT ?"
        newest = "\(columns) WHERE owner = ? AND item BETWEEN ? AND ? ORDER BY item DESC LIMIT ?"
        all = "\(columns) ORDER BY owner, item"
        put = "INSERT INTO \(table) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        delete = "DELETE FROM \(table) WHERE owner = ? AND item = ?"
        deleteAll = "DELETE FROM \(table) WHERE owner = ?"
    }

    private static let all = StoreTable.allCases.map(VaultStatements.init)

    static func of(_ table: StoreTable) -> VaultStatements { all[Int(table.rawValue)] }
}
