import KithWire
import TestSupport
import Testing

@testable import KithRelay

/// Random histories: the SQLite store has to return the same as the memory store, after any failure and any restart.
@Suite("Random histories of a store")
struct RandomHistoryTests {
    @Test("the SQLite store matches the memory store through full disks, crashes and restarts", arguments: 0..<12)
    func history(run: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var history = try RandomHistory(seed: seed)
        let model = MemoryStore()
        var folder = TemporaryFolder()
        // Every other run has limits that are never reached, so that recovery reads the whole log.
        let tuning = run % 2 == 0 ? StoreTuning.tight : StoreTuning()
        var store = try openStore(folder, tuning)
        var refusals = 0

        for step in 0..<150 {
            history.advance()
            var batch = try await history.batch(on: model)
            if history.chance(15) {
                try await store.limitPages(more: history.chance(50) ? 0 : 3)
                // Usually more than the file's free pages hold; at the end, so that everything before it is rolled
                // back.
                var large = TestChannel()
                batch.append(large.create())
                batch += (0..<30).map { _ in large.append(Array(repeating: 1, count: 20_000), atMs: history.nowMs) }
            }
            let outcomes = await store.commit(batch)
            if outcomes.contains(.failed(.full)) {
                #expect(outcomes.allSatisfy { $0 == .failed(.full) }, "seed \(seed), step \(step)")
                refusals += 1
            } else {
                #expect(outcomes == (await model.commit(batch)), "seed \(seed), step \(step)")
            }
            try await store.limitPages(more: nil)

            if history.chance(5) {
                let fronts = try await store.expireAll(nowMs: history.nowMs)
                #expect(fronts == (try await model.expireAll(nowMs: history.nowMs)), "seed \(seed), step \(step)")
            }
            if history.chance(5) { try await store.finishHousekeeping() }
            if history.chance(10) {
                let crashed = history.chance(50) ? try folder.crashed() : nil
                await store.close()
                folder = crashed ?? folder
                store = try openStore(folder, tuning)
            }
            if history.chance(20) || step == 149 {
                try await compare(store, model, &history, "seed \(seed), step \(step)")
            }
        }
        #expect(refusals > 0, "seed \(seed)")
        await store.close()
    }

    private func compare(
        _ store: SQLiteStore, _ model: MemoryStore, _ history: inout RandomHistory, _ place: Comment
    ) async throws {
        for id in history.channels {
            let head = await model.head(of: id)
            #expect(try await store.head(of: id) == head, place)
            for epoch in 0...(head?.epoch ?? 0) + 1 {
                #expect(try await store.epoch(epoch, of: id) == (await model.epoch(epoch, of: id)), place)
            }
            #expect(try await store.allEntries(of: id, batch: 3_000) == (try await model.allEntries(of: id)), place)
            let first = UInt64.random(in: 0...(head?.lastSeq ?? 0) + 1, using: &history.random)
            let last = first + UInt64.random(in: 0...100, using: &history.random)
            let read = try await store.entries(of: id, from: first, through: last, maximumBytes: 2_000)
            #expect(read == (await model.entries(of: id, from: first, through: last, maximumBytes: 2_000)), place)
            let since = UInt64.random(in: 1_000_000...history.nowMs, using: &history.random)
            let ids = try await store.entryIDs(of: id, receivedSinceMs: since)
            let expected = await model.entryIDs(of: id, receivedSinceMs: since)
            #expect(ids.map(\.id) == expected.map(\.id) && ids.map(\.seq) == expected.map(\.seq), place)
            #expect(try await store.shelf(of: id) == (await model.shelf(of: id)), place)
        }
        for (name, _) in history.names {
            #expect(try await store.record(under: name) == (await model.record(under: name)), place)
        }
        var statistics = try await store.statistics()
        statistics.diskBytes = 0
        #expect(statistics == (await model.statistics()), place)
    }
}
