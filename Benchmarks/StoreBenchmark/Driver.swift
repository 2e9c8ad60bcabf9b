import Foundation
import KithRelay
import KithWire
import NIOCore
import Synchronization
import TestSupport

/// Appends and reads as the relay's hub does, on the store's own event loop.
actor Driver {
    private let store: SQLiteStore
    private nonisolated let executor: any SerialExecutor
    private let ids: [ChannelID]
    private var lastSeqs: [UInt64]
    private var random = SeededGenerator(seed: .random(in: .min ... .max))
    private let payload: ArraySlice<UInt8>
    private var clock: UInt64 = 1_700_000_000_000

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Creates the channels.
    init(_ store: SQLiteStore, channels: Int) async throws {
        self.store = store
        executor = store.eventLoop.executor
        ids = (0..<channels).map { _ in .random() }
        lastSeqs = Array(repeating: 0, count: channels)
        payload = (0..<300).map { _ in UInt8.random(in: 0...255) }[...]
        let access = Access(read: Grant(for: .random()), append: Grant(for: .random()), turn: Grant(for: .random()))
        for start in stride(from: 0, to: channels, by: 10_000) {
            let batch = ids[start..<min(start + 10_000, channels)].map {
                StoreMutation.create(channel: $0, access: access, retentionSeconds: 2_592_000, atMs: 0)
            }
            let outcomes = await store.commit(batch)
            guard outcomes.allSatisfy({ $0 == .committed }) else { throw StoreFailure.io("creating failed") }
        }
    }

    private func mutation(among count: Int) -> StoreMutation {
        // The used channels are spread over the whole store. The first channels would lie beside each other.
        let channel = Int.random(in: 0..<count, using: &random) * (ids.count / count)
        lastSeqs[channel] += 1
        clock += 1
        return .append(
            channel: ids[channel],
            entry: Entry(
                seq: lastSeqs[channel], epoch: 0, kind: .message, receivedAtMs: clock, id: .random(using: &random),
                payload: payload),
            nextAccess: nil)
    }

    /// Appends entries to random channels, `batch` in each commit.
    func append(_ count: Int, batch: Int, among: Int? = nil) async -> Figure {
        await appendAndCount(count, batch: batch, among: among).figure
    }

    /// Appends entries as ``append(_:batch:among:)`` does. The second result is the number of appends per second of CPU time of
    /// the store's thread. This rate does not depend on the other load of the machine, and does not include the time that the
    /// disk takes.
    func appendAndCount(
        _ count: Int, batch: Int, among: Int? = nil
    ) async -> (figure: Figure, perProcessorSecond: Figure) {
        var processor = Duration.zero
        var latencies = Latencies()
        var total = Duration.zero
        for _ in 0..<count / batch {
            let mutations = (0..<batch).map { _ in mutation(among: among ?? ids.count) }
            let (start, before) = (ContinuousClock.now, Driver.threadTime())
            let outcomes = await store.commit(mutations)
            let duration = ContinuousClock.now - start
            processor += Driver.threadTime() - before
            check(outcomes)
            latencies.add(duration)
            total += duration
        }
        return (
            latencies.figure(count: count, in: total),
            .rate(Double(count) / processor.seconds, p50: nil, p99: nil, worst: nil)
        )
    }

    /// The running time of this thread, which is both the driver's and the store's.
    private static func threadTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Appends entries from a producer on another thread, which keeps `inFlight` entries in flight. Each commit contains the
    /// entries that were queued during the previous commit.
    func appendAdaptively(_ count: Int, inFlight: Int) async -> Figure {
        let queue = Queue(limit: inFlight)
        let mutations = (0..<count).map { _ in mutation(among: ids.count) }
        let producer = Thread { for mutation in mutations { queue.put(mutation) } }
        var latencies = Latencies()
        var done = 0
        var commits = 0
        let start = ContinuousClock.now
        producer.start()
        while done < count {
            let batch = queue.takeAll()
            let before = ContinuousClock.now
            check(await store.commit(batch))
            latencies.add(ContinuousClock.now - before)
            queue.finish(batch.count)
            done += batch.count
            commits += 1
        }
        return latencies.figure(
            count: count, in: ContinuousClock.now - start, note: "\(count / max(commits, 1)) a commit")
    }

    /// Reads the last 20 entries of random channels.
    func read(_ count: Int, among: Int? = nil) async -> Figure {
        let among = among ?? ids.count
        var latencies = Latencies()
        var total = Duration.zero
        for _ in 0..<count {
            let channel = Int.random(in: 0..<among, using: &random) * (ids.count / among)
            let last = lastSeqs[channel]
            let start = ContinuousClock.now
            let entries = try? await store.entries(
                of: ids[channel], from: max(last, 20) - 19, through: last, maximumBytes: 1 << 20)
            let duration = ContinuousClock.now - start
            if entries?.count != Int(min(last, 20)) { fatalError("a read returned \(entries?.count ?? -1) of \(last)") }
            latencies.add(duration)
            total += duration
        }
        return latencies.figure(count: count, in: total)
    }

    /// Runs `body` while the store can only copy its log.
    func whileStoreWaits<Result: Sendable>(_ body: @Sendable () throws -> Result) rethrows -> Result { try body() }

    private func check(_ outcomes: [StoreOutcome]) {
        guard outcomes.allSatisfy({ $0 == .committed }) else { fatalError("an append was not committed") }
    }
}

/// The queue of appends from the producer to the committer.
private final class Queue: Sendable {
    private let limit: Int
    private let condition = NSCondition()
    private let state = Mutex((waiting: [StoreMutation](), inFlight: 0))

    init(limit: Int) { self.limit = limit }

    func put(_ mutation: StoreMutation) {
        condition.lock()
        while state.withLock({ $0.inFlight >= limit }) { condition.wait() }
        state.withLock {
            $0.waiting.append(mutation)
            $0.inFlight += 1
        }
        condition.signal()
        condition.unlock()
    }

    func takeAll() -> [StoreMutation] {
        condition.lock()
        defer { condition.unlock() }
        while state.withLock({ $0.waiting.isEmpty }) { condition.wait() }
        return state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    func finish(_ count: Int) {
        condition.lock()
        state.withLock { $0.inFlight -= count }
        condition.signal()
        condition.unlock()
    }
}
