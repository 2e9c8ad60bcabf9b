import KithRelay
import KithWire
import NIOCore

/// A store that does otherwise than the one behind it in what it declares, and as that one in all else.
protocol StoreInFront: ChannelStore {
    /// The store behind.
    var store: MemoryStore { get }
}

extension StoreInFront {
    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? { await store.head(of: channel) }

    var eventLoop: any EventLoop { store.eventLoop }
    var relayID: [UInt8] { store.relayID }

    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] { await store.commit(mutations) }

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

    func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID] {
        await store.idleChannels(usedBeforeMs: usedBeforeMs, longUsedBeforeMs: longUsedBeforeMs)
    }

    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) async throws(StoreFailure) -> Bool {
        await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    func notedClock() async throws(StoreFailure) -> NotedClock? { await store.notedClock() }
    func space() async throws(StoreFailure) -> StoreSpace { await store.space() }

    func statistics() async throws(StoreFailure) -> StoreStatistics { await store.statistics() }
    func close() async { await store.close() }
}
