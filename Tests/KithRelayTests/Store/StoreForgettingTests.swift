import Crypto
import KithWire
import TestSupport
import Testing

@testable import KithRelay

@Suite("Removal by age, and by the operator")
struct StoreForgettingTests {
    @Test("unused channels and old key packages are found by age and deleted completely", arguments: StoreKind.allCases)
    func forgetting(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let (idle, closed) = (TestChannel(), TestChannel())
            var written = TestChannel()
            await store.mustCommit(idle.create(), closed.create(), written.create(), written.append())
            await store.mustCommit(.close(channel: closed.id, lastSeq: 0))
            let packages = (0..<40).map { keyPackage("\($0)") }
            await store.mustCommit(
                .deposit(channel: idle.id, keyPackages: packages, lastResort: nil, shelfVersion: 0, atMs: 3_000),
                .deposit(
                    channel: idle.id, keyPackages: [keyPackage("new")], lastResort: keyPackage("last"), shelfVersion: 1,
                    atMs: 4_000))
            while try await store.discard(keyPackagesBeforeMs: 4_000, namesBeforeMs: 0) {}
            let shelf = try await store.shelf(of: idle.id)
            #expect(shelf.count == 1 && shelf.next?.bytes == keyPackage("new") && shelf.lastResort != nil)
            #expect(try await store.statistics().keyPackages == 2)

            // A package dated in the future does not keep later ones.
            await store.mustCommit(
                .deposit(
                    channel: idle.id, keyPackages: [keyPackage("late")], lastResort: nil, shelfVersion: 2, atMs: 9_000),
                .deposit(
                    channel: idle.id, keyPackages: [keyPackage("old")], lastResort: nil, shelfVersion: 3, atMs: 3_000))
            while try await store.discard(keyPackagesBeforeMs: 5_000, namesBeforeMs: 0) {}
            #expect(try await store.shelf(of: idle.id).count == 1)
            #expect(try await store.shelf(of: idle.id).next?.bytes == keyPackage("late"))
            #expect(try await store.statistics().keyPackages == 2)

            // Until its head is stored, a channel counts as one without entries.
            try await (store as? SQLiteStore)?.finishMaintenance()
            #expect(try await store.idleChannels(usedBeforeMs: 1_000, longUsedBeforeMs: 1_000).isEmpty)
            #expect(
                Set(try await store.idleChannels(usedBeforeMs: 1_001, longUsedBeforeMs: 1_001)) == [idle.id, closed.id])
            await store.mustCommit(.use(channel: idle.id, atMs: 5_000))
            #expect(try await store.head(of: idle.id)?.usedMs == 5_000)
            #expect(try await store.head(of: idle.id)?.createdMs == 1_000)
            #expect(try await store.idleChannels(usedBeforeMs: 5_000, longUsedBeforeMs: 5_000) == [closed.id])
            let outcomes = await store.commit([
                .forget(channel: idle.id, usedMs: 1_000), .forget(channel: written.id, usedMs: 1_000),
                .forget(channel: .random(), usedMs: 1_000), .use(channel: .random(), atMs: 1),
            ])
            #expect(outcomes == [.conflict, .conflict, .conflict, .conflict])
            await store.mustCommit(
                .forget(channel: idle.id, usedMs: 5_000), .forget(channel: closed.id, usedMs: 1_000))
            for channel in [idle, closed] { #expect(try await store.head(of: channel.id) == nil) }
            #expect(try await store.shelf(of: idle.id) == KeyPackageShelf())
            let totals = try await store.statistics()
            #expect(totals.channels == 1 && totals.keyPackages == 0)
            #expect(try await store.idleChannels(usedBeforeMs: .max >> 1, longUsedBeforeMs: .max >> 1).isEmpty)
            // The channel can be created again, as if it had never existed.
            var again = TestChannel(id: idle.id)
            await store.mustCommit(again.create(), again.append())
            #expect(try await store.allEntries(of: idle.id) == again.entries)
            #expect(try await store.allEntries(of: written.id) == written.entries)

            #expect(try await store.notedClock() == nil)
            for clock in [
                NotedClock(timeMs: 77, doubt: NotedClock.Doubt(wallMs: 1 << 50, ranMs: 3)), NotedClock(timeMs: 78),
            ] {
                await store.mustCommit(.noteClock(clock))
                #expect(try await store.notedClock() == clock)
            }
        }
    }

    @Test("an open channel that was in use for more than a week is idle later", arguments: StoreKind.allCases)
    func longUse(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let week: UInt64 = 7 * 86_400_000
            let (once, used, closed) = (TestChannel(), TestChannel(), TestChannel())
            await store.mustCommit(
                once.create(), used.create(), closed.create(), .use(channel: once.id, atMs: 1_000 + week),
                .use(channel: used.id, atMs: 1_001 + week), .use(channel: closed.id, atMs: 1_001 + week),
                .close(channel: closed.id, lastSeq: 0))
            func idle(_ brief: UInt64, _ long: UInt64) async throws -> Set<ChannelID> {
                Set(try await store.idleChannels(usedBeforeMs: brief + week, longUsedBeforeMs: long + week))
            }
            #expect(try await idle(1_000, 0).isEmpty)
            #expect(try await idle(1_001, 0) == [once.id])
            #expect(try await idle(9_000, 1_001) == [once.id, closed.id])
            await store.mustCommit(
                .forget(channel: once.id, usedMs: 1_000 + week), .forget(channel: closed.id, usedMs: 1_001 + week))
            #expect(try await idle(9_000, 1_001).isEmpty)
            #expect(try await idle(9_000, 1_002) == [used.id])
        }
    }

    @Test("names that were not renewed for long are deleted", arguments: StoreKind.allCases)
    func oldNames(kind: StoreKind) async throws {
        try await kind.withStore { store async throws in
            let key = Curve25519.Signing.PrivateKey()
            for number in 0..<80 as Range<UInt64> {
                let name = try #require(Name("name\(number)"))
                let record = try NameRecord(name: name, version: 1, content: [1], signedBy: key)
                await store.mustCommit(.register(record: record, replacing: nil, atMs: number * 10))
            }
            while try await store.discard(keyPackagesBeforeMs: 0, namesBeforeMs: 700) {}
            #expect(try await store.statistics().names == 10)
            let (gone, kept) = try (#require(Name("name69")), #require(Name("name70")))
            #expect(try await store.record(under: gone) == nil)
            #expect(try await store.record(under: kept)?.renewedMs == 700)
            await store.mustCommit(.dropName(kept))
            #expect(await store.commit([.dropName(kept)]) == [.conflict])
            #expect(try await store.record(under: kept) == nil)
            #expect(try await store.statistics().names == 9)
        }
    }

    @Test("an operator can close a channel and delete a name in a store that no relay uses")
    func dropping() async throws {
        let folder = TemporaryFolder()
        #expect(throws: StoreOpenError.self) { try SQLiteStore(existingIn: folder.path, eventLoop: sharedLoop()) }
        let name = try #require(Name("mallory"))
        let record = try NameRecord(name: name, version: 1, content: [9], signedBy: Curve25519.Signing.PrivateKey())
        var (channel, other) = (TestChannel(), TestChannel())
        let store = try openStore(folder)
        await store.mustCommit(
            [channel.create(), other.create(), other.append(), .register(record: record, replacing: nil, atMs: 1)]
                + (0..<300).map { _ in channel.append() })
        #expect(throws: StoreOpenError.inUse(folder: folder.path)) {
            try SQLiteStore(existingIn: folder.path, eventLoop: sharedLoop())
        }
        await store.close()
        let stopped = try SQLiteStore(existingIn: folder.path, eventLoop: sharedLoop())
        #expect(try await stopped.channels(beginningWith: Array(channel.id.bytes.prefix(6))) == [channel.id])
        #expect(try await stopped.channels(beginningWith: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).isEmpty)
        for isThere in [true, false] {
            #expect(try await stopped.drop(channel.id) == isThere)
            #expect(try await stopped.drop(name) == isThere)
        }
        #expect(try await stopped.head(of: channel.id)?.isClosed == true)
        #expect(try await stopped.allEntries(of: other.id) == other.entries)
        #expect(try await stopped.statistics().entries == 1)
        await stopped.close()
        let rows = try folder.number("SELECT count(*) FROM entry")
        #expect(rows == 1)
    }
}
