import Foundation
import GRDB
import GRDBSQLite
import KithSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A damaged or altered vault")
struct VaultDamageTests {
    private let folder = VaultFolder()

    /// A vault with a value in each of four places.
    private func make() throws {
        let store = try folder.create()
        try store.commit(.put(.entry, owner: 1, item: 1, "first"))
        try store.commit(.put(.entry, owner: 1, item: 2, "secnd"))
        try store.commit(.put(.entry, owner: 2, item: 1, "third"))
        try store.commit(.put(.contact, item: 1, "fourth"))
        try store.close()
    }

    @Test(
        "a value does not open in another place",
        arguments: [
            "UPDATE entry SET value = (SELECT value FROM entry WHERE owner = 1 AND item = 2) WHERE owner = 1 AND item = 1",
            "UPDATE entry SET value = (SELECT value FROM entry WHERE owner = 2) WHERE owner = 1 AND item = 1",
            "UPDATE entry SET value = (SELECT value FROM contact) WHERE owner = 1 AND item = 1",
            "DELETE FROM entry WHERE item = 1; UPDATE entry SET item = 1",
            "DELETE FROM entry WHERE owner = 1; UPDATE entry SET owner = 1",
        ])
    func moved(sql: String) throws {
        try make()
        try folder.sql(sql)
        let store = try folder.open()
        #expect(throws: StoreError.damaged(.entry)) { try store.text(.entry, owner: 1, item: 1) }
        #expect(throws: StoreError.damaged(.entry)) { try store.allValues(.entry) }
        #expect(throws: StoreError.damaged(.entry)) { try store.values(.entry, owner: 1) }
        #expect(try store.text(.contact, item: 1) == "fourth")
    }

    @Test("a value of another vault does not open")
    func foreign() throws {
        try make()
        let other = VaultFolder()
        try other.create().close()
        try other.sql("ATTACH '\(folder.vault.path)' AS a; INSERT INTO contact SELECT * FROM a.contact")
        let store = try other.open()
        #expect(throws: StoreError.damaged(.contact)) { try store.text(.contact, item: 1) }
    }

    @Test(
        "a value that was cut, changed or exchanged does not open, and can be replaced",
        arguments: [
            "substr(value, 1, length(value) - 1)", "substr(value, 2)", "value || x'00'", "x''", "zeroblob(28)",
            "zeroblob(100000)", "'text'", "7", "1.5",
        ])
    func changed(expression: String) throws {
        try make()
        try folder.sql("UPDATE contact SET value = \(expression)")
        let store = try folder.open()
        #expect(throws: StoreError.damaged(.contact)) { try store.text(.contact, item: 1) }
        try store.commit(.put(.contact, item: 1, "again"))
        #expect(try store.text(.contact, item: 1) == "again")
    }

    @Test("impossible numbers and values in the file are reported as damage")
    func nulls() throws {
        try make()
        try folder.sql(
            """
            DROP TABLE contact; CREATE TABLE contact (owner, item, value);
            DROP TABLE relay; CREATE TABLE relay (owner, item, value);
            DROP TABLE inbox; CREATE TABLE inbox (owner, item, value);
            INSERT INTO contact VALUES (NULL, 1, x'00'); INSERT INTO relay VALUES (0, 'one', x'00');
            INSERT INTO inbox VALUES (-1, 1, x'00');
            """)
        let store = try folder.open()
        for table in [StoreTable.contact, .relay, .inbox] {
            #expect(throws: StoreError.damaged(table)) { try store.allValues(table) }
        }
    }

    @Test("every changed byte of the header is detected, and the vault stays unchanged")
    func header() throws {
        try make()
        let header = try VaultDatabase(opening: folder.vault).header()
        for index in header.indices {
            var bad = header
            bad[index] ^= 0x10
            try setHeader(bad)
            let before = try folder.contents()
            let expected = KithError.store(index == 0 ? .version(UInt32(bad[0])) : .damagedHeader)
            #expect(throws: expected, "byte \(index)") { try folder.open() }
            #expect(try folder.contents() == before, "byte \(index)")
        }
        for bad in [[], Array(header.dropLast()), header + [0]] {
            try setHeader(bad)
            #expect(throws: KithError.store(.damagedHeader)) { try folder.open() }
        }
        try setHeader(header)
        #expect(try folder.open().text(.contact, item: 1) == "fourth")
    }

    private func setHeader(_ bytes: [UInt8]) throws {
        let digits = Hex.encode(bytes)
        try folder.sql("UPDATE vault SET header = x'\(digits)'")
    }

    @Test("scrypt costs above the limit or far too low are refused")
    func scryptBounds() {
        typealias Cost = ScryptParameters.Cost
        for (cost, isAllowed) in [
            (Cost.standard, true), (.cheap, true), (Cost(logRounds: 20, blockSize: 8, parallelism: 1), true),
            (Cost(logRounds: 21, blockSize: 8, parallelism: 1), false),
            (Cost(logRounds: 255, blockSize: 255, parallelism: 255), false),
            (Cost(logRounds: 63, blockSize: 1, parallelism: 1), false),
            (Cost(logRounds: 9, blockSize: 8, parallelism: 1), false),
            (Cost(logRounds: 17, blockSize: 0, parallelism: 1), false),
            (Cost(logRounds: 17, blockSize: 8, parallelism: 0), false),
            (Cost(logRounds: 10, blockSize: 8, parallelism: 17), false),
        ] { #expect(cost.isAllowed == isAllowed, "\(cost)") }
        #expect(throws: (any Error).self) {
            try ScryptParameters(decoding: ScryptParameters(Cost(logRounds: 25, blockSize: 8, parallelism: 1)).encoded)
        }
    }

    @Test("a file that is no database, or another program's, is reported and left unchanged")
    func foreignFiles() throws {
        try make()
        let good = Array(try Data(contentsOf: folder.vault))
        let page = good.prefix(4096)
        let contents: [[UInt8]] = [
            [], Array("SQLite format 3\0".utf8), Array(repeating: 0, count: 8192), Array(good.dropFirst(1)),
            Array(page.prefix(2000)), Array(page.reversed()),
        ]
        for content in contents {
            try Data(content).write(to: folder.vault)
            for isReadOnly in [false, true] {
                let error = try #require(throws: KithError.self) { try folder.open(isReadOnly: isReadOnly) }
                guard case .store(.database) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
            #expect(Array(try Data(contentsOf: folder.vault)) == content)
        }
    }

    @Test(
        "a missing or changed table is reported as damage",
        arguments: ["DROP TABLE contact", "ALTER TABLE contact RENAME value TO v"])
    func otherTables(change: String) throws {
        try make()
        try folder.sql(change)
        let error = try #require(throws: (any Error).self) { try folder.open().allValues(.contact) }
        #expect("\(error)" == "the profile's file is damaged or was altered")
    }

    @Test("another program's database is refused")
    func foreignDatabase() throws {
        try make()
        try folder.sql("PRAGMA application_id = 1")
        let before = try folder.contents()
        #expect(throws: KithError.store(.database(code: SQLITE_NOTADB))) { try folder.open() }
        #expect(try folder.contents() == before)
    }

    @Test("after a change of any byte of the file, reads return the written values or an error")
    func flippedBytes() throws {
        let store = try folder.create()
        var written: [StoredValue] = []
        for item in 1...60 as ClosedRange<UInt64> {
            let bytes = [UInt8](repeating: UInt8(item), count: Int(item) * 17)
            var transaction = StoreTransaction()
            transaction.put(StoreKey(.entry, owner: item % 3, item: item), bytes)
            try store.commit(transaction)
            written.append(StoredValue(owner: item % 3, item: item, bytes: bytes))
        }
        try store.close()
        let good = Array(try Data(contentsOf: folder.vault))
        var (opened, refused, noticed) = (0, 0, 0)
        for index in stride(from: 0, to: good.count, by: 509) {
            var bad = good
            bad[index] ^= UInt8(1 << (index % 8))
            try Data(bad).write(to: folder.vault)
            for name in try folder.names where name != "vault.db" {
                try FileManager.default.removeItem(at: folder.url.appendingPathComponent(name))
            }
            guard let store = try? folder.open() else {
                refused += 1
                continue
            }
            do throws(StoreError) {
                for owner in 0..<3 as Range<UInt64> {
                    let found = try store.values(.entry, owner: owner)
                    // A damaged tree may hide values from SQLite, but adds none.
                    #expect(found.allSatisfy(written.contains), "byte \(index)")
                }
                opened += 1
            } catch { noticed += 1 }
            try? store.close()
        }
        #expect(opened > 0 && noticed > 0 && refused > 0)
    }

    @Test("reads from a cut file fail where data is missing")
    func truncatedFile() throws {
        let store = try folder.create()
        for item in 0..<200 as Range<UInt64> {
            try store.commit(.put(.entry, item: item, String(repeating: "x", count: 300)))
        }
        try store.close()
        let good = Array(try Data(contentsOf: folder.vault))
        for pages in 1..<good.count / 4096 {
            try Data(good[..<(pages * 4096)]).write(to: folder.vault)
            #expect(throws: (any Error).self, "\(pages) pages") {
                let store = try folder.open()
                defer { try? store.close() }
                for table in StoreTable.allCases { _ = try store.allValues(table) }
            }
        }
    }
}
