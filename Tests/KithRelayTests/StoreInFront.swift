import KithRelay
import KithWire
import NIOCore

/// A store in front of another one, which it passes all calls to that it does not implement itself.
protocol StoreInFront: ChannelStore {
    /// The store behind this one.
    var store: any ChannelStore { get }
}

extension StoreInFront {
    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? { try await store.head(of: channel) }

    var eventLoop: any EventLoop { store.eventLoop }
    var relayID: [UInt8] { store.relayID }

    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] { await store.commit(mutations) }

    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
        try await store.epoch(epoch, of: channel)
    }

    func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry] {
        try await store.entries(of: channel, from: first, through: last, maximumBytes: maximumBytes)
    }

    func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)] {
        try await store.entryIDs(of: channel, receivedSinceMs: receivedSinceMs)
    }

    func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf {
        try await store.shelf(of: channel)
    }
    func record(under name: Name) async throws(StoreFailure) -> StoredName? { try await store.record(under: name) }

    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        try await store.expire(nowMs: nowMs)
    }

    func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID] {
        try await store.idleChannels(usedBeforeMs: usedBeforeMs, longUsedBeforeMs: longUsedBeforeMs)
    }

    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) async throws(StoreFailure) -> Bool {
        try await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    func notedClock() async throws(StoreFailure) -> NotedClock? { try await store.notedClock() }
    func space() async throws(StoreFailure) -> StoreSpace { try await store.space() }

    func statistics() async throws(StoreFailure) -> StoreStatistics { try await store.statistics() }
    func close() async { await store.close() }
}
