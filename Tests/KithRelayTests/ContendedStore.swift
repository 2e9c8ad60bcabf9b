import KithRelay
import KithWire
import Synchronization
import TestSupport

/// A store that behaves like a replicated log: commits take time on other threads, and some lose to another relay.
final class ContendedStore: StoreInFront {
    let store: any ChannelStore = MemoryStore()
    private let state: Mutex<(random: SeededGenerator, foreign: Int)>

    init(seed: UInt64) { state = Mutex((SeededGenerator(seed: seed), 0)) }

    /// Number of entries that the other relay has appended.
    var foreignEntries: Int { state.withLock { $0.foreign } }

    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome] {
        // The time that a commit takes. No result depends on its length.
        try? await Task.sleep(for: .microseconds(300))
        for case .append(let channel, _, _) in mutations {
            guard state.withLock({ $0.random.next() % 4 == 0 }), let head = try? await store.head(of: channel) else {
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
}
