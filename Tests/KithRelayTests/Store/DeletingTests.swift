import KithWire
import TestSupport
import Testing

@testable import KithRelay

@Suite("Deferred deletion")
struct DeletingTests {
    /// A store's writer alone: rows are deleted only when the test says so.
    private struct Bare {
        let folder = TemporaryFolder()
        let writer: LogWriter

        init() throws {
            let files = StoreFolder(path: folder.path)
            try files.create()
            let connection = try StoreSchema.openWriter(files)
            writer = try LogWriter(
                connection: connection, recovered: LogRecovery(connection), tuning: StoreTuning())
        }

        func mustCommit(_ mutations: [StoreMutation]) {
            #expect(writer.commit(mutations).allSatisfy { $0 == .committed })
        }

        func count(_ table: String) throws -> UInt64? {
            try writer.connection.number("SELECT count(*) FROM \(table)")
        }

        /// The bytes that deletion would have to overwrite.
        func bytes() throws -> Int {
            let sql = """
                SELECT (SELECT coalesce(sum(length(payload)), 0) FROM entry)
                    + (SELECT coalesce(sum(length(bytes)), 0) FROM key_package)
                    + \(StoreLimits.rowBytes) * (SELECT count(*) FROM epoch)
                """
            return Int(try #require(try writer.connection.number(sql)))
        }

        /// Does the deferred work, and checks each step. Returns the number of steps.
        func finish() throws -> Int {
            for step in 0..<1_000 {
                let before = try bytes()
                guard try writer.performMaintenance() else { return step }
                #expect(try before - bytes() <= StoreLimits.deletedBytesOfIdleCommit + WireLimits.payload)
            }
            Issue.record("it never ends")
            return 0
        }
    }

    /// The bytes that one commit may delete: as much for its own drops as for earlier ones.
    private let most = 2 * StoreLimits.deletedBytesPerCommit + WireLimits.payload
    private let payload = [UInt8](repeating: 7, count: 200_000)

    @Test("a closed channel's large entries and key packages are deleted some MiB at a time")
    func closed() throws {
        let bare = try Bare()
        var channel = TestChannel()
        bare.mustCommit([channel.create()] + (0..<60).map { _ in channel.append(payload) })
        let packages = (0..<100).map { _ in KeyPackageBytes([UInt8](repeating: 8, count: 60_000)[...]) }
        bare.mustCommit([
            .deposit(
                channel: channel.id, keyPackages: packages, lastResort: keyPackage("last"), shelfVersion: 0, atMs: 1_000
            )
        ])
        let before = try bare.bytes()
        bare.mustCommit([.close(channel: channel.id, lastSeq: 60)])
        #expect(try before - bare.bytes() <= most)
        #expect(bare.writer.totals == StoreTotals())
        #expect(try bare.finish() > 2)
        for table in ["entry", "entry_block", "dropped", "key_package", "shelf"] { #expect(try bare.count(table) == 0) }
        #expect(try bare.count("epoch") == 1)
    }

    @Test("the entries of many channels that expire together are deleted some MiB at a time, and kept ones stay")
    func expired() throws {
        let bare = try Bare()
        var channels = (0..<10).map { _ in TestChannel() }
        bare.mustCommit(channels.map { $0.create() })
        for index in channels.indices {
            // The last complete block, and an open one of which the first half is dropped.
            bare.mustCommit((0..<64).map { _ in channels[index].append([1]) })
            bare.mustCommit((0..<20).map { _ in channels[index].append(payload) })
        }
        let before = try bare.bytes()
        let due = channels.map { DueChannel(id: $0.id, firstSeq: 75, dueMs: 0) }
        #expect(try bare.writer.expire(due).count == 10)
        #expect(try before - bare.bytes() <= most)
        // A second trim, before the first is finished, continues past the end of the block.
        for index in channels.indices {
            bare.mustCommit([.trim(channel: channels[index].id, firstSeq: 80)])
            bare.mustCommit((0..<60).map { _ in channels[index].append([2]) })
        }
        _ = try bare.finish()
        #expect(try bare.count("dropped") == 0)
        #expect(try bare.count("entry") == 10 * 65)
        for channel in channels {
            let state = try #require(try bare.writer.channel(channel.id)).state
            let entries = try bare.writer.reader.entries(
                of: state, from: 80, through: channel.lastSeq, maximumBytes: .max)
            #expect(entries == Array(channel.entries[79...]))
        }
    }

    @Test("the epochs of a channel that only turned are deleted some at a time, except those still remembered")
    func epochs() throws {
        let bare = try Bare()
        var (closed, trimmed) = (TestChannel(), TestChannel())
        bare.mustCommit([closed.create(), trimmed.create()])
        for _ in 0..<12 { bare.mustCommit((0..<1_000).flatMap { _ in [closed.turn(), trimmed.turn()] }) }
        let before = try bare.bytes()
        bare.mustCommit([
            .close(channel: closed.id, lastSeq: 12_000), .trim(channel: trimmed.id, firstSeq: 12_001),
        ])
        #expect(try before - bare.bytes() <= most)
        _ = try bare.finish()
        #expect(try bare.count("epoch") == 1 + 1 + StoreLimits.trimmedEpochs)
        #expect(try bare.writer.reader.channel(closed.id)?.head.access == closed.access)
        #expect(try bare.writer.reader.epoch(11_000, of: trimmed.id) != nil)
    }
}
