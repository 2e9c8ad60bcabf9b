import KithRelay
import KithWire
import Synchronization

/// A store whose disk fails on demand. While a failure is set, commits do not reach the store behind it, but reads do.
final class FailingStore: StoreInFront {
    let store: any ChannelStore
    private let failure = Mutex<StoreFailure?>(nil)
    private let space = Mutex<StoreSpace?>(nil)

    init(_ store: any ChannelStore) { self.store = store }

    /// Makes every later commit fail.
    func fail(with failure: StoreFailure) { self.failure.withLock { $0 = failure } }

    /// Lets commits succeed again.
    func recover() { failure.withLock { $0 = nil } }

    /// Makes the store report this size.
    func pretend(_ space: StoreSpace) { self.space.withLock { $0 = space } }

    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] {
        if let failure = failure.withLock({ $0 }) { return mutations.map { _ in .failed(failure) } }
        return await store.commit(mutations)
    }

    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)] {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return try await store.expire(nowMs: nowMs)
    }

    func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) async throws(StoreFailure) -> Bool {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return try await store.discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    func space() async throws(StoreFailure) -> StoreSpace {
        if let space = space.withLock({ $0 }) { return space }
        return try await store.space()
    }
}
