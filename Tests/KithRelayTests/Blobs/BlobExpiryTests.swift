import Foundation
import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

/// The end of blobs whose time is over.
@Suite(.timeLimit(.minutes(5))) struct BlobExpiryTests {
    private struct Blob {
        let id = BlobID.random()
        let read = Token.random()
        let write = Token.random()
    }

    /// Creates a blob of 4 bytes that the relay keeps for an hour, and uploads `count` bytes.
    private static func upload(_ count: Int, to relay: TestRelay) async throws -> Blob {
        let blob = Blob()
        let (connection, channel) = try await relay.connectWithChannel()
        let new = NewBlob(
            id: blob.id, read: Grant(for: blob.read), write: Grant(for: blob.write), size: 4, lifetimeSeconds: 3_600)
        #expect(try await connection.request(.createBlob(channel: channel.id, epoch: 0, blob: new)) == .done)
        await connection.close()
        try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
            _ = try await connection.append(to: blob.id, token: blob.write, offset: 0, count: UInt64(count)) {
                ByteBuffer(repeating: 7, count: count)
            }
        }
        return blob
    }

    private static func isDenied(_ blob: Blob, at relay: TestRelay) async throws -> Bool {
        do {
            _ = try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) {
                try await $0.status(of: blob.id, token: blob.read)
            }
            return false
        } catch RelayConnectionError.refused(let error) {
            return error.code == .denied
        }
    }

    /// The names in the relay's folder of blobs.
    private static func names(at relay: TestRelay) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: BlobFolder(path: relay.folder.path + "/relay").files)
    }

    @Test(
        "an expired blob leaves the disk with its row and its folder, also at an idle relay",
        arguments: [(4, 3_600), (3, 3_600)])
    func expired(stored: Int, lifetime: UInt64) async throws {
        let clock = TestClock()
        try await withBlobRelay(clock: clock) { relay in
            let blob = try await Self.upload(stored, to: relay)
            // The sweep itself runs by the machine's clock. Nothing else reads the relay's clock now.
            clock.advance(milliseconds: lifetime * 1_000 - 1)
            await relay.server.hub.expireBlobs()
            #expect(try Self.names(at: relay).count == 1)
            #expect(try await Self.isDenied(blob, at: relay) == false)
            clock.advance(milliseconds: 1)
            await relay.server.hub.expireBlobs()
            #expect(try Self.names(at: relay).isEmpty)
            #expect(try await Self.isDenied(blob, at: relay))
            #expect(await relay.server.hub.blobs?.store.statistics() == BlobStatistics())
            let rows = try SQLiteConnection(
                path: BlobFolder(path: relay.folder.path + "/relay").table, mode: .readWrite)
            #expect(try rows.number("SELECT count(*) FROM blob") == 0)
        }
    }

    @Test("an incomplete blob leaves the disk a day after it was reserved")
    func incomplete() async throws {
        let clock = TestClock()
        try await withBlobRelay(limits: { $0.blobs.uploadSeconds = 600 }, clock: clock) { relay in
            let (complete, incomplete) = (try await Self.upload(4, to: relay), try await Self.upload(3, to: relay))
            clock.advance(seconds: 600)
            await relay.server.hub.expireBlobs()
            #expect(try await Self.isDenied(incomplete, at: relay))
            #expect(try await Self.isDenied(complete, at: relay) == false)
            #expect(try Self.names(at: relay).count == 1)
        }
    }

    @Test("expired blobs are looked for more than once a minute")
    func interval() { #expect(BlobLimits.sweepSeconds <= 30) }

    @Test("the default limits admit a blob of the largest size, and leave room for other addresses")
    func consistent() {
        for limits in [BlobLimits(), .household] {
            #expect(limits.sizeMiB <= limits.addressMiBPerDay)
            #expect(limits.addressMiBPerDay < limits.storeMiB)
        }
        var small = BlobLimits()
        small.storeMiB = 3
        #expect(small.size == 3 << 20)
    }

    @Test("an address that has created nothing for a day creates a blob of the largest size, and waits after it")
    func largest() async throws {
        let clock = TestClock()
        let limits = { (limits: inout RelayLimits) in
            limits.blobs.sizeMiB = 6
            limits.blobs.addressMiBPerDay = 6
        }
        try await withBlobRelay(limits: limits, clock: clock) { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            func wait() async throws -> UInt32? {
                let new = NewBlob(
                    id: .random(), read: Grant(for: .random()), write: Grant(for: .random()), size: 6 << 20,
                    lifetimeSeconds: 60)
                let error = try await connection.refusal(
                    of: .createBlob(channel: channel.id, epoch: 0, blob: new))
                #expect(error == nil || error?.code == .tooFast)
                return error?.retryAfterMs
            }
            #expect(try await wait() == nil)
            let ms = try #require(try await wait())
            // Once the stated time is over, the budget is not empty, and one more blob may exceed it.
            clock.advance(milliseconds: UInt64(ms))
            #expect(try await wait() == nil)
            let longer = try #require(try await wait())
            #expect(longer > ms && longer <= 86_400_000)
            await connection.close()
        }
    }

    @Test("blobs in one folder are created and deleted at the same time")
    func sharedFolder() async throws {
        try await withBlobStore { store, folder in
            try await withThrowingTaskGroup { tasks in
                for number in 0..<4 as Range<UInt8> {
                    tasks.addTask {
                        for round in 0..<50 as Range<UInt8> {
                            let bytes = [0, number, round] + [UInt8](repeating: 1, count: 29)
                            let id = try #require(BlobID(bytes))
                            try await store.create(
                                NewBlob(
                                    id: id, read: Grant(for: .random()), write: Grant(for: .random()), size: 1,
                                    lifetimeSeconds: 1),
                                times: BlobTimes(createdMs: 1, expiresMs: 9, uploadEndsMs: 9), maximumBytes: 1 << 30)
                            _ = try await store.upload(to: id, at: 0).append(ByteBuffer(bytes: [1]), isSynced: true)
                            try await store.delete(id)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: BlobFolder(path: folder.path).files).isEmpty)
        }
    }
}
