import CSQLite
import Crypto
import Foundation
import KithWire
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import KithRelay

/// The stores that must behave alike.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case sqlite
    /// SQLite with limits so low that a few entries reach all of them.
    case tightSQLite

    var testDescription: String { rawValue }

    /// Calls `body` with an empty store, and closes the store.
    func withStore(_ body: (any ChannelStore) async throws -> Void) async throws {
        let folder = TemporaryFolder()
        let store: any ChannelStore =
            switch self {
            case .memory: MemoryStore()
            case .sqlite: try openStore(folder)
            case .tightSQLite: try openStore(folder, .tight)
            }
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

extension StoreTuning {
    static let tight = StoreTuning(
        entriesPerSweep: 40, cachedChannelStates: 4, openReferences: 8, checkpointBytes: 64 << 10,
        checkpointNowBytes: 256 << 10)
}

/// One of the event loops that stores share. Commits wait for the disk, so they do not use the loops that serve
/// sockets.
func sharedLoop() -> any EventLoop { storeLoops.next() }
private let storeLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

extension TemporaryFolder {
    var database: String { path + "/relay.sqlite" }

    /// Changes the file, with or without an open store.
    func execute(_ sql: String) throws {
        var database: OpaquePointer?
        #expect(sqlite3_open(self.database, &database) == SQLITE_OK)
        defer { sqlite3_close(database) }
        sqlite3_busy_timeout(database, 60_000)
        #expect(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK)
    }

    /// The number that a query on the file returns.
    func number(_ sql: String) throws -> UInt64? {
        try SQLiteConnection(path: database, mode: .readOnly).number(sql)
    }

    /// A copy of the current files: the state that a crash of the machine would leave.
    func crashed() throws -> TemporaryFolder {
        let copy = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
        func content(_ file: String) -> Data? { FileManager.default.contents(atPath: file) }
        // Both files must be of one moment. If the log does not change, it has all pages that a checkpoint may be
        // copying.
        var log: Data?
        repeat {
            log = content(database + "-wal")
            try content(database)?.write(to: URL(fileURLWithPath: copy.database))
        } while log != content(database + "-wal")
        try log?.write(to: URL(fileURLWithPath: copy.database + "-wal"))
        return copy
    }
}

extension Access {
    static func random() -> Access {
        Access(read: Grant(for: .random()), append: Grant(for: .random()), turn: Grant(for: .random()))
    }
}

/// A channel in a test, which generates mutations that should succeed.
struct TestChannel {
    var id = ChannelID.random()
    var access = Access.random()
    var epoch: UInt64 = 0
    var entries: [Entry] = []
    var lastSeq: UInt64 = 0

    func create(retentionSeconds: UInt32 = 3_600) -> StoreMutation {
        .create(channel: id, access: access, retentionSeconds: retentionSeconds, atMs: 1_000)
    }

    mutating func append(_ payload: [UInt8] = Array("hello".utf8), atMs: UInt64 = 2_000) -> StoreMutation {
        let entry = next(.message, payload, atMs: atMs)
        return .append(channel: id, entry: entry, nextAccess: nil)
    }

    mutating func turn(atMs: UInt64 = 2_000) -> StoreMutation {
        let entry = next(.turn, Array("commit".utf8), atMs: atMs)
        access = .random()
        epoch += 1
        return .append(channel: id, entry: entry, nextAccess: access)
    }

    private mutating func next(_ kind: EntryKind, _ payload: [UInt8], atMs: UInt64) -> Entry {
        lastSeq += 1
        let entry = Entry(
            seq: lastSeq, epoch: epoch, kind: kind, receivedAtMs: atMs, id: .random(), payload: payload[...])
        entries.append(entry)
        return entry
    }
}

extension ChannelStore {
    /// Commits mutations that have to succeed.
    func mustCommit(_ mutations: StoreMutation..., sourceLocation: SourceLocation = #_sourceLocation) async {
        await mustCommit(mutations, sourceLocation: sourceLocation)
    }

    func mustCommit(_ mutations: [StoreMutation], sourceLocation: SourceLocation = #_sourceLocation) async {
        let outcomes = await commit(mutations)
        #expect(outcomes.allSatisfy { $0 == .committed }, "\(outcomes)", sourceLocation: sourceLocation)
    }

    /// All entries of a channel.
    func allEntries(of channel: ChannelID, batch: Int = 1 << 20) async throws -> [Entry] {
        var all: [Entry] = []
        var next: UInt64 = 1
        while true {
            let entries = try await entries(of: channel, from: next, through: .max, maximumBytes: batch)
            guard let last = entries.last else { return all }
            all += entries
            next = last.seq + 1
        }
    }

    /// Expires until no entry is due.
    func expireAll(nowMs: UInt64) async throws -> [ChannelID: UInt64] {
        var fronts: [ChannelID: UInt64] = [:]
        while true {
            let some = try await expire(nowMs: nowMs)
            if some.isEmpty { return fronts }
            for (channel, firstSeq) in some { fronts[channel] = firstSeq }
        }
    }
}

func keyPackage(_ text: String) -> KeyPackageBytes { KeyPackageBytes(Array(text.utf8)[...]) }
