import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("Damage of one channel")
struct StoreDamageTests {
    @Test("dropped rows that can't be deleted stay, and commits and expiry still work")
    func undeletable() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit(
            [channel.create(), other.create()] + (0..<200).flatMap { _ in [channel.append(), other.append()] })
        try folder.execute("UPDATE entry_block SET entry_references = x'00' WHERE channel = 1")
        await store.mustCommit(.close(channel: channel.id, lastSeq: 200), other.append())
        await store.mustCommit(other.append())
        try await store.finishHousekeeping()
        #expect(try await store.number("SELECT count(*) FROM dropped") == 0)
        #expect(try await store.statistics().damages > 0)
        #expect(try await store.head(of: channel.id)?.isClosed == true)
        #expect(try await store.expireAll(nowMs: 10_000_000) == [other.id: 203])
        await store.close()
    }

    @Test("a damaged channel is unavailable to clients with a right, and to others as if it did not exist")
    func damagedPresent() async throws {
        let folder = TemporaryFolder()
        let channel = KnownChannel()
        let store = try openStore(folder)
        await store.mustCommit(
            .create(channel: channel.id, access: channel.access, retentionSeconds: 3_600, atMs: 1_000),
            .append(
                channel: channel.id,
                entry: Entry(
                    seq: 1, epoch: 0, kind: .message, receivedAtMs: 2_000, id: .random(), payload: [1]),
                nextAccess: nil))
        await store.close()
        try folder.execute("UPDATE channel_head SET total_bytes = -1")
        let again = try openStore(folder)
        let hub = BareHub(store: again)
        hub.open(1)
        func present(_ id: ChannelID, _ tokens: [Token]) -> Request {
            .present(channel: id, epoch: 0, tokens: tokens)
        }
        let absent = await hub.ask(present(.random(), [.random()]), on: 1)
        for tokens in [[.random()], [channel.read, .random()]] as [[Token]] {
            #expect(await hub.ask(present(channel.id, tokens), on: 1) == absent)
        }
        #expect(absent.refusal == .denied)
        #expect(await hub.refusal(of: present(channel.id, [channel.read]), on: 1) == .unavailable)
        // Clients that have proved nothing do not reach the damage.
        #expect(await hub.hub.damages() == 1)
        #expect(
            hub.metrics.rendered(store: try await again.statistics(), blobs: nil).contains(
                "kith_store_damages_total 1\n"))
        try folder.execute("UPDATE epoch SET read_grant = x'00'")
        #expect(await hub.ask(present(channel.id, [channel.read]), on: 1) == .error(.denied))
        try await hub.close()
        await again.close()
    }

    @Test("a present is refused as unavailable, not denied, while the disk fails")
    func failingDisk() async throws {
        struct UnreadableStore: StoreInFront {
            let store: any ChannelStore = MemoryStore()
            func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? { throw .io("no") }
            func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
                throw .io("no")
            }
        }
        let hub = BareHub(store: UnreadableStore())
        hub.open(1)
        let present = Request.present(channel: .random(), epoch: 0, tokens: [.random()])
        #expect(await hub.refusal(of: present, on: 1) == .unavailable)
        #expect(await hub.hub.damages() == 0)
        try await hub.close()
    }

    @Test("a mutation that the file contradicts fails alone")
    func contradicted() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit([channel.create(), other.create()] + (0..<63).map { _ in channel.append() })
        try folder.execute("INSERT INTO entry_block VALUES (NULL, 1, 64, x'')")
        let outcomes = await store.commit([other.append(), channel.append(), other.append(), channel.append()])
        #expect(outcomes[0] == .committed && outcomes[2] == .committed && outcomes[3] == .conflict)
        guard case .failed(.damaged) = outcomes[1] else { throw Unlike(outcome: outcomes[1]) }
        #expect(try await store.head(of: channel.id)?.lastSeq == 63)
        #expect(try await store.allEntries(of: other.id) == other.entries)
        await store.close()
    }

    @Test("a head that can't be written delays no other channel, and its entries are not lost")
    func unwritableHead() async throws {
        let folder = TemporaryFolder()
        var store = try openStore(folder, .tight)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit(channel.create(), other.create())
        try folder.execute(

            """
            CREATE TRIGGER damaged BEFORE INSERT ON channel_head WHEN NEW.channel = 1
            BEGIN SELECT RAISE(ABORT, 'damaged'); END
            """)
        for _ in 0..<100 { await store.mustCommit(channel.append(), other.append()) }
        try await store.finishHousekeeping()
        #expect(try await store.statistics().damages > 0)
        #expect(try await store.number("SELECT count(*) FROM channel_head") == 1)
        #expect(try await store.allEntries(of: channel.id) == channel.entries)
        await store.close()
        try folder.execute("DROP TRIGGER damaged")
        store = try openStore(folder, .tight)
        for channel in [channel, other] { #expect(try await store.allEntries(of: channel.id) == channel.entries) }
        await store.mustCommit(channel.append(), other.append())
        await store.close()
    }

    @Test("expiry skips a damaged channel, wherever its damage is found")
    func expiry() async throws {
        let folder = TemporaryFolder()
        var store = try openStore(folder)
        var channels = (0..<5).map { _ in TestChannel() }
        await store.mustCommit(channels.map { $0.create() })
        for index in channels.indices {
            for atMs in [2_000, 5_000_000] as [UInt64] {
                await store.mustCommit((0..<70).map { _ in channels[index].append(atMs: atMs) })
            }
        }
        await store.close()
        try folder.execute(

            """
            UPDATE epoch SET read_grant = x'00' WHERE channel = 1;
            DELETE FROM entry WHERE channel = 2 AND seq = 71;
            UPDATE entry_block SET entry_references = x'0102' WHERE channel = 4
            """)
        store = try openStore(folder)
        let fronts: [ChannelID: UInt64] = [channels[2].id: 71, channels[4].id: 71]
        #expect(try await store.expireAll(nowMs: 4_000_000) == fronts)
        #expect(try await store.statistics().damages >= 3)
        // The same again, for entries appended since. Once all have expired, the missing entry is not needed.
        await store.mustCommit(channels[2].append(atMs: 6_000_000))
        let later: [ChannelID: UInt64] = [channels[1].id: 141, channels[2].id: 141, channels[4].id: 141]
        #expect(try await store.expireAll(nowMs: 9_000_000) == later)
        await store.close()
    }

    @Test("a last entry that can't be read after a kill damages its channel only, and its position is not used again")
    func unreadableLastEntry() async throws {
        let folder = TemporaryFolder()
        var store = try openStore(folder)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit(other.create(), channel.create(), other.append(), channel.append(), channel.append())
        let crashed = try folder.crashed()
        await store.close()
        try crashed.execute("UPDATE entry SET seq = -1 WHERE position = (SELECT max(position) FROM entry)")
        store = try openStore(crashed)
        await store.mustCommit(other.append())
        #expect(try await store.allEntries(of: other.id) == other.entries)
        await #expect(throws: StoreFailure.self) { try await store.head(of: channel.id) }
        await store.close()
    }

    @Test("a channel's dropped rows are deleted although another channel's row in `dropped` is damaged")
    func unreadableNote() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit(
            [channel.create(), other.create()] + (0..<200).flatMap { _ in [channel.append(), other.append()] })
        try folder.execute("INSERT INTO dropped VALUES (1, -1)")
        await store.mustCommit(.close(channel: other.id, lastSeq: 200))
        await store.mustCommit(channel.append())
        try await store.finishHousekeeping()
        #expect(try await store.number("SELECT count(*) FROM dropped") == 0)
        #expect(try await store.number("SELECT count(*) FROM entry WHERE channel = 2") == 0)
        await store.close()
    }

    @Test(
        "an impossible number is an error, and does not end the relay",
        arguments: [
            "UPDATE channel_head SET last_seq = -1", "UPDATE channel_head SET first_seq = 0, last_seq = 0",
            "UPDATE channel_head SET total_bytes = -5", "UPDATE epoch SET epoch = -1, first_seq = -1",
            "UPDATE entry_block SET last_seq = -1", "UPDATE entry SET seq = -1, previous = -1, total_bytes = -1",
            "UPDATE store SET entries = 0, channels = 0",
        ])
    func numbers(sql: String) async throws {
        let folder = TemporaryFolder()
        var store = try openStore(folder)
        var (channel, other) = (TestChannel(), TestChannel())
        await store.mustCommit([channel.create()] + (0..<100).map { _ in channel.append(atMs: 2_000) })
        await store.close()
        try folder.execute(sql)
        store = try openStore(folder)
        _ = try? await store.head(of: channel.id)
        _ = try? await store.allEntries(of: channel.id)
        _ = try? await store.entryIDs(of: channel.id, receivedSinceMs: 0)
        _ = await store.commit([channel.append(), channel.turn(), .trim(channel: channel.id, firstSeq: 70)])
        _ = try await store.expireAll(nowMs: 10_000_000)
        _ = await store.commit([.close(channel: channel.id, lastSeq: 100)])
        await store.mustCommit(other.create(), other.append(atMs: 9_000_000))
        try await store.finishHousekeeping()
        #expect(try await store.allEntries(of: other.id) == other.entries)
        await store.close()
    }

    private struct Unlike: Error { let outcome: StoreOutcome }
}
