import KithSimulation
import KithSupport
import KithWire
import MLS
import Testing

@testable import KithCore

@Suite struct DeletionQueueTests {
    private let store = MemoryProfileStore()
    private var queue = DeletionQueue()
    private var step = Step()
    private let relay = RelayID(rawValue: 2)

    private mutating func add(expiresMs: UInt64 = 1_000_000_000, at retryAt: UInt64? = nil) -> OwnBlob {
        let blob = OwnBlob(relay: relay, blob: .random(), write: .random(), expiresMs: expiresMs)
        queue.add(blob, at: retryAt, random: .system, in: &step)
        return blob
    }

    /// Ends the step. Its transaction reaches the disk.
    @discardableResult
    private mutating func commit() throws -> ProfileOutput {
        let output = step.finish()
        try store.commit(output.transaction)
        return output
    }

    /// Reads the queue from the disk.
    private mutating func reload() throws {
        queue = DeletionQueue()
        for value in try store.allValues(.deletion) {
            queue.load(TransferID(rawValue: value.item), try DeletionRecord(stored: value.bytes))
        }
    }

    @Test("a deletion is on the disk until the relay no longer has the blob")
    mutating func durable() throws {
        let blobs = [add(), add()]
        try commit()
        try reload()
        #expect(Set(queue.blobs) == Set(blobs))
        let (id, blob) = try #require(queue.startable(at: 0).first)
        queue.didStart(id)
        try reload()
        #expect(queue.startable(at: 0).map(\.blob).contains(blob))
        queue.finish(id, in: &step)
        try commit()
        try reload()
        #expect(queue.blobs == blobs.filter { $0 != blob })
    }

    @Test("the pauses after failures grow up to an hour, and end when the relay is connected")
    mutating func pauses() throws {
        _ = add()
        let id = try #require(queue.startable(at: 0).first?.id)
        var pauses: [UInt64] = []
        for _ in 0..<12 {
            queue.didStart(id)
            #expect(queue.startable(at: .max).isEmpty && queue.due.isEmpty)
            queue.pause(id, pauseMs: 3, at: 1_000)
            pauses.append(try #require(queue.due.first) - 1_000)
            #expect(queue.startable(at: 1_000).isEmpty)
        }
        #expect(pauses.prefix(4) == [10_000, 20_000, 40_000, 80_000])
        #expect(pauses.last == 3_600_000)
        queue.didConnect(RelayID(rawValue: 9))
        #expect(queue.startable(at: 1_000).isEmpty)
        queue.didConnect(relay)
        #expect(queue.startable(at: 1_000).map(\.id) == [id])
        queue.didStart(id)
        queue.pause(id, pauseMs: 9_000_000, at: 0)
        #expect(queue.due == [9_000_000])
    }

    @Test("only a few deletions run at once, and one with a first attempt in the future waits")
    mutating func room() throws {
        for _ in 0..<5 { _ = add() }
        let later = add(at: 700)
        let first = queue.startable(at: 0)
        #expect(first.count == ClientLimits.transfers)
        for (id, _) in first { queue.didStart(id) }
        #expect(queue.startable(at: 1_000).isEmpty)
        for (id, _) in first { queue.finish(id, in: &step) }
        #expect(queue.startable(at: 699).count == 2 && queue.startable(at: 700).map(\.blob).contains(later))
    }

    @Test("the deletion of a blob that has expired is forgotten, and its job ends")
    mutating func expired() throws {
        _ = add(expiresMs: 500)
        let kept = add(expiresMs: 501)
        for (id, _) in queue.startable(at: 0) { queue.didStart(id) }
        queue.removeExpired(at: 500, in: &step)
        let output = try commit()
        #expect(output.effects.count { if case .endTransfer = $0 { true } else { false } } == 1)
        #expect(queue.blobs == [kept])
        try reload()
        #expect(queue.blobs == [kept])
    }

    @Test("beyond the limit, the blob that expires first is left to its expiry")
    mutating func limit() throws {
        for number in 0..<UInt64(ClientLimits.blobDeletions) { _ = add(expiresMs: 1_000 + number) }
        let last = add(expiresMs: 5)
        #expect(queue.blobs.count == ClientLimits.blobDeletions && !queue.blobs.contains(last))
        _ = add(expiresMs: 1_000_000)
        #expect(queue.blobs.map(\.expiresMs).min() == 1_001)
    }
}
