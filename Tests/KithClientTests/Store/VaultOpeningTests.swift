import Foundation
import GRDB
import GRDBSQLite
import KithSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Opening a vault")
struct VaultOpeningTests {
    @Test("only the secret that a vault was made with opens it", arguments: [VaultSecret.right, .keyFile])
    func opens(secret: VaultSecret) throws {
        let folder = VaultFolder()
        let made = try folder.create(secret)
        try made.commit(.put(.profile, item: 1, "kept"))
        try made.close()
        #expect(try folder.open(secret).text(.profile, item: 1) == "kept")
    }

    @Test("opening a folder without a vault fails, and makes none")
    func missing() throws {
        let folder = VaultFolder()
        #expect(throws: KithError.noProfile) { try folder.open() }
        #expect(!FileManager.default.fileExists(atPath: folder.url.path))
    }

    @Test("a vault is not made over another, which stays unchanged")
    func exists() throws {
        let folder = VaultFolder()
        try folder.create().close()
        let before = try folder.contents()
        #expect(throws: KithError.profileExists) { try folder.create() }
        #expect(throws: KithError.profileExists) { try folder.create(.keyFile) }
        #expect(try folder.contents() == before)
    }

    @Test("a vault of the first version is read, and gets the missing tables when it is opened for writing")
    func firstVersion() throws {
        let folder = VaultFolder()
        let made = try folder.create()
        try made.commit(.put(.profile, item: 1, "kept"))
        try made.close()
        let queue = try DatabaseQueue(path: folder.vault.path)
        try queue.write { try $0.execute(sql: "DROP TABLE marks; PRAGMA user_version = 1") }
        try queue.close()
        let before = try folder.contents()
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.wrong) }
        #expect(try folder.contents() == before)
        let reader = try VaultStore.open(in: folder.url, .right, isReadOnly: true)
        #expect(try reader.text(.profile, item: 1) == "kept" && reader.allRows(.marks).isEmpty)
        #expect(try reader.value(StoreKey(.marks, item: 1)) == nil)
        try reader.close()
        let store = try folder.open()
        try store.commit(.put(.marks, item: 1, "new"))
        #expect(try store.text(.marks, item: 1) == "new" && store.text(.profile, item: 1) == "kept")
    }

    @Test("a wrong passphrase is refused, and the vault stays unchanged")
    func wrongPassphrase() throws {
        let folder = VaultFolder()
        try folder.create().close()
        let before = try folder.contents()
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.wrong) }
        #expect(throws: KithError.wrongPassphrase) { try folder.open(.passphrase("")) }
        #expect(throws: KithError.passphraseNeeded) { try folder.open(.keyFile) }
        #expect(try folder.contents() == before)
    }

    @Test("a vault is made with its first contents, or not at all")
    func firstContents() throws {
        let folder = VaultFolder()
        var contents = StoreTransaction.put(.profile, item: 1, "kept")
        contents.put(StoreKey(.entry, item: .max), [1])
        #expect(throws: KithError.self) { try folder.create(holding: contents) }
        #expect(throws: KithError.noProfile) { try folder.open() }
        try folder.create(holding: .put(.profile, item: 1, "kept")).close()
        #expect(try folder.open().text(.profile, item: 1) == "kept")
        #expect(try folder.names.allSatisfy { !$0.hasPrefix("vault.new") })
    }

    @Test("an empty passphrase counts as no passphrase")
    func emptyPassphrase() throws {
        let folder = VaultFolder()
        #expect(throws: KithError.passphraseNeeded) { try folder.create(.passphrase("")) }
        #expect(throws: KithError.noProfile) { try folder.open() }
    }

    @Test("a passphrase typed in other code points is the same")
    func composition() throws {
        let folder = VaultFolder()
        try folder.create(.passphrase("gr\u{fc}n")).close()
        #expect(try folder.open(.passphrase("gru\u{308}n")).text(.profile, item: 1) == nil)
    }

    @Test("a passphrase is refused for a vault with a key file")
    func passphraseForKeyFile() throws {
        let folder = VaultFolder()
        try folder.create(.keyFile).close()
        #expect(throws: KithError.wrongPassphrase) { try folder.open() }
    }

    @Test("a missing, short or wrong key file is reported, and not replaced")
    func keyFile() throws {
        let folder = VaultFolder()
        try folder.create(.keyFile).close()
        let key = Array(try Data(contentsOf: folder.keyFile))
        #expect(key.count == 32)
        try folder.edit(folder.keyFile) { $0[7] ^= 1 }
        #expect(throws: KithError.store(.damagedHeader)) { try folder.open(.keyFile) }
        try folder.edit(folder.keyFile) { $0.removeLast() }
        #expect(throws: KithError.file(PrivateFileError(.read, folder.keyFile, errno: EBADMSG))) {
            try folder.open(.keyFile)
        }
        try FileManager.default.removeItem(at: folder.keyFile)
        #expect(throws: KithError.file(PrivateFileError(.read, folder.keyFile, errno: ENOENT))) {
            try folder.open(.keyFile)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.keyFile.path))
        try Data(key).write(to: folder.keyFile)
        #expect(try folder.open(.keyFile).text(.profile, item: 1) == nil)
    }

    @Test("a new vault uses an existing key file, which may open an older copy")
    func keyFileStays() throws {
        let folder = VaultFolder()
        try folder.create(.keyFile).close()
        let key = try Data(contentsOf: folder.keyFile)
        try FileManager.default.removeItem(at: folder.vault)
        try folder.create(.keyFile).close()
        #expect(try Data(contentsOf: folder.keyFile) == key)
        #expect(try folder.open(.keyFile).text(.profile, item: 1) == nil)
    }

    @Test(
        "a vault of version 1 gets the tables of files when it is opened, also for reading", arguments: [false, true])
    func addedTables(isReadOnly: Bool) throws {
        let folder = VaultFolder()
        try folder.create().close()
        let drops = ["upload", "download", "piece", "file"].map { "DROP TABLE \($0);" }.joined()
        try folder.sql("\(drops) PRAGMA user_version = 1")
        let store = try folder.open(isReadOnly: isReadOnly)
        #expect(try store.allValues(.file).isEmpty)
        try store.close()
        let writer = try folder.open()
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.file, owner: 1, item: 2), [3])
        try writer.commit(transaction)
        #expect(try writer.value(StoreKey(.file, owner: 1, item: 2)) == [3])
    }

    @Test("a vault of a newer version is refused", arguments: [false, true])
    func newer(isReadOnly: Bool) throws {
        let folder = VaultFolder()
        try folder.create().close()
        try folder.sql("PRAGMA user_version = 7")
        #expect(throws: KithError.store(.version(7))) { try folder.open(isReadOnly: isReadOnly) }
    }

    @Test("a kill while a vault is made leaves no vault, and the next attempt succeeds")
    func unfinished() throws {
        let folder = VaultFolder()
        try folder.create().close()
        let unfinished = folder.url.appendingPathComponent("vault.new")
        try FileManager.default.moveItem(at: folder.vault, to: unfinished)
        try Data("half".utf8).write(to: folder.url.appendingPathComponent("vault.new-journal"))
        #expect(throws: KithError.noProfile) { try folder.open() }
        try folder.create().close()
        #expect(try folder.names == ["vault.db"])
    }

    @Test("commits are synchronous, and deleted values are overwritten", arguments: [false, true])
    func settings(isReadOnly: Bool) throws {
        let folder = VaultFolder()
        let made = try folder.create()
        let store = isReadOnly ? try folder.open(isReadOnly: true) : made
        func setting(_ name: String) throws -> String? {
            try store.database.perform { try String.fetchOne($0, sql: "PRAGMA \(name)") }
        }
        #expect(try setting("synchronous") == "2")
        #expect(try setting("journal_mode") == "wal")
        #expect(try setting("secure_delete") == "1")
        #expect(try setting("temp_store") == "2")
    }

    // Other tests try a umask that takes rights from the owner with whole programs, since this process runs more tests
    // meanwhile.
    func modes(secret: VaultSecret) throws {
        let folder = VaultFolder()
        let old = umask(0)
        defer { umask(old) }
        let lock = try ProfileLock.acquire(in: folder.url)
        defer { withExtendedLifetime(lock) {} }
        func check(_ names: Set<String>, _ comment: Comment) throws {
            let permissions = try folder.permissions()
            #expect(Set(permissions.keys) == names.union([".", "profile.lock"]), comment)
            for (name, mode) in permissions { #expect(mode == (name == "." ? 0o700 : 0o600), "\(name)") }
        }
        var lasting: Set = ["vault.db"]
        if case .keyFile = secret { lasting.insert("vault.key") }
        let store = try folder.create(secret)
        try store.commit(.put(.entry, item: 1, "x"))
        try check(lasting.union(["vault.db-wal", "vault.db-shm"]), "open")
        try store.close()
        try check(lasting, "closed")
        let again = try folder.open(secret)
        try again.commit(.put(.entry, item: 1, "y"))
        try check(lasting.union(["vault.db-wal", "vault.db-shm"]), "open again")
    }

    @Test("a folder that a restore has opened to other users is closed to them")
    func tightens() throws {
        let folder = VaultFolder()
        try folder.create(.keyFile).close()
        for url in [folder.url, folder.vault, folder.keyFile] { chmod(url.path, 0o777) }
        try folder.open(.keyFile).close()
        #expect(try folder.permissions() == [".": 0o700, "vault.db": 0o600, "vault.key": 0o600])
    }

    @Test("a folder that is open to other users and has other files is refused")
    func foreignFolder() throws {
        let folder = VaultFolder()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        chmod(folder.url.path, 0o755)
        try Data().write(to: folder.url.appendingPathComponent("letter.txt"))
        #expect(throws: KithError.file(PrivateFileError(.write, folder.url, errno: EPERM))) { try folder.create() }
        #expect(throws: KithError.file(PrivateFileError(.write, folder.url, errno: EPERM))) {
            _ = try ProfileLock.acquire(in: folder.url)
        }
        #expect(try folder.names == ["letter.txt"])
        #expect(try folder.permissions()["."] == 0o755)
    }
}
