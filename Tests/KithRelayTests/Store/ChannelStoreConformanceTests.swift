import Crypto
import KithRelay
import KithWire
import Testing

/// The guarantees of every store.
@Suite("Every channel store")
struct ChannelStoreConformanceTests {
    @Test("creates a channel once", arguments: StoreKind.allCases)
    func create(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let channel = TestChannel()
            #expect(try await store.head(of: channel.id) == nil)
            #expect(await store.commit([channel.create(), channel.create()]) == [.committed, .conflict])
            #expect(await store.commit([channel.create()]) == [.conflict])
            let head = try #require(try await store.head(of: channel.id))
            #expect(head == ChannelHead(created: channel.access, retentionSeconds: 3_600, atMs: 1_000))
            #expect(
                try await store.epoch(0, of: channel.id)
                    == EpochRecord(access: channel.access, firstSeq: 1, lastSeq: nil))
            #expect(try await store.epoch(1, of: channel.id) == nil)
            #expect(try await store.allEntries(of: channel.id).isEmpty)
        }
    }

    @Test("appends only after the last entry, also many in one batch", arguments: StoreKind.allCases)
    func append(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            let stray = TestChannel()
            #expect(await store.commit([channel.append()]) == [.conflict])
            channel.entries = []
            channel.lastSeq = 0
            let first = channel.append()
            await store.mustCommit([channel.create(), first] + (0..<5).map { _ in channel.append() })
            #expect(await store.commit([first]) == [.conflict])
            var ahead = channel
            _ = ahead.append()
            var lost = stray
            #expect(
                await store.commit([ahead.append(), lost.append(), channel.append()])
                    == [.conflict, .conflict, .committed])
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
            let head = try #require(try await store.head(of: channel.id))
            #expect(head.lastSeq == 7)
            #expect(head.payloadBytes == 35)
        }
    }

    @Test("refuses an entry of another epoch, and a turn without its next access", arguments: StoreKind.allCases)
    func wrongEpoch(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit(channel.create())
            let future = Entry(seq: 1, epoch: 1, kind: .message, receivedAtMs: 1, id: .random(), payload: [])
            let turn = Entry(seq: 1, epoch: 0, kind: .turn, receivedAtMs: 1, id: .random(), payload: [])
            let message = Entry(seq: 1, epoch: 0, kind: .message, receivedAtMs: 1, id: .random(), payload: [])
            let outcomes = await store.commit([
                .append(channel: channel.id, entry: future, nextAccess: nil),
                .append(channel: channel.id, entry: turn, nextAccess: nil),
                .append(channel: channel.id, entry: message, nextAccess: .random()),
            ])
            #expect(outcomes == [.conflict, .conflict, .conflict])
            await store.mustCommit(channel.append([]))
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
        }
    }

    @Test("a turn ends its epoch and opens the next", arguments: StoreKind.allCases)
    func turn(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            let first = channel.access
            await store.mustCommit(channel.create(), channel.append(), channel.turn(), channel.append())
            let second = channel.access
            await store.mustCommit(channel.turn())
            let head = try #require(try await store.head(of: channel.id))
            #expect(head.epoch == 2)
            #expect(head.access == channel.access)
            #expect(head.epochFirstSeq == 5)
            #expect(
                try await store.epoch(0, of: channel.id) == EpochRecord(access: first, firstSeq: 1, lastSeq: 2))
            #expect(
                try await store.epoch(1, of: channel.id) == EpochRecord(access: second, firstSeq: 3, lastSeq: 4))
            #expect(
                try await store.epoch(2, of: channel.id)
                    == EpochRecord(access: channel.access, firstSeq: 5, lastSeq: nil))
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
        }
    }

    @Test("reads any range, in batches of any size", arguments: StoreKind.allCases)
    func read(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            var other = TestChannel()
            await store.mustCommit(channel.create(), other.create())
            for size in 0..<150 {
                await store.mustCommit(
                    channel.append(Array(repeating: UInt8(size), count: size)), other.append(), channel.append())
            }
            for (first, last) in [(0, 300), (1, 1), (60, 70), (64, 64), (65, 128), (299, 400), (300, 300), (1, 64)] {
                let expected = channel.entries.filter { $0.seq >= first && $0.seq <= last }
                let read = try await store.entries(
                    of: channel.id, from: UInt64(first), through: UInt64(last), maximumBytes: 1 << 20)
                #expect(read == expected, "\(first) through \(last)")
            }
            for batch in [0, 1, 100, 1_000, 5_000] {
                #expect(try await store.allEntries(of: channel.id, batch: batch) == channel.entries)
            }
            #expect(try await store.allEntries(of: other.id) == other.entries)
            let none = try await store.entries(of: channel.id, from: 301, through: 400, maximumBytes: 1)
            #expect(none.isEmpty)
        }
    }

    @Test("a batch stays within its bytes, except for one entry", arguments: StoreKind.allCases)
    func batchBytes(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit(channel.create())
            for _ in 0..<100 { await store.mustCommit(channel.append(Array(repeating: 1, count: 100))) }
            for (bytes, count) in [(0, 1), (99, 1), (100, 1), (199, 1), (200, 2), (6_500, 65), (100_000, 100)] {
                let read = try await store.entries(of: channel.id, from: 1, through: .max, maximumBytes: bytes)
                #expect(read.count == count, "\(bytes) bytes")
            }
        }
    }

    @Test("returns the ids of entries received since a time", arguments: StoreKind.allCases)
    func entryIDs(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit(channel.create())
            for time in 1...200 as ClosedRange<UInt64> { await store.mustCommit(channel.append(atMs: time / 2)) }
            for since in [0, 1, 31, 32, 50, 99, 100, 101] as [UInt64] {
                let ids = try await store.entryIDs(of: channel.id, receivedSinceMs: since)
                let expected = channel.entries.filter { $0.receivedAtMs >= since }
                #expect(ids.map(\.id) == expected.map(\.id))
                #expect(ids.map(\.seq) == expected.map(\.seq))
            }
            let none = try await store.entryIDs(of: .random(), receivedSinceMs: 0)
            #expect(none.isEmpty)
        }
    }

    @Test("gives each key package out once, in order", arguments: StoreKind.allCases)
    func shelf(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let channel = TestChannel()
            await store.mustCommit(channel.create())
            #expect(try await store.shelf(of: channel.id) == KeyPackageShelf())
            let deposit = StoreMutation.deposit(
                channel: channel.id, keyPackages: [keyPackage("a"), keyPackage("b"), keyPackage("c")],
                lastResort: keyPackage("z"), shelfVersion: 0, atMs: 1_000)
            #expect(await store.commit([deposit, deposit]) == [.committed, .conflict])
            var shelf = try await store.shelf(of: channel.id)
            #expect(shelf.count == 3)
            #expect(shelf.lastResort == keyPackage("z"))
            #expect(try await store.statistics().keyPackages == 4)
            for expected in ["a", "b", "c"] {
                let next = try #require(shelf.next)
                #expect(next.bytes == keyPackage(expected))
                let withdraw = StoreMutation.withdraw(
                    channel: channel.id, position: next.position, shelfVersion: shelf.version)
                #expect(await store.commit([withdraw, withdraw]) == [.committed, .conflict])
                shelf = try await store.shelf(of: channel.id)
            }
            #expect(shelf.count == 0 && shelf.next == nil)
            #expect(shelf.version == 4)
            let more = StoreMutation.deposit(
                channel: channel.id, keyPackages: [keyPackage("d")], lastResort: nil, shelfVersion: 4, atMs: 1_000)
            await store.mustCommit(more)
            shelf = try await store.shelf(of: channel.id)
            #expect(shelf.next?.bytes == keyPackage("d"))
            #expect(shelf.lastResort == keyPackage("z"))
            let wrong = StoreMutation.withdraw(
                channel: channel.id, position: 999, shelfVersion: shelf.version)
            #expect(await store.commit([wrong]) == [.conflict])
        }
    }

    @Test("changes a name only from the expected version", arguments: StoreKind.allCases)
    func names(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let name = try #require(Name("alice.example"))
            let key = Curve25519.Signing.PrivateKey()
            let first = try NameRecord(name: name, version: 1, content: [1, 2, 3], signedBy: key)
            let second = try NameRecord(name: name, version: .max, content: [], signedBy: key)
            #expect(try await store.record(under: name) == nil)
            #expect(
                await store.commit([
                    .register(record: first, replacing: 0, atMs: 1_000),
                    .register(record: first, replacing: nil, atMs: 1_000),
                ])
                    == [.conflict, .committed])
            #expect(try await store.record(under: name)?.record == first)
            #expect(await store.commit([.register(record: second, replacing: nil, atMs: 1_000)]) == [.conflict])
            #expect(await store.commit([.register(record: second, replacing: 1, atMs: 1_000)]) == [.committed])
            #expect(try await store.record(under: name)?.record == second)
            #expect(try await store.statistics().names == 1)
        }
    }

    @Test("a trim drops the oldest entries and nothing else", arguments: StoreKind.allCases)
    func trim(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit(channel.create())
            for size in 0..<200 { await store.mustCommit(channel.append(Array(repeating: 7, count: size))) }
            for firstSeq in [1, 2, 2, 30, 64, 65, 66, 150, 149, 193, 200, 201] as [UInt64] {
                await store.mustCommit(.trim(channel: channel.id, firstSeq: firstSeq))
                channel.entries.removeAll { $0.seq < firstSeq }
                let head = try #require(try await store.head(of: channel.id))
                #expect(head.firstSeq == channel.entries.first?.seq ?? 201)
                #expect(head.lastSeq == 200)
                #expect(head.payloadBytes == channel.entries.reduce(0) { $0 + UInt64($1.payload.count) })
                #expect(try await store.allEntries(of: channel.id) == channel.entries)
                #expect(try await store.statistics().entries == UInt64(channel.entries.count))
            }
            #expect(await store.commit([.trim(channel: channel.id, firstSeq: 202)]) == [.conflict])
            #expect(await store.commit([.trim(channel: .random(), firstSeq: 1)]) == [.conflict])
            await store.mustCommit(channel.append())
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
        }
    }

    @Test("entries expire after their retention and not earlier", arguments: StoreKind.allCases)
    func expire(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var short = TestChannel()
            var long = TestChannel()
            await store.mustCommit(short.create(retentionSeconds: 10), long.create(retentionSeconds: 1_000))
            for second in 0..<150 as Range<UInt64> {
                await store.mustCommit(short.append(atMs: second * 1_000), long.append(atMs: second * 1_000))
            }
            #expect(try await store.expireAll(nowMs: 10_000) == [:])
            #expect(try await store.expireAll(nowMs: 10_001) == [short.id: 2])
            #expect(try await store.expireAll(nowMs: 110_000) == [short.id: 101])
            #expect(try await store.allEntries(of: short.id) == Array(short.entries[100...]))
            #expect(try await store.allEntries(of: long.id) == long.entries)
            #expect(try await store.expireAll(nowMs: 1_110_500) == [short.id: 151, long.id: 112])
            #expect(try await store.allEntries(of: long.id) == Array(long.entries[111...]))
            await store.mustCommit(short.append(atMs: 1_200_000))
            #expect(try await store.expireAll(nowMs: 1_210_001) == [short.id: 152, long.id: 151])
            #expect(try await store.statistics().entries == 0)
        }
    }

    @Test("an epoch outlives its entries, but not for ever", arguments: StoreKind.allCases)
    func epochsOfTrimmedEntries(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit(channel.create())
            await store.mustCommit((0..<StoreLimits.trimmedEpochs + 2).map { _ in channel.turn() })
            #expect(try await store.epoch(0, of: channel.id) != nil)
            await store.mustCommit(.trim(channel: channel.id, firstSeq: 2))
            #expect(try await store.epoch(0, of: channel.id) == nil)
            #expect(try await store.epoch(1, of: channel.id) != nil)
            await store.mustCommit(.trim(channel: channel.id, firstSeq: channel.lastSeq))
            #expect(try await store.epoch(1, of: channel.id) == nil)
            #expect(try await store.epoch(2, of: channel.id) != nil)
        }
    }

    @Test("a closed channel holds no data and accepts none", arguments: StoreKind.allCases)
    func close(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            var channel = TestChannel()
            await store.mustCommit([channel.create()] + (0..<200).map { _ in channel.append() })
            await store.mustCommit(
                channel.turn(),
                .deposit(
                    channel: channel.id, keyPackages: [keyPackage("a")], lastResort: keyPackage("z"), shelfVersion: 0,
                    atMs: 1_000))
            #expect(await store.commit([.close(channel: channel.id, lastSeq: 200)]) == [.conflict])
            await store.mustCommit(.close(channel: channel.id, lastSeq: 201))
            let head = try #require(try await store.head(of: channel.id))
            #expect(head.isClosed && head.firstSeq == 202 && head.lastSeq == 201 && head.payloadBytes == 0)
            // Clients with its last tokens can be told that it is closed.
            #expect(head.epoch == 1 && head.access == channel.access)
            #expect(try await store.allEntries(of: channel.id).isEmpty)
            #expect(try await store.entryIDs(of: channel.id, receivedSinceMs: 0).isEmpty)
            #expect(try await store.epoch(0, of: channel.id) == nil)
            #expect(try await store.epoch(1, of: channel.id) != nil)
            #expect(try await store.shelf(of: channel.id) == KeyPackageShelf())
            let outcomes = await store.commit([
                channel.create(), channel.append(), .close(channel: channel.id, lastSeq: 201),
                .trim(channel: channel.id, firstSeq: 1),
                .deposit(channel: channel.id, keyPackages: [], lastResort: nil, shelfVersion: 0, atMs: 1_000),
                .withdraw(channel: channel.id, position: 1, shelfVersion: 0),
            ])
            #expect(outcomes.allSatisfy { $0 == .conflict })
            let statistics = try await store.statistics()
            #expect(statistics.channels == 0 && statistics.entries == 0 && statistics.keyPackages == 0)
        }
    }

    @Test("a failing disk fails commits, and reads still work", arguments: StoreKind.allCases)
    func failing(kind: StoreKind) async throws {
        try await kind.withStore { inner async throws in
            let store = FailingStore(inner)
            var channel = TestChannel()
            await store.mustCommit(channel.create(), channel.append())
            store.fail(with: .full)
            var copy = channel
            #expect(await store.commit([copy.append(), copy.append()]) == [.failed(.full), .failed(.full)])
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
            store.recover()
            await store.mustCommit(channel.append())
            #expect(try await store.allEntries(of: channel.id) == channel.entries)
        }
    }
}
