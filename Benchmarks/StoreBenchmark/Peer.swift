import Foundation
import GRDB
import GRDBSQLite
import TestSupport

/// Plain SQLite with the same rows and the same durability, in the obvious layouts.
enum Peer: String, CaseIterable {
    case clustered = "plain SQLite, clustered by (channel, seq)"
    case indexed = "plain SQLite, rowid table with a (channel, seq) index"
    case bare = "plain SQLite, rowid table without an index"
    case grdb = "GRDB, rowid table without an index"

    private var schema: String {
        let columns =
            "channel INTEGER, seq INTEGER, epoch INTEGER, kind INTEGER, received INTEGER, id BLOB, payload BLOB"
        return switch self {
        case .clustered: "CREATE TABLE entry (\(columns), PRIMARY KEY (channel, seq)) WITHOUT ROWID"
        case .indexed: "CREATE TABLE entry (\(columns)); CREATE UNIQUE INDEX place ON entry (channel, seq)"
        case .bare, .grdb: "CREATE TABLE entry (\(columns))"
        }
    }

    private static let insert = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
    private static let channels = 10_000

    func measure(_ count: Int, _ workshop: Workshop) throws -> Figure {
        let path = workshop.file("peer-\(self).sqlite")
        return self == .grdb ? try measureGRDB(count, path) : measureSQLite(count, path)
    }

    private func measureSQLite(_ count: Int, _ path: String) -> Figure {
        var database: OpaquePointer?
        sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
        sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \(schema)", nil, nil, nil)
        var statement: OpaquePointer?
        sqlite3_prepare_v2(database, Peer.insert, -1, &statement, nil)
        let payload = (0..<300).map { _ in UInt8.random(in: 0...255) }
        var seqs = Array(repeating: Int64(0), count: Peer.channels)
        var random = SeededGenerator(seed: .random(in: .min ... .max))
        var latencies = Latencies()
        let start = ContinuousClock.now
        for _ in 0..<count / 1_000 {
            let before = ContinuousClock.now
            sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil)
            for _ in 0..<1_000 {
                let channel = Int.random(in: 0..<Peer.channels, using: &random)
                seqs[channel] += 1
                sqlite3_bind_int64(statement, 1, Int64(channel))
                sqlite3_bind_int64(statement, 2, seqs[channel])
                sqlite3_bind_int64(statement, 3, 0)
                sqlite3_bind_int64(statement, 4, 1)
                sqlite3_bind_int64(statement, 5, 1_700_000_000_000)
                payload.withUnsafeBytes { bytes in
                    _ = sqlite3_bind_blob(statement, 6, bytes.baseAddress, 16, nil)
                    _ = sqlite3_bind_blob(statement, 7, bytes.baseAddress, 300, nil)
                    if sqlite3_step(statement) != SQLITE_DONE { fatalError("an insert of a peer failed") }
                    sqlite3_reset(statement)
                }
            }
            if sqlite3_exec(database, "COMMIT", nil, nil, nil) != SQLITE_OK { fatalError("a commit of a peer failed") }
            latencies.add(ContinuousClock.now - before)
        }
        let figure = latencies.figure(count: count, in: ContinuousClock.now - start)
        sqlite3_finalize(statement)
        sqlite3_close(database)
        return figure
    }

    private func measureGRDB(_ count: Int, _ path: String) throws -> Figure {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { try $0.execute(sql: schema) }
        let payload = Data((0..<300).map { _ in UInt8.random(in: 0...255) })
        let id = payload.prefix(16)
        var seqs = Array(repeating: Int64(0), count: Peer.channels)
        var random = SeededGenerator(seed: .random(in: .min ... .max))
        var latencies = Latencies()
        let start = ContinuousClock.now
        for _ in 0..<count / 1_000 {
            let before = ContinuousClock.now
            try queue.write { database in
                let statement = try database.cachedStatement(sql: Peer.insert)
                for _ in 0..<1_000 {
                    let channel = Int.random(in: 0..<Peer.channels, using: &random)
                    seqs[channel] += 1
                    try statement.execute(arguments: [channel, seqs[channel], 0, 1, 1_700_000_000_000, id, payload])
                }
            }
            latencies.add(ContinuousClock.now - before)
        }
        return latencies.figure(count: count, in: ContinuousClock.now - start)
    }
}
