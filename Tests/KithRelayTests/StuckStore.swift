import KithRelay
import KithWire
import NIOCore
import Synchronization

/// A store whose reads of heads can be made to wait.
final class StuckStore: ChannelStore {
    private struct State {
        var holds = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }
    private let store: MemoryStore
    private let state = Mutex(State())

    init(_ store: MemoryStore) { self.store = store }

    func holdReads() { state.withLock { $0.holds = true } }

    /// Returns when a read waits.
    func untilHeld() async {
        await withCheckedContinuation { watcher in
            let isHeld = state.withLock { state in
                if state.held.isEmpty { state.watchers.append(watcher) }
                return !state.held.isEmpty
            }
            if isHeld { watcher.resume() }
        }
    }

    func release() {
        let held = state.withLock { state in
            state.holds = false
            defer { state.held = [] }
            return state.held
        }
        for read in held { read.resume() }
    }

    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead? {
        await withCheckedContinuation { read in
            let watchers: [CheckedContinuation<Void, Never>]? = state.withLock { state in
                guard state.holds else { return nil }
                state.held.append(read)
                defer { state.watchers = [] }
                return state.watchers
            }
            if let watchers { for watcher in watchers { watcher.resume() } } else { read.resume() }
        }
        return await store.head(of: channel)
    }

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

    func idleChannels(usedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID] {
        await store.idleChannels(usedBeforeMs: usedBeforeMs)
    }

    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) async throws(StoreFailure) -> Bool {
        await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    func notedClockMs() async throws(StoreFailure) -> UInt64? { await store.notedClockMs() }
    func space() async throws(StoreFailure) -> StoreSpace { await store.space() }

    func statistics() async throws(StoreFailure) -> StoreStatistics { await store.statistics() }
    func close() async { await store.close() }
}
