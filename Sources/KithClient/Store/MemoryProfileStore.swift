import Synchronization

/// A profile's state in memory: for tests and simulations.
package final class MemoryProfileStore: ProfileStore {
    private struct State {
        var tables: [StoreTable: [UInt64: [UInt64: [UInt8]]]] = [:]
        var failure: StoreError?
        var commits = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// How many transactions were committed.
    package var commits: Int { state.withLock { $0.commits } }

    /// Makes every commit fail with an error from now on; `nil` ends that.
    package func failCommits(with error: StoreError?) { state.withLock { $0.failure = error } }

    package func value(_ key: StoreKey) throws(StoreError) -> [UInt8]? {
        state.withLock { $0.tables[key.table]?[key.owner]?[key.item] }
    }

    package func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue] {
        let all = state.withLock { $0.tables[table]?[owner] ?? [:] }
        let wanted = all.keys.filter(items.contains).sorted(by: newestFirst ? { $0 > $1 } : { $0 < $1 })
        return wanted.prefix(limit).map { StoredValue(owner: owner, item: $0, bytes: all[$0] ?? []) }
    }

    package func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue] {
        let owners = state.withLock { $0.tables[table] ?? [:] }
        return owners.keys.sorted().flatMap { owner in
            (owners[owner] ?? [:]).sorted { $0.key < $1.key }.map {
                StoredValue(owner: owner, item: $0.key, bytes: $0.value)
            }
        }
    }

    package func commit(_ transaction: StoreTransaction) throws(StoreError) {
        let failure = state.withLock { state -> StoreError? in
            if let failure = state.failure { return failure }
            state.commits += 1
            for write in transaction.writes {
                switch write {
                case .put(let key, let bytes):
                    state.tables[key.table, default: [:]][key.owner, default: [:]][key.item] = bytes
                case .delete(let key): state.tables[key.table]?[key.owner]?[key.item] = nil
                case .deleteAll(let table, let owner): state.tables[table]?[owner] = nil
                }
            }
            return nil
        }
        if let failure { throw failure }
    }
}
