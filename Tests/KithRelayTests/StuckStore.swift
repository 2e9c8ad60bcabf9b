import KithRelay
import KithWire
import Synchronization

/// A store that can block reads of heads.
final class StuckStore: StoreInFront {
    private struct State {
        var holds = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }
    let store: any ChannelStore
    private let state = Mutex(State())

    init(_ store: any ChannelStore) { self.store = store }

    func holdReads() { state.withLock { $0.holds = true } }

    /// Returns when a read is blocked.
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
        return try await store.head(of: channel)
    }
}
