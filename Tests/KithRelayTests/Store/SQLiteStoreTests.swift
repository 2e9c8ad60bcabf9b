import CSQLite
import Crypto
import Foundation
import KithWire
import TestSupport
import Testing

@testable import KithRelay

/// The guarantees of a store on disk.
@Suite("The SQLite store")
struct SQLiteStoreTests {
    private func open(_ folder: TemporaryFolder, _ tuning: StoreTuning = .tight) throws -> SQLiteStore {
        try openStore(folder, tuning)
    }

    @Test("the connection that commits has synchronous = FULL")
    func synchronousIsFull() async throws {
        let folder = TemporaryFolder()
        for _ in 0..<2 {
            let store = try open(folder)
            #expect(try await store.synchronousMode() == 2)
            await store.close()
        }
    }

    @Test("only the owner can read its files")
    func fileModes() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        await store.mustCommit(TestChannel().create())
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == ["relay.sqlite", "relay.sqlite-wal", "relay.sqlite-shm", "relay.lock"])
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(folder.path) == 0o700)
        for file in files { #expect(try mode("\(folder.path)/\(file)") == 0o600, "\(file)") }
        await store.close()
    }

    @Test("all data survives closing and a missing close")
    func reopen() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder, StoreTuning())
        var channel = TestChannel()
        var closed = TestChannel()
        let name = try #require(Name("bob"))
        let record = try NameRecord(name: name, version: 3, content: [9], signedBy: Curve25519.Signing.PrivateKey())
        await store.mustCommit(
            channel.create(), closed.create(), closed.append(), .close(channel: closed.id, lastSeq: 1),
            .register(record: record, replacing: nil, atMs: 1_000),
            .deposit(channel: channel.id, keyPackages: [keyPackage("a")], lastResort: nil, shelfVersion: 0, atMs: 1_000)
        )
        for _ in 0..<100 { await store.mustCommit(channel.append(), channel.turn(), channel.append()) }
        await store.mustCommit(.trim(channel: channel.id, firstSeq: 80))
        let head = try await store.head(of: channel.id)
        let totals = try await store.statistics()

        func check(_ store: SQLiteStore) async throws {
            #expect(try await store.head(of: channel.id) == head)
            #expect(try await store.head(of: closed.id)?.isClosed == true)
            #expect(try await store.allEntries(of: channel.id) == Array(channel.entries[79...]))
            #expect(try await store.record(under: name)?.record == record)
            #expect(try await store.shelf(of: channel.id).next?.bytes == keyPackage("a"))
            var statistics = try await store.statistics()
            statistics.diskBytes = totals.diskBytes
            #expect(statistics == totals)
        }
        try await check(store)
        let copy = try folder.crashed()
        let recovered = try open(copy)
        #expect(recovered.relayID == store.relayID)
        try await check(recovered)
        await recovered.close()
        await store.close()
        let again = try open(folder)
        #expect(again.relayID == store.relayID)
        try await check(again)
        await again.mustCommit(channel.append())
        #expect(try await again.allEntries(of: channel.id) == Array(channel.entries[79...]))
        await again.close()
    }

    @Test("the log is preallocated, and data committed before and after survives, also a crash")
    func roomInLog() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder, StoreTuning())
        var channel = TestChannel()
        await store.mustCommit(channel.create(), channel.append())
        let room = UInt64(StoreTuning().checkpointBytes)
        try await eventually("the log is preallocated") {
            StoreFolder.size(of: folder.database + "-wal") >= room
        }
        for _ in 0..<100 { await store.mustCommit(channel.append()) }
        // Commits overwrote the preallocated bytes and did not extend the file.
        #expect(StoreFolder.size(of: folder.database + "-wal") < room + room / 8)
        let crashed = try open(folder.crashed(), StoreTuning())
        #expect(try await crashed.allEntries(of: channel.id) == channel.entries)
        await crashed.close()
        await store.close()
        let again = try open(folder)
        #expect(try await again.allEntries(of: channel.id) == channel.entries)
        await again.close()
    }

    @Test("a second opener is refused until the first one has closed")
    func secondOpener() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        #expect(throws: StoreOpenError.inUse(folder: folder.path)) {
            try SQLiteStore(folder: folder.path, eventLoop: sharedLoop())
        }
        await store.close()
        let again = try open(folder)
        await again.close()
    }

    @Test("a file of a newer version or another program is refused and not changed")
    func foreignFiles() async throws {
        for (sql, error) in [
            ("PRAGMA application_id = 1265202280; PRAGMA user_version = 99; CREATE TABLE t (a)", "newer version"),
            ("CREATE TABLE t (a)", "not the store"),
        ] {
            let folder = TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            var database: OpaquePointer?
            sqlite3_open(folder.database, &database)
            sqlite3_exec(database, sql, nil, nil, nil)
            sqlite3_close(database)
            let before = try Data(contentsOf: URL(fileURLWithPath: folder.database))
            let thrown = #expect(throws: StoreOpenError.self) { try open(folder) }
            #expect(thrown?.description.contains(error) == true)
            #expect(thrown?.description.contains(folder.database) == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == before)
        }
    }

    @Test("the error about a damaged file names it, and the file is not changed")
    func damagedFile() async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let garbage = Data(repeating: 0x5a, count: 50_000)
        try garbage.write(to: URL(fileURLWithPath: folder.database))
        let thrown = #expect(throws: StoreOpenError.self) { try open(folder) }
        #expect(thrown?.description.contains(folder.database) == true)
        #expect(thrown?.description.contains("damaged") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == garbage)
    }

    @Test("damage within a channel is reported, and other channels still work")
    func damagedChannel() async throws {
        let folder = TemporaryFolder()
        var store = try open(folder)
        var channel = TestChannel()
        var other = TestChannel()
        await store.mustCommit(
            [channel.create(), other.create()] + (0..<100).flatMap { _ in [channel.append(), other.append()] })
        await store.close()
        var database: OpaquePointer?
        sqlite3_open(folder.database, &database)
        let sql = """
            UPDATE entry SET seq = seq + 1000 WHERE channel = 1;
            UPDATE epoch SET read_grant = x'00' WHERE channel = 1
            """
        #expect(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK)
        sqlite3_close(database)

        store = try open(folder)
        await #expect(throws: StoreFailure.self) { try await store.head(of: channel.id) }
        await #expect(throws: StoreFailure.self) { try await store.allEntries(of: channel.id) }
        let outcomes = await store.commit([channel.append(), other.append()])
        #expect(outcomes[0] == .failed(.damaged("a grant has the wrong length")))
        #expect(outcomes[1] == .committed)
        #expect(try await store.allEntries(of: other.id) == other.entries)
        await store.close()
    }

    @Test("a full disk fails commits, reads still work, and commits work again once there is room, without a restart")
    func full() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        var channel = TestChannel()
        await store.mustCommit([channel.create()] + (0..<100).map { _ in channel.append() })
        try await store.limitPages(more: 0)
        for _ in 0..<3 {
            var refused = channel
            let big = Array(repeating: UInt8(1), count: 100_000)
            #expect(
                await store.commit([refused.append(), refused.append(big), refused.turn()])
                    == [.failed(.full), .failed(.full), .failed(.full)])
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
            #expect(try await store.head(of: channel.id)?.lastSeq == 100)
            #expect(try await store.statistics().entries == 100)
        }
        try await store.limitPages(more: nil)
        await store.mustCommit(channel.append(), channel.turn(), channel.append())
        #expect(try await store.allEntries(of: channel.id) == channel.entries)
        let copy = try open(folder.crashed())
        #expect(try await copy.allEntries(of: channel.id) == channel.entries)
        await copy.close()
        await store.close()
    }

    @Test("the rows of a closed channel are deleted, even if the relay stops before")
    func lazyDeletion() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        var channel = TestChannel()
        let secret = Array("drop me without a trace, please".utf8)
        await store.mustCommit(channel.create())
        for _ in 0..<50 { await store.mustCommit((0..<100).map { _ in channel.append(secret) }) }
        await store.mustCommit(.close(channel: channel.id, lastSeq: 5_000))
        let copy = try folder.crashed()
        await store.close()

        let recovered = try open(copy)
        #expect(try await recovered.head(of: channel.id)?.isClosed == true)
        try await recovered.finishHousekeeping()
        #expect(try await recovered.number("SELECT count(*) FROM entry") == 0)
        #expect(try await recovered.number("SELECT count(*) FROM entry_block") == 0)
        #expect(try await recovered.number("SELECT count(*) FROM dropped") == 0)
        await recovered.close()
        let file = try Data(contentsOf: URL(fileURLWithPath: copy.database))
        #expect(file.range(of: Data(secret)) == nil)
    }

    @Test("reads see consistent channels while entries are added and dropped")
    func concurrentReads() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        let channel = TestChannel()
        let id = channel.id
        await store.mustCommit(channel.create())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var channel = channel
                for _ in 0..<300 {
                    await store.mustCommit((0..<20).map { _ in channel.append() })
                    await store.mustCommit(.trim(channel: id, firstSeq: max(201, channel.lastSeq) - 200))
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<300 {
                        let entries = try await store.entries(of: id, from: 1, through: .max, maximumBytes: 1 << 20)
                        let seqs = entries.map(\.seq)
                        #expect(seqs == seqs.first.map { first in (0..<UInt64(seqs.count)).map { first + $0 } } ?? [])
                        _ = try await store.entryIDs(of: id, receivedSinceMs: 0)
                    }
                }
            }
            try await group.waitForAll()
        }
        await store.close()
    }

    @Test("the write-ahead log is copied during commits, and starts over")
    func copiedLog() async throws {
        let folder = TemporaryFolder()
        var tuning = StoreTuning.tight
        // The limit at which the writer itself copies the log is never reached.
        tuning.checkpointNowBytes = .max
        let store = try open(folder, tuning)
        var channel = TestChannel()
        await store.mustCommit(channel.create())
        let payload = Array(repeating: UInt8(1), count: 1_000)
        for _ in 0..<20 {
            let before = StoreFolder.size(of: folder.database)
            for _ in 0..<20 { await store.mustCommit((0..<10).map { _ in channel.append(payload) }) }
            try await eventually("the log is copied") {
                await store.mustCommit(channel.append())
                return try await store.walBytes() < tuning.checkpointBytes
            }
            #expect(StoreFolder.size(of: folder.database) > before)
        }
        // The commits wrote three times as much.
        #expect(StoreFolder.size(of: folder.database + "-wal") < 4 << 20)
        #expect(try await store.allEntries(of: channel.id) == channel.entries)
        let crashed = try open(folder.crashed())
        #expect(try await crashed.allEntries(of: channel.id) == channel.entries)
        await crashed.close()
        await store.close()
    }

    @Test("channels that do not fit into memory lose no entry, and neither do their open blocks")
    func manyChannels() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        var channels = (0..<50).map { _ in TestChannel() }
        await store.mustCommit(channels.map { $0.create() })
        // Each channel is evicted between two entries, and grows past the end of a block.
        for _ in 0..<130 { await store.mustCommit(channels.indices.map { channels[$0].append() }) }
        for channel in channels {
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
            let ids = try await store.entryIDs(of: channel.id, receivedSinceMs: 0)
            #expect(ids.map(\.id) == channel.entries.map(\.id))
        }
        // A channel that was read stays in memory and continues from there.
        for index in channels.indices {
            await store.mustCommit(channels[index].append())
            #expect(try await store.allEntries(of: channels[index].id) == channels[index].entries)
        }
        await store.close()
        let again = try open(folder)
        for channel in channels { #expect(try await again.allEntries(of: channel.id) == channel.entries) }
        await again.close()
    }

    @Test("the write-ahead log stays bounded while commits go on")
    func boundedLog() async throws {
        let folder = TemporaryFolder()
        let store = try open(folder)
        var channel = TestChannel()
        await store.mustCommit(channel.create())
        let payload = Array(repeating: UInt8(1), count: 10_000)
        for _ in 0..<300 { await store.mustCommit((0..<10).map { _ in channel.append(payload) }) }
        #expect(StoreFolder(path: folder.path).diskBytes > 25 << 20)
        #expect(StoreFolder.size(of: StoreFolder(path: folder.path).wal) < 8 << 20)
        await store.close()
    }
}

/// Opens a store that may have been open a moment ago. A process that another test is starting has a copy of every
/// descriptor until it executes its program, and so it holds the lock.
func openStore(_ folder: TemporaryFolder, _ tuning: StoreTuning = StoreTuning()) throws -> SQLiteStore {
    for _ in 0..<9_000 {
        do { return try SQLiteStore(folder: folder.path, eventLoop: sharedLoop(), tuning: tuning) } catch .inUse {
            // Only limits the rate of retries.
            usleep(20_000)
        }
    }
    return try SQLiteStore(folder: folder.path, eventLoop: sharedLoop(), tuning: tuning)
}
