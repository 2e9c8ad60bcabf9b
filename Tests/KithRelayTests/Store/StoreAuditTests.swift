import CSQLite
import Crypto
import Foundation
import KithSupport
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("The audit of a store")
struct StoreAuditTests {
    private func rows(_ folder: TemporaryFolder, entriesPerChannel: UInt64? = nil) throws -> [AuditRow] {
        var rows: [AuditRow] = []
        try StoreAudit(folder: folder.path).forEachRow(entriesPerChannel: entriesPerChannel) { rows.append($0) }
        return rows
    }

    @Test("an audit shows every row of a running relay, and the same after it has stopped")
    func everyRow() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var channel = TestChannel()
        var closed = TestChannel()
        let name = try #require(Name("carol"))
        let key = Curve25519.Signing.PrivateKey()
        let record = try NameRecord(name: name, version: 7, content: [1, 2], signedBy: key)
        await store.mustCommit(
            channel.create(), closed.create(), closed.append(), .close(channel: closed.id, lastSeq: 1),
            .deposit(
                channel: channel.id, keyPackages: [keyPackage("abc")], lastResort: keyPackage("defgh"), shelfVersion: 0,
                atMs: 1_000),
            .register(record: record, replacing: nil, atMs: 1_000))
        for _ in 0..<70 { await store.mustCommit(channel.append(atMs: 1_700_000_000_000)) }
        await store.mustCommit(channel.turn(), channel.append([]))

        let live = try rows(folder)
        let entries = live.compactMap { row -> AuditRow.EntryRow? in
            if case .entry(let entry) = row { return entry }
            return nil
        }
        #expect(entries.map(\.seq) == Array(1...72))
        #expect(entries.map(\.id) == channel.entries.map { Hex.encode($0.id.bytes) })
        #expect(live.contains { $0.text.contains("entry 71, epoch 0, turn, received") })
        #expect(live.contains { $0.text.contains("received 2023-11-14 22:13:20 UTC, 5 bytes") })
        #expect(live.contains { $0.text.contains("key package of last resort, 5 bytes") })
        #expect(live.contains { $0.text.contains("closed; holds nothing") })
        #expect(live.contains { $0.text.contains("name carol: record version 7, 2 bytes") })
        #expect(live.contains { $0.text.contains("turn \(Hex.encode(channel.access.turn.bytes))") })
        for row in live {
            let object = try JSONSerialization.jsonObject(with: Data(row.json.utf8)) as? [String: Any]
            #expect(object?["kind"] is String)
        }
        #expect(try rows(folder, entriesPerChannel: 3).count == live.count - 69)
        await store.close()
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        // The store's own row has the size of the files, which closing has changed.
        #expect(try Array(rows(folder).dropFirst()) == Array(live.dropFirst()))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == before)
    }

    @Test("an audit reads a store after a crash")
    func afterCrash() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var channel = TestChannel()
        await store.mustCommit(channel.create(), channel.append(), channel.append())
        let copy = try folder.crashed()
        await store.close()
        #expect(try rows(copy).count == 5)
    }

    @Test("no read is open while the caller looks at a row, so the relay's write-ahead log can start over")
    func patient() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var channel = TestChannel()
        let name = try #require(Name("carol"))
        let record = try NameRecord(
            name: name, version: 7, content: [1, 2], signedBy: Curve25519.Signing.PrivateKey())
        await store.mustCommit(
            channel.create(), channel.append(), channel.turn(), channel.append(),
            .deposit(
                channel: channel.id, keyPackages: [keyPackage("abc")], lastResort: keyPackage("d"), shelfVersion: 0,
                atMs: 1_000),
            .register(record: record, replacing: nil, atMs: 1_000))
        let copy = try folder.crashed()
        await store.close()
        let relay = try SQLiteConnection(path: copy.database, mode: .readWrite)
        var rows = 0
        try StoreAudit(folder: copy.path).forEachRow { row in
            rows += 1
            try relay.execute("UPDATE store SET names = names")
            // A log can be truncated only while no connection reads it.
            #expect(sqlite3_wal_checkpoint_v2(relay.handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil) == SQLITE_OK)
        }
        #expect(rows == 10)
    }

    @Test("rows read in several pieces are all shown, except those dropped meanwhile")
    func pieces() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var channel = TestChannel()
        await store.mustCommit(channel.create())
        for _ in 0..<12 { await store.mustCommit((0..<100).map { _ in channel.turn() }) }
        let packages = (0..<600).map { keyPackage("\($0)") }
        await store.mustCommit(
            .deposit(channel: channel.id, keyPackages: packages, lastResort: nil, shelfVersion: 0, atMs: 1_000))
        let copy = try folder.crashed()
        await store.close()
        let all = try rows(copy)
        #expect(all.filter { if case .epoch = $0 { true } else { false } }.count == 1_201)
        #expect(all.filter { if case .entry = $0 { true } else { false } }.count == 1_200)
        #expect(all.filter { if case .keyPackage = $0 { true } else { false } }.count == 600)

        let relay = try openStore(copy)
        await relay.mustCommit(.close(channel: channel.id, lastSeq: 1_200))
        await relay.close()
        #expect(try rows(copy).count == 3)
    }

    @Test("an audit refuses a folder without a store, and creates no file there")
    func noStore() throws {
        let folder = TemporaryFolder()
        #expect(throws: StoreOpenError.self) { try StoreAudit(folder: folder.path) }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }
}
