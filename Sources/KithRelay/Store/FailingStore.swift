import KithWire
import NIOCore
import Synchronization

/// A store whose disk fails on demand, for tests: as long as a failure is set, no commit gets through to the store behind
/// it. Reads do.
public final class FailingStore: ChannelStore {
    private let store: any ChannelStore
    private let failure = Mutex<StoreFailure?>(nil)
    private let space = Mutex<StoreSpace?>(nil)

    /// Wraps a store. It works until ``fail(with:)``.
    public init(_ store: any ChannelStore) { self.store = store }

    /// Makes every commit from now on fail.
    public func fail(with failure: StoreFailure) { self.failure.withLock { $0 = failure } }

    /// Lets commits through again.
    public func recover() { failure.withLock { $0 = nil } }

    /// Makes the store say that it takes this much room.
    public func pretend(_ space: StoreSpace) { self.space.withLock { $0 = space } }

    /// See ``ChannelStore/eventLoop``.
    public var eventLoop: any EventLoop { store.eventLoop }
    /// See ``ChannelStore/relayID``.
    public var relayID: [UInt8] { store.relayID }

    /// See ``ChannelStore/head(of:)``.
    public func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? {
        try await store.head(of: channel)
    }

    /// See ``ChannelStore/epoch(_:of:)``.
    public func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord? {
        try await store.epoch(epoch, of: channel)
    }

    /// See ``ChannelStore/entries(of:from:through:maximumBytes:)``.
    public func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry] {
        try await store.entries(of: channel, from: first, through: last, maximumBytes: maximumBytes)
    }

    /// See ``ChannelStore/entryIDs(of:receivedSinceMs:)``.
    public func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)] {
        try await store.entryIDs(of: channel, receivedSinceMs: receivedSinceMs)
    }

    /// See ``ChannelStore/shelf(of:)``.
    public func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf {
        try await store.shelf(of: channel)
    }

    /// See ``ChannelStore/record(under:)``.
    public func record(under name: Name) async throws(StoreFailure) -> StoredName? {
        try await store.record(under: name)
    }

    /// See ``ChannelStore/commit(_:)``.
    public func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] {
        if let failure = failure.withLock({ $0 }) { return mutations.map { _ in .failed(failure) } }
        return await store.commit(mutations)
    }

    /// See ``ChannelStore/expire(nowMs:)``.
    public func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return try await store.expire(nowMs: nowMs)
    }

    /// See ``ChannelStore/idleChannels(usedBeforeMs:longUsedBeforeMs:)``.
    public func idleChannels(
        usedBeforeMs: UInt64, longUsedBeforeMs: UInt64
    ) async throws(StoreFailure) -> [ChannelID] {
        try await store.idleChannels(usedBeforeMs: usedBeforeMs, longUsedBeforeMs: longUsedBeforeMs)
    }

    /// See ``ChannelStore/discard(keyPackagesBeforeMs:namesBeforeMs:)``.
    public func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return try await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    /// See ``ChannelStore/notedClock()``.
    public func notedClock() async throws(StoreFailure) -> NotedClock? { try await store.notedClock() }

    /// See ``ChannelStore/space()``.
    public func space() async throws(StoreFailure) -> StoreSpace {
        if let space = space.withLock({ $0 }) { return space }
        return try await store.space()
    }

    /// See ``ChannelStore/statistics()``.
    public func statistics() async throws(StoreFailure) -> StoreStatistics { try await store.statistics() }

    /// See ``ChannelStore/close()``.
    public func close() async { await store.close() }
}
