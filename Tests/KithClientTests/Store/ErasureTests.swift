import Foundation
import GRDB
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Erasing texts from a vault's files")
struct ErasureTests {
    private let folder = VaultFolder()
    private static let place = StoreKey(.entry, owner: 1, item: 1)

    /// Stores a text, and returns its sealed form as the files contain it.
    private func sealedText(_ store: VaultStore) throws -> Data {
        try store.commit(.put(.entry, owner: 1, item: 1, String(repeating: "the secret text ", count: 20)))
        return try #require(
            try store.database.perform { try Data.fetchOne($0, sql: "SELECT value FROM entry WHERE owner = 1") })
    }

    private func erase(_ store: VaultStore) throws {
        var transaction = StoreTransaction()
        transaction.put(Self.place, Array("gone".utf8))
        transaction.erase()
        try store.commit(transaction)
    }

    private func isInFiles(_ sealed: Data) throws -> Bool {
        try folder.contents().values.contains { Data($0).range(of: sealed) != nil }
    }

    @Test(
        "a transaction without erasures leaves the earlier state in the WAL file, one with an erasure leaves it nowhere"
    )
    func erased() throws {
        let store = try folder.create()
        let sealed = try sealedText(store)
        #expect(try isInFiles(sealed))
        try store.commit(.put(.entry, owner: 1, item: 1, "another text"))
        #expect(try isInFiles(sealed))
        try erase(store)
        #expect(try !isInFiles(sealed))
        #expect(try store.text(.entry, owner: 1, item: 1) == "gone")
    }

    @Test(
        "while another process reads, the erasure is put off until a later transaction, without waiting for the reader")
    func reader() throws {
        let store = try folder.create()
        let sealed = try sealedText(store)
        let reader = try folder.open(isReadOnly: true)
        try reader.atOneMoment { () throws(KithError) in
            _ = try reading { () throws(StoreError) in try reader.allRows(.entry) }
            do { try erase(store) } catch { throw .closed }
        }
        #expect(try isInFiles(sealed))
        try store.commit(.put(.entry, owner: 1, item: 2, "something else"))
        #expect(try !isInFiles(sealed))
    }
}
