import Foundation
import KithWire
import NIOCore
import TestSupport
import Testing

@testable import KithRelay

/// The removal of blobs from the disk, and stores whose files were removed by others.
@Suite struct BlobRemovalTests {
    private static let times = BlobTimes(createdMs: 1_000, expiresMs: 10_000, uploadEndsMs: 5_000)

    private static func create(_ size: UInt64, in store: FileBlobStore) async throws -> BlobID {
        let blob = NewBlob(
            id: .random(), read: Grant(for: .random()), write: Grant(for: .random()), size: size, lifetimeSeconds: 1)
        try await store.create(blob, times: times, maximumBytes: 1 << 30)
        return blob.id
    }

    private static func upload(_ bytes: [UInt8], to id: BlobID, in store: FileBlobStore) async throws {
        _ = try await store.upload(to: id, at: 0).append(ByteBuffer(bytes: bytes), isSynced: true)
    }

    @Test("a file that can't be removed does not keep other expired blobs, and is tried again")
    func stuckFile() async throws {
        try await withBlobStore { store, folder in
            var ids: [BlobID] = []
            for _ in 0..<5 {
                ids.append(try await Self.create(1, in: store))
                try await Self.upload([1], to: ids[ids.count - 1], in: store)
            }
            // A folder in place of a file can't be unlinked.
            let files = ids.map { BlobFolder(path: folder.path).file(of: $0) }
            for file in files[..<2] {
                try FileManager.default.removeItem(atPath: file)
                try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
            }
            await #expect(throws: BlobError.self) { _ = try await store.expire(nowMs: 10_000) }
            #expect(store.statistics() == BlobStatistics(count: 2, bytes: 2 * BlobLimits.leastCharge))
            #expect(files.map { FileManager.default.fileExists(atPath: $0) } == [true, true, false, false, false])
            for file in files[..<2] { try FileManager.default.removeItem(atPath: file) }
            #expect(try await store.expire(nowMs: 10_000) == 2)
            #expect(store.statistics() == BlobStatistics())
        }
    }

    @Test("no upload leaves a file without a row while its blob expires")
    func uploadDuringExpiry() async throws {
        try await withBlobStore { store, folder in
            for _ in 0..<100 {
                let id = try await Self.create(4, in: store)
                async let expired = store.expire(nowMs: 10_000)
                // Each upload either comes before the removal or is refused.
                for _ in 0..<4 { try? await Self.upload([1, 2], to: id, in: store) }
                #expect(try await expired == 1)
                #expect(try await store.record(of: id) == nil)
                #expect(!FileManager.default.fileExists(atPath: BlobFolder(path: folder.path).file(of: id)))
            }
            #expect(store.statistics() == BlobStatistics())
        }
    }

    @Test("an upload whose stored bytes are gone is refused and creates no file")
    func lostBytes() async throws {
        try await withBlobStore { store, folder in
            let id = try await Self.create(4, in: store)
            try await Self.upload([1, 2], to: id, in: store)
            try FileManager.default.removeItem(atPath: BlobFolder(path: folder.path).files)
            await #expect(throws: BlobError.failed(.damaged("the file of a blob is missing"))) {
                _ = try await store.upload(to: id, at: 2)
            }
            #expect(!FileManager.default.fileExists(atPath: BlobFolder(path: folder.path).file(of: id)))
        }
    }

    @Test("a folder that was deleted while the relay runs is created again")
    func lostFolder() async throws {
        try await withBlobStore { store, folder in
            let id = try await Self.create(4, in: store)
            try FileManager.default.removeItem(atPath: BlobFolder(path: folder.path).files)
            try await Self.upload([1, 2, 3, 4], to: id, in: store)
            let download = try await store.download(id)
            #expect(Array(try await download.bytes(at: 0, count: 4).readableBytesView) == [1, 2, 3, 4])
        }
    }

    @Test("bytes that are only reserved do not make the disk larger")
    func diskShare() {
        #expect(BlobLimits.diskShare(storedBytes: 0, freeBytes: 1_000) == 800)
        #expect(BlobLimits.diskShare(storedBytes: 600, freeBytes: 400) == 800)
        #expect(BlobLimits.diskShare(storedBytes: 0, freeBytes: 0) == 0)
    }

    @Test("the stored bytes follow uploads and deletions, and are counted again at the next start")
    func storedBytes() async throws {
        try await withTemporaryFolder { folder in
            var store = try FileBlobStore(folder: folder.path)
            let (first, second) = (try await Self.create(4, in: store), try await Self.create(9, in: store))
            #expect(store.storedBytes == 0)
            try await Self.upload([1, 2, 3, 4], to: first, in: store)
            try await Self.upload([1, 2, 3], to: second, in: store)
            #expect(store.storedBytes == 7)
            await store.close()
            store = try FileBlobStore(folder: folder.path)
            #expect(store.storedBytes == 7)
            _ = try await store.upload(to: second, at: 3).append(ByteBuffer(bytes: [4, 5]), isSynced: true)
            #expect(store.storedBytes == 9)
            try await store.delete(first)
            #expect(store.storedBytes == 5)
            await store.close()
        }
    }

    @Test("a folder that has only files is a relay in use")
    func onlyFiles() async throws {
        try await withTemporaryFolder { folder in
            #expect(try await Relay.isUnused(in: folder))
            let store = try FileBlobStore(folder: folder.path)
            let id = try await Self.create(4, in: store)
            await store.close()
            #expect(try await Relay.isUnused(in: folder) == false)
            let again = try FileBlobStore(folder: folder.path)
            try await again.delete(id)
            await again.close()
            #expect(try await Relay.isUnused(in: folder))
        }
    }
}
