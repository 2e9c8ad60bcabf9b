import Foundation
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

extension VaultSecret {
    static let right = VaultSecret.passphrase("correct horse")
    static let wrong = VaultSecret.passphrase("correct horsf")
}

/// A profile's folder for one test, removed with the object.
struct VaultFolder: Sendable {
    private let folder = TemporaryFolder()

    var url: URL { folder.url }

    var vault: URL { url.appendingPathComponent("vault.db") }
    var log: URL { url.appendingPathComponent("vault.db-wal") }
    var keyFile: URL { url.appendingPathComponent("vault.key") }

    func create(
        _ secret: VaultSecret = .right, holding contents: StoreTransaction = StoreTransaction()
    ) throws(KithError) -> VaultStore {
        try VaultStore.create(in: url, secret, holding: contents, cost: .cheap)
    }

    func open(_ secret: VaultSecret = .right, isReadOnly: Bool = false) throws(KithError) -> VaultStore {
        try VaultStore.open(in: url, secret, isReadOnly: isReadOnly)
    }

    /// The sorted names of the files.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    /// The permissions of the folder, under `.`, and of every file in it.
    func permissions() throws -> [String: Int] {
        var result: [String: Int] = [:]
        for name in try names + ["."] {
            let path = url.appendingPathComponent(name).path
            result[name] = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        return result
    }

    /// The content of every file. Another process reads them: if this one closed a file that SQLite has open, SQLite's locks
    /// would be lost.
    func contents() throws -> [String: [UInt8]] {
        let copy = VaultFolder()
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/bin/cp")
        program.arguments = ["-a", url.path, copy.url.path]
        try program.run()
        program.waitUntilExit()
        var result: [String: [UInt8]] = [:]
        for name in try copy.names {
            result[name] = Array(try Data(contentsOf: copy.url.appendingPathComponent(name)))
        }
        return result
    }

    /// Changes a closed file.
    func edit(_ file: URL, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = Array(try Data(contentsOf: file))
        change(&bytes)
        try Data(bytes).write(to: file)
    }

    /// Runs SQL on a closed vault.
    func sql(_ statements: String) throws {
        let database = try VaultDatabase(opening: vault)
        try database.perform { try $0.execute(sql: statements) }
        try database.close()
    }
}

extension StoreTransaction {
    static func put(_ table: StoreTable, owner: UInt64 = 0, item: UInt64, _ text: String) -> StoreTransaction {
        var transaction = StoreTransaction()
        transaction.put(StoreKey(table, owner: owner, item: item), Array(text.utf8))
        return transaction
    }
}

extension ProfileStore {
    func text(_ table: StoreTable, owner: UInt64 = 0, item: UInt64) throws(StoreError) -> String? {
        try value(StoreKey(table, owner: owner, item: item)).map { String(decoding: $0, as: UTF8.self) }
    }
}
