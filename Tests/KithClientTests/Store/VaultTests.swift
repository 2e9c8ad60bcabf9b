import Foundation
import GRDB
import GRDBSQLite
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A vault in use")
struct VaultTests {
    private let folder = VaultFolder()

    // MARK: Secrets

    @Test("the secret can be changed, and the old one no longer opens the vault")
    func changedSecret() throws {
        let store = try folder.create(.right)
        try store.commit(.put(.entry, item: 1, "kept"))
        try store.changeSecret(to: .wrong, cost: .cheap)
        #expect(try store.text(.entry, item: 1) == "kept")
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.right) }
        #expect(try folder.open(.wrong).text(.entry, item: 1) == "kept")

        try store.changeSecret(to: .keyFile, cost: .cheap)
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.wrong) }
        #expect(try folder.open(.keyFile).text(.entry, item: 1) == "kept")
        #expect(try folder.permissions()["vault.key"] == 0o600)

        try store.changeSecret(to: .right, cost: .cheap)
        #expect(throws: KithError.passphraseNeeded) { try folder.open(.keyFile) }
        #expect(try folder.open(.right).text(.entry, item: 1) == "kept")
        #expect(!FileManager.default.fileExists(atPath: folder.keyFile.path))
    }

    @Test("an empty passphrase changes nothing")
    func emptyPassphrase() throws {
        let store = try folder.create(.right)
        #expect(throws: KithError.passphraseNeeded) { try store.changeSecret(to: .passphrase("")) }
        #expect(try folder.open(.right).text(.entry, item: 1) == nil)
    }

    @Test("the old wrapped key is in no file after a change of the secret")
    func oldHeader() throws {
        let store = try folder.create(.right)
        let old = Data(try store.database.header())
        try store.changeSecret(to: .keyFile, cost: .cheap)
        for (name, content) in try folder.contents() {
            #expect(Data(content).range(of: old.dropFirst(40)) == nil, "\(name)")
        }
    }

    @Test("a key file that a kill has left after a new passphrase is removed at the next opening")
    func staleKeyFile() throws {
        try folder.create(.right).close()
        try Data(repeating: 7, count: 32).write(to: folder.keyFile)
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.wrong) }
        #expect(FileManager.default.fileExists(atPath: folder.keyFile.path))
        try folder.open(.right).close()
        #expect(!FileManager.default.fileExists(atPath: folder.keyFile.path))
    }

    @Test("texts, names and keys are in no file, open, closed or deleted")
    func canaries() throws {
        let canary = "the canary sings at midnight"
        let store = try folder.create(.right)
        func expectNothing(_ moment: String) throws {
            let contents = try folder.contents()
            #expect(contents["vault.db"] != nil)
            var secrets = [Data(canary.utf8), Data(canary.utf16.flatMap { [UInt8($0 & 0xff), 0] })]
            secrets += [Data("correct horse".utf8), Data(store.key.bytes.copyBytes())]
            for (name, content) in contents {
                for secret in secrets { #expect(Data(content).range(of: secret) == nil, "\(name), \(moment)") }
            }
        }
        var transaction = StoreTransaction()
        for table in StoreTable.allCases {
            for item in 0..<20 as Range<UInt64> {
                let text = String(repeating: canary, count: Int(item) * Int(item))
                transaction.put(StoreKey(table, owner: 1, item: item), Array(text.utf8))
            }
        }
        try store.commit(transaction)
        // Sorting and counting may make temporary files of SQLite.
        #expect(try store.allValues(.entry).count == 20)
        try expectNothing("open")
        var removal = StoreTransaction()
        for table in StoreTable.allCases { removal.deleteAll(table, owner: 1) }
        try store.commit(removal)
        try expectNothing("deleted")
        try store.close()
        try expectNothing("closed")
    }

    @Test("a deleted value is in the closed file in no form")
    func deletedIsOverwritten() throws {
        let store = try folder.create()
        try store.commit(.put(.record, owner: 1, item: 1, "an old ratchet"))
        try store.commit(.put(.entry, owner: 1, item: 1, String(repeating: "long ", count: 5_000)))
        let sealed = try store.database.perform { database in
            try ["record", "entry"].map { try Data.fetchOne(database, sql: "SELECT value FROM \($0)") }
        }
        var removal = StoreTransaction()
        removal.delete(StoreKey(.record, owner: 1, item: 1))
        removal.deleteAll(.entry, owner: 1)
        try store.commit(removal)
        try store.close()
        let contents = try folder.contents()
        #expect(contents.keys.sorted() == ["vault.db"])
        for value in sealed {
            let value = try #require(value)
            // A long value is on several pages, so pieces of it are searched.
            for start in stride(from: 0, to: value.count - 40, by: 2_000) {
                #expect(Data(contents["vault.db"] ?? []).range(of: value[start..<start + 40]) == nil)
            }
        }
    }

    // MARK: A full disk

    @Test("on a full disk, no part of a transaction is written, and writing works again when there is room")
    func fullDisk() throws {
        let store = try folder.create()
        try store.commit(.put(.entry, item: 1, "before"))
        func limit(_ pages: Int) throws {
            try store.database.perform { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
        try limit(1)
        var transaction = StoreTransaction.put(.entry, item: 1, "after")
        transaction.put(StoreKey(.entry, item: 2), [UInt8](repeating: 1, count: 100_000))
        for _ in 0..<3 { #expect(throws: StoreError.full) { try store.commit(transaction) } }
        #expect(try store.text(.entry, item: 1) == "before")
        #expect(try store.value(StoreKey(.entry, item: 2)) == nil)
        try limit(1 << 30)
        try store.commit(transaction)
        #expect(try store.text(.entry, item: 1) == "after")
        #expect(try store.value(StoreKey(.entry, item: 2))?.count == 100_000)
    }

    @Test(
        "on a disk without room for the shared file, the database and its WAL file are read",
        arguments: [true, false])
    func noRoomForReaders(hasLog: Bool) throws {
        let store = try folder.create()
        try store.commit(.put(.entry, item: 1, "said"))
        if !hasLog { try store.close() }
        // As after a kill: without the shared file.
        let copy = VaultFolder()
        for (name, bytes) in try folder.contents() where !name.hasSuffix("-shm") {
            try FileManager.default.createDirectory(at: copy.url, withIntermediateDirectories: true)
            try Data(bytes).write(to: copy.url.appendingPathComponent(name))
        }
        #expect(try copy.names.contains("vault.db-wal") == hasLog)
        let database = try VaultDatabase(openingWithoutRoom: copy.vault)
        let read = try VaultStore(store.folder, database, store.key, isReadOnly: true)
        #expect(try read.text(.entry, item: 1) == "said")
        #expect(try !copy.names.contains("vault.db-shm"))
        try read.close()
    }

    @Test("a key beyond the highest number is refused, with its whole transaction")
    func numbersOutOfRange() throws {
        let store = try folder.create()
        var transaction = StoreTransaction.put(.entry, item: 1, "x")
        transaction.put(StoreKey(.entry, item: StoreKey.highest + 1), [1])
        #expect(throws: StoreError.database(code: SQLITE_RANGE)) { try store.commit(transaction) }
        #expect(try store.allValues(.entry).isEmpty)
    }

    // MARK: A second one that reads

    @Test("a reader sees every commit, and can write requests only")
    func reader() throws {
        let owner = try folder.create()
        let reader = try folder.open(isReadOnly: true)
        try owner.commit(.put(.entry, item: 1, "one"))
        #expect(try reader.text(.entry, item: 1) == "one")
        try owner.commit(.put(.entry, item: 1, "two"))
        #expect(try reader.text(.entry, item: 1) == "two")
        #expect(throws: StoreError.database(code: SQLITE_READONLY)) {
            try reader.commit(.put(.entry, item: 1, "mine"))
        }
        try reader.commit(StoreTransaction())
        #expect(try owner.text(.entry, item: 1) == "two")
    }

    @Test("reads in one transaction see one state, whatever is written meanwhile")
    func oneMoment() throws {
        let owner = try folder.create()
        let reader = try folder.open(isReadOnly: true)
        try owner.commit(.put(.entry, item: 1, "one"))
        try reader.atOneMoment { () throws(KithError) in
            do throws(StoreError) {
                let before = try reader.text(.entry, item: 1)
                try owner.commit(.put(.entry, item: 1, "two"))
                let after = try reader.text(.entry, item: 1)
                #expect(before == "one" && after == "one")
            } catch { throw .store(error) }
        }
        #expect(try reader.text(.entry, item: 1) == "two")
        #expect(throws: KithError.closed) { try reader.atOneMoment { () throws(KithError) in throw .closed } }
        try owner.commit(.put(.entry, item: 1, "three"))
        #expect(try reader.text(.entry, item: 1) == "three")
    }

    @Test("the owner notices a request, and its number is never used again")
    func requests() throws {
        let owner = try folder.create()
        let reader = try folder.open(isReadOnly: true)
        #expect(try !owner.othersHaveWritten())
        try owner.commit(.put(.entry, item: 1, "the owner's own"))
        #expect(try !owner.othersHaveWritten())
        #expect(try reader.othersHaveWritten())
        #expect(try reader.enqueueForOwner([1]) == 1)
        #expect(try reader.enqueueForOwner([2]) == 2)
        #expect(try owner.othersHaveWritten())
        #expect(try !owner.othersHaveWritten())
        #expect(
            try owner.allValues(.request) == [
                StoredValue(owner: 0, item: 1, bytes: [1]), StoredValue(owner: 0, item: 2, bytes: [2]),
            ])
        var done = StoreTransaction()
        done.deleteAll(.request, owner: 0)
        try owner.commit(done)
        #expect(try reader.enqueueForOwner([3]) == 3)
        try owner.commit(.put(.request, item: 40, "the owner's own"))
        #expect(try reader.enqueueForOwner([4]) == 41)
        // A number that no vault stores.
        done.delete(StoreKey(.request, item: 41))
        try owner.commit(done)
        try folder.sql("UPDATE vault SET last_request = -9; DROP TABLE request; CREATE TABLE request (item)")
        try folder.sql("INSERT INTO request VALUES (-7)")
        #expect(throws: StoreError.damaged(.request)) { try reader.enqueueForOwner([5]) }
    }

    @Test("requests of many processes at once are all kept")
    func manyRequests() async throws {
        let owner = try folder.create()
        let readers = try (0..<4).map { _ in try folder.open(isReadOnly: true) }
        let items = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for (index, reader) in readers.enumerated() {
                group.addTask { try (0..<25).map { _ in try reader.enqueueForOwner([UInt8(index)]) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(items.sorted() == Array(1...100))
        let found = try owner.allValues(.request)
        #expect(found.map(\.item) == Array(1...100))
        for index in 0..<4 as Range<UInt8> { #expect(found.count { $0.bytes == [index] } == 25) }
    }
}
