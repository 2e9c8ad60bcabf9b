import Foundation
import KithSupport
import KithWire
import NIOCore
import TestSupport
import Testing

@testable import KithRelay

@Suite struct FileBlobStoreTests {
    private static let times = BlobTimes(createdMs: 1_000, expiresMs: 10_000, uploadEndsMs: 5_000)
    private static let roomy: UInt64 = 1 << 30

    private static func blob(_ size: UInt64) -> NewBlob {
        NewBlob(
            id: .random(), read: Grant(for: .random()), write: Grant(for: .random()), size: size, lifetimeSeconds: 1)
    }

    private static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in .random(in: 0...255, using: &generator) }
    }

    /// Uploads all bytes of a blob.
    private static func upload(_ bytes: [UInt8], to blob: NewBlob, in store: FileBlobStore) async throws {
        try await store.create(blob, times: times, maximumBytes: roomy)
        let upload = try await store.upload(to: blob.id, at: 0)
        #expect(try await upload.append(ByteBuffer(bytes: bytes), isSynced: true) == UInt64(bytes.count))
    }

    private static func file(of blob: NewBlob, in folder: URL) -> URL {
        URL(filePath: BlobFolder(path: folder.path).file(of: blob.id))
    }

    @Test("an upload goes on after the store was opened again, and the blob is read as it was written")
    func resumed() async throws {
        try await withTemporaryFolder { folder in
            let bytes = Self.bytes(100_000)
            let blob = Self.blob(100_000)
            var store = try FileBlobStore(folder: folder.path)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            for start in stride(from: 0, to: 100_000, by: 25_000) {
                let upload = try await store.upload(to: blob.id, at: UInt64(start))
                let piece = ByteBuffer(bytes: bytes[start..<start + 25_000])
                #expect(try await upload.append(piece, isSynced: true) == UInt64(start + 25_000))
                await store.close()
                store = try FileBlobStore(folder: folder.path)
            }
            #expect(store.statistics() == BlobStatistics(count: 1, bytes: 100_000))
            let download = try await store.download(blob.id)
            #expect(Array(try await download.bytes(at: 0, count: 100_000).readableBytesView) == bytes)
            #expect(
                Array(try await download.bytes(at: 99_990, count: 10).readableBytesView) == Array(bytes.suffix(10)))
            await store.close()
        }
    }

    @Test("bytes that were not made durable are cut off, and the upload goes on before them")
    func torn() async throws {
        try await withTemporaryFolder { folder in
            let bytes = Self.bytes(3_000)
            let blob = Self.blob(3_000)
            var store = try FileBlobStore(folder: folder.path)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            let upload = try await store.upload(to: blob.id, at: 0)
            #expect(try await upload.append(ByteBuffer(bytes: bytes[..<1_000]), isSynced: true) == 1_000)
            #expect(try await upload.append(ByteBuffer(bytes: [9, 9, 9]), isSynced: false) == 1_000)
            await store.close()
            store = try FileBlobStore(folder: folder.path)
            #expect(try await store.record(of: blob.id)?.status.stored == 1_000)
            let next = try await store.upload(to: blob.id, at: 1_000)
            #expect(try await next.append(ByteBuffer(bytes: bytes[1_000...]), isSynced: false) == 3_000)
            let download = try await store.download(blob.id)
            #expect(Array(try await download.bytes(at: 0, count: 3_000).readableBytesView) == bytes)
            await store.close()
        }
    }

    @Test("a later upload ends an earlier one, which changes nothing any more")
    func superseded() async throws {
        try await withBlobStore { store, _ in
            let blob = Self.blob(10)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            let first = try await store.upload(to: blob.id, at: 0)
            let second = try await store.upload(to: blob.id, at: 0)
            await #expect(throws: BlobError.superseded) {
                try await first.append(ByteBuffer(bytes: [1, 2, 3]), isSynced: true)
            }
            #expect(try await second.append(ByteBuffer(bytes: 0..<10), isSynced: false) == 10)
            let download = try await store.download(blob.id)
            #expect(Array(try await download.bytes(at: 0, count: 10).readableBytesView) == Array(0..<10))
        }
    }

    @Test("an upload at another place, beyond the size, or of a complete blob is refused")
    func refusedUploads() async throws {
        try await withBlobStore { store, _ in
            let blob = Self.blob(4)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            await #expect(throws: BlobError.wrongOffset(BlobStatus(stored: 0, size: 4, expiresMs: 10_000))) {
                _ = try await store.upload(to: blob.id, at: 1)
            }
            let upload = try await store.upload(to: blob.id, at: 0)
            await #expect(throws: BlobError.tooLong) {
                try await upload.append(ByteBuffer(bytes: 0..<5), isSynced: true)
            }
            #expect(try await upload.append(ByteBuffer(bytes: 0..<4), isSynced: false) == 4)
            await #expect(throws: BlobError.wrongOffset(BlobStatus(stored: 4, size: 4, expiresMs: 10_000))) {
                _ = try await store.upload(to: blob.id, at: 4)
            }
            await #expect(throws: BlobError.denied) { _ = try await store.upload(to: .random(), at: 0) }
        }
    }

    @Test("an incomplete blob is not read")
    func incomplete() async throws {
        try await withBlobStore { store, _ in
            let blob = Self.blob(4)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            await #expect(throws: BlobError.denied) { _ = try await store.download(blob.id) }
        }
    }

    @Test("the same blob may be created again, another one with its id may not")
    func createdTwice() async throws {
        try await withBlobStore { store, _ in
            let blob = Self.blob(4)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            try await store.create(blob, times: Self.times, maximumBytes: Self.roomy)
            #expect(store.statistics() == BlobStatistics(count: 1, bytes: BlobLimits.leastCharge))
            let other = NewBlob(id: blob.id, read: blob.read, write: .nobody, size: 4, lifetimeSeconds: 1)
            await #expect(throws: BlobError.exists) {
                try await store.create(other, times: Self.times, maximumBytes: Self.roomy)
            }
        }
    }

    @Test("an incomplete blob counts with its whole size, and room comes back when a blob is deleted")
    func room() async throws {
        try await withBlobStore { store, _ in
            let (first, second) = (Self.blob(600_000), Self.blob(400_001))
            try await store.create(first, times: Self.times, maximumBytes: 1_000_000)
            await #expect(throws: BlobError.full) {
                try await store.create(second, times: Self.times, maximumBytes: 1_000_000)
            }
            try await store.delete(first.id)
            try await store.create(second, times: Self.times, maximumBytes: 1_000_000)
            #expect(store.statistics() == BlobStatistics(count: 1, bytes: 400_001))
        }
    }

    @Test("expiry deletes what is over, complete or not, and nothing else")
    func expiry() async throws {
        try await withBlobStore { store, folder in
            let (complete, partial) = (Self.blob(4), Self.blob(4))
            try await Self.upload([1, 2, 3, 4], to: complete, in: store)
            try await store.create(partial, times: Self.times, maximumBytes: Self.roomy)
            _ = try await store.upload(to: partial.id, at: 0).append(ByteBuffer(bytes: [1]), isSynced: true)
            #expect(try await store.expire(nowMs: 4_999) == 0)
            #expect(try await store.expire(nowMs: 5_000) == 1)
            #expect(try await store.record(of: partial.id) == nil)
            #expect(!FileManager.default.fileExists(atPath: Self.file(of: partial, in: folder).path))
            #expect(try await store.expire(nowMs: 9_999) == 0)
            #expect(FileManager.default.fileExists(atPath: Self.file(of: complete, in: folder).path))
            #expect(try await store.expire(nowMs: 10_000) == 1)
            #expect(!FileManager.default.fileExists(atPath: Self.file(of: complete, in: folder).path))
            #expect(store.statistics() == BlobStatistics())
        }
    }

    @Test("a deletion that a killed process began is finished by the next expiry")
    func interruptedDeletion() async throws {
        try await withTemporaryFolder { folder in
            let blob = Self.blob(4)
            var store = try FileBlobStore(folder: folder.path)
            try await Self.upload([1, 2, 3, 4], to: blob, in: store)
            await store.close()
            let connection = try BlobTable.open(BlobFolder(path: folder.path).table)
            try BlobTable(connection: connection).beginDeletion(of: blob.id)
            store = try FileBlobStore(folder: folder.path)
            #expect(try await store.record(of: blob.id) == nil)
            #expect(try await store.expire(nowMs: 0) == 1)
            #expect(!FileManager.default.fileExists(atPath: Self.file(of: blob, in: folder).path))
            #expect(store.statistics() == BlobStatistics())
            await store.close()
        }
    }

    @Test("a deletion ends an upload that is under way, and a download that is under way goes on")
    func deletionMeanwhile() async throws {
        try await withBlobStore { store, folder in
            let (complete, partial) = (Self.blob(4), Self.blob(4))
            try await Self.upload([1, 2, 3, 4], to: complete, in: store)
            try await store.create(partial, times: Self.times, maximumBytes: Self.roomy)
            let download = try await store.download(complete.id)
            let upload = try await store.upload(to: partial.id, at: 0)
            try await store.delete(complete.id)
            try await store.delete(partial.id)
            #expect(Array(try await download.bytes(at: 1, count: 3).readableBytesView) == [2, 3, 4])
            await #expect(throws: BlobError.superseded) {
                try await upload.append(ByteBuffer(bytes: [1]), isSynced: true)
            }
            #expect(!FileManager.default.fileExists(atPath: Self.file(of: partial, in: folder).path))
        }
    }

    @Test("a file that is gone or has another size is reported as damage")
    func damage() async throws {
        try await withBlobStore { store, folder in
            let (gone, short) = (Self.blob(4), Self.blob(4))
            for blob in [gone, short] { try await Self.upload([1, 2, 3, 4], to: blob, in: store) }
            try FileManager.default.removeItem(at: Self.file(of: gone, in: folder))
            try Data([1, 2, 3]).write(to: Self.file(of: short, in: folder))
            await #expect(throws: BlobError.failed(.damaged("the file of a blob is missing"))) {
                _ = try await store.download(gone.id)
            }
            await #expect(throws: BlobError.failed(.damaged("the file of a blob has another size"))) {
                _ = try await store.download(short.id)
            }
        }
    }

    @Test("the audit shows each blob, and says which file lacks acknowledged bytes")
    func audit() async throws {
        try await withTemporaryFolder { folder in
            let (whole, short, empty) = (Self.blob(4), Self.blob(4), Self.blob(4))
            let store = try FileBlobStore(folder: folder.path)
            for blob in [whole, short] { try await Self.upload([1, 2, 3, 4], to: blob, in: store) }
            try await store.create(empty, times: Self.times, maximumBytes: Self.roomy)
            try Data([1, 2, 3]).write(to: Self.file(of: short, in: folder))
            func check() throws {
                var rows: [String: AuditRow.BlobRow] = [:]
                try BlobAudit(folder: BlobFolder(path: folder.path), isLocked: false)?.forEachRow { row in
                    if case .blob(let row) = row { rows[row.readTokenHash] = row }
                }
                #expect(rows.count == 3)
                for (blob, stored, fileBytes) in [(whole, 4, 4), (short, 4, 3), (empty, 0, nil)] as [(_, _, UInt64?)] {
                    let row = try #require(rows[Hex.encode(blob.read.bytes)])
                    #expect(row.size == 4 && row.stored == stored && row.fileBytes == fileBytes)
                    #expect(row.isDamaged == (blob == short))
                    #expect(row.createdMs == 1_000 && row.expiresMs == 10_000)
                }
            }
            try check()
            await store.close()
            try check()
        }
    }

    @Test("only the owner can read folder, table and files")
    func modes() async throws {
        try await withBlobStore { store, folder in
            let blob = Self.blob(4)
            try await Self.upload([1, 2, 3, 4], to: blob, in: store)
            let paths = BlobFolder(path: folder.path)
            for (path, mode) in [
                (paths.files, 0o700), (paths.folder(of: blob.id), 0o700), (paths.file(of: blob.id), 0o600),
                (paths.table, 0o600),
            ] {
                let found = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(found == mode, "\(path)")
            }
        }
    }

    @Test("a file of another program is not opened as a table of blobs")
    func foreign() async throws {
        try await withTemporaryFolder { folder in
            try Data("not SQLite, but long enough to have a header of its own".utf8).write(
                to: folder.appending(path: "blobs.sqlite"))
            #expect(throws: StoreOpenError.self) { try FileBlobStore(folder: folder.path) }
        }
    }
}
