import KithCore
import Synchronization

/// A profile's store in memory, for simulations, tests and benchmarks.
package final class MemoryProfileStore: ProfileStore {
    private struct State {
        var tables: [StoreTable: [UInt64: [UInt64: [UInt8]]]] = [:]
        var failure: StoreError?
        var readFailure: StoreError?
        var commits = 0
        var damaged: Set<StoreKey> = []

        func row(_ key: StoreKey) -> StoredRow {
            let bytes = damaged.contains(key) ? nil : tables[key.table]?[key.owner]?[key.item]
            return StoredRow(owner: key.owner, item: key.item, bytes: bytes)
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// The number of transactions that were committed.
    package var commits: Int { state.withLock { $0.commits } }

    /// Makes every commit fail with an error. After a call with `nil`, commits succeed again.
    package func failCommits(with error: StoreError?) { state.withLock { $0.failure = error } }

    /// Makes ``rows(_:owner:items:limit:newestFirst:)`` and ``values(_:owner:items:limit:newestFirst:)`` fail with an error
    /// from now on.
    package func failReads(with error: StoreError) { state.withLock { $0.readFailure = error } }

    /// Makes a value unreadable, as if it were damaged.
    package func damage(_ key: StoreKey) { state.withLock { _ = $0.damaged.insert(key) } }

    package func value(_ key: StoreKey) throws(StoreError) -> [UInt8]? {
        let (value, isDamaged) = state.withLock {
            ($0.tables[key.table]?[key.owner]?[key.item], $0.damaged.contains(key))
        }
        if isDamaged { throw .damaged(key.table) }
        return value
    }

    package func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue] {
        try Self.whole(table, rows(table, owner: owner, items: items, limit: limit, newestFirst: newestFirst))
    }

    package func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue] {
        try Self.whole(table, allRows(table))
    }

    package func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow] {
        if let failure = state.withLock({ $0.readFailure }) { throw failure }
        return state.withLock { state in
            let wanted = (state.tables[table]?[owner] ?? [:]).keys.filter(items.contains)
                .sorted(by: newestFirst ? { $0 > $1 } : { $0 < $1 })
            return wanted.prefix(limit).map { state.row(StoreKey(table, owner: owner, item: $0)) }
        }
    }

    package func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow] {
        state.withLock { state in
            let owners = state.tables[table] ?? [:]
            return owners.keys.sorted().flatMap { owner in
                (owners[owner] ?? [:]).keys.sorted().map { state.row(StoreKey(table, owner: owner, item: $0)) }
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
                    state.damaged.remove(key)
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
