import KithRelay
import KithWire
import NIOCore
import Synchronization

/// A store as a replicated log would be: commits take time on other threads, and now and then another relay was first.
final class ContendedStore: ChannelStore {
    private let store = MemoryStore()
    private let state: Mutex<(random: SeededGenerator, foreign: Int)>

    init(seed: UInt64) { state = Mutex((SeededGenerator(seed: seed), 0)) }

    /// How many entries the other relay has appended.
    var foreignEntries: Int { state.withLock { $0.foreign } }

    var eventLoop: any EventLoop { store.eventLoop }
    var relayID: [UInt8] { store.relayID }

    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] {
        try? await Task.sleep(for: .microseconds(300))
        for case .append(let channel, _, _) in mutations {
            guard state.withLock({ $0.random.next() % 4 == 0 }), let head = await store.head(of: channel) else {
                continue
            }
            let entry = Entry(
                seq: head.lastSeq + 1, epoch: head.epoch, kind: .message, receivedAtMs: 1, id: .random(),
                payload: Array("foreign".utf8)[...])
            if await store.commit([.append(channel: channel, entry: entry, nextAccess: nil)]) == [.committed] {
                state.withLock { $0.foreign += 1 }
            }
            break
        }
        return await store.commit(mutations)
    }

    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? { await store.head(of: channel) }

    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
        await store.epoch(epoch, of: channel)
    }

    func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry] {
        await store.entries(of: channel, from: first, through: last, maximumBytes: maximumBytes)
    }

    func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)] {
        await store.entryIDs(of: channel, receivedSinceMs: receivedSinceMs)
    }

    func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf { await store.shelf(of: channel) }
    func record(under name: Name) async throws(StoreFailure) -> StoredName? { await store.record(under: name) }

    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        await store.expire(nowMs: nowMs)
    }

    func statistics() async throws(StoreFailure) -> StoreStatistics { await store.statistics() }
    func close() async { await store.close() }

    func idleChannels(usedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID] {
        await store.idleChannels(usedBeforeMs: usedBeforeMs)
    }

    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) async throws(StoreFailure) -> Bool {
        await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    func notedClockMs() async throws(StoreFailure) -> UInt64? { await store.notedClockMs() }

    func space() async throws(StoreFailure) -> StoreSpace { await store.space() }
}
