import KithWire
import NIOCore
import NIOPosix
import PrivateFiles
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A store that keeps each blob in a file, and one row for each blob in a table.
///
/// Every file has a row: the store writes a blob's row before it creates the file, and deletes the row after the file is deleted.
/// If the process is killed during a deletion, the next ``expire(nowMs:)`` completes the deletion. A row counts only durable
/// bytes.
package final class FileBlobStore: BlobStore {
    private struct Totals {
        var statistics: BlobStatistics
        /// The sum of the durable bytes of all blobs.
        var storedBytes: UInt64
    }

    private struct OpenFiles {
        /// The files of blobs that are being uploaded.
        var uploads: [BlobID: BlobFile] = [:]
        /// Blobs whose files are being removed. An upload would create a removed file again, so the store refuses uploads to the
        /// blobs in this set.
        var removed: Set<BlobID> = []
    }

    private let folder: BlobFolder
    private let rows: ConnectionThread
    private let files = NIOThreadPool(numberOfThreads: BlobLimits.threads)
    private let openFiles = Mutex(OpenFiles())
    private let totals: Mutex<Totals>

    /// Opens the store in a folder. If the folder or the store is missing, creates it. The caller must have locked the folder
    /// before.
    package init(folder path: String) throws(StoreOpenError) {
        folder = BlobFolder(path: path)
        try folder.create()
        let connection = try BlobTable.open(folder.table)
        do throws(StoreFailure) {
            let table = BlobTable(connection: connection)
            totals = Mutex(Totals(statistics: try table.totals(), storedBytes: try table.storedBytes()))
        } catch {
            throw StoreOpenError(error, file: folder.table)
        }
        rows = ConnectionThread(connection)
        files.start()
    }

    // MARK: BlobStore

    /// See ``BlobStore/create(_:times:maximumBytes:)``.
    package func create(_ blob: NewBlob, times: BlobTimes, maximumBytes: UInt64) async throws(BlobError) {
        let freeBytes = folder.freeBytes
        try await withRows { table throws(BlobError) in
            if let known = try table.find(blob.id) {
                guard known.isReservation(of: blob) else { throw .exists }
                return
            }
            let totals = self.totals.withLock { $0 }
            let limit = min(
                maximumBytes, BlobLimits.diskShare(storedBytes: totals.storedBytes, freeBytes: freeBytes))
            guard totals.statistics.hasRoom(for: blob, within: limit) else { throw .full }
            do throws(StoreFailure) {
                // A blob that is being deleted still has a row.
                guard try table.extent(of: blob.id) == nil else { throw .io("the blob is being deleted") }
                try table.insert(blob, times)
            } catch { throw .failed(error) }
            self.totals.withLock { totals in
                totals.statistics.count += 1
                totals.statistics.bytes += BlobLimits.charge(for: blob.size)
            }
        }
    }

    /// See ``BlobStore/record(of:)``.
    package func record(of id: BlobID) async throws(BlobError) -> BlobRecord? {
        try await withRows { table throws(BlobError) in try table.find(id) }
    }

    /// See ``BlobStore/upload(to:at:)``.
    package func upload(to id: BlobID, at offset: UInt64) async throws(BlobError) -> any BlobUpload {
        let (file, number) = try openFiles.withLock { files throws(BlobError) in
            guard !files.removed.contains(id) else { throw .denied }
            let file = files.uploads[id] ?? BlobFile()
            files.uploads[id] = file
            // The end of an earlier upload must not remove the file from the dictionary.
            return (file, file.beginUpload())
        }
        do throws(BlobError) {
            // From now on, no earlier upload can change the row.
            guard let status = try await record(of: id)?.status else { throw .denied }
            guard status.stored == offset, !status.isComplete else { throw .wrongOffset(status) }
            let folder = folder
            try await onFileThread { () throws(BlobError) in
                try file.open(for: number, stored: offset) { () throws(StoreFailure) in
                    try folder.openForWriting(id, stored: offset)
                }
            }
            return Upload(store: self, id: id, file: file, number: number, size: status.size, stored: offset)
        } catch {
            endUpload(number, of: id, file)
            throw error
        }
    }

    /// See ``BlobStore/download(_:)``.
    package func download(_ id: BlobID) async throws(BlobError) -> any BlobDownload {
        guard let status = try await record(of: id)?.status, status.isComplete else { throw .denied }
        let folder = folder
        let file = try await onFileThread { () throws(BlobError) in
            do throws(StoreFailure) { return try folder.openForReading(id, size: status.size) } catch {
                throw .failed(error)
            }
        }
        return Download(store: self, file: file)
    }

    /// See ``BlobStore/delete(_:)``.
    package func delete(_ id: BlobID) async throws(BlobError) {
        try await withRows { table throws(BlobError) in
            do throws(StoreFailure) { try table.beginDeletion(of: id) } catch {
                // A full disk has no room for the mark. Removing the file makes room.
                guard error == .full else { throw .failed(error) }
            }
        }
        try await finishDeletion(of: id)
    }

    /// See ``BlobStore/expire(nowMs:)``.
    package func expire(nowMs: UInt64) async throws(BlobError) -> Int {
        var count = 0
        var last: BlobID?
        var failure: BlobError?
        while true {
            let due = try await withRows { [last] table throws(BlobError) in
                do throws(StoreFailure) {
                    return try table.due(nowMs: nowMs, after: last, atMost: BlobLimits.deletedAtOnce)
                } catch { throw .failed(error) }
            }
            guard !due.isEmpty else { break }
            last = due.last
            for id in due {
                // A file that can't be removed does not keep the other files from being removed.
                do throws(BlobError) {
                    try await finishDeletion(of: id)
                    count += 1
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
        return count
    }

    /// See ``BlobStore/statistics()``.
    package func statistics() -> BlobStatistics { totals.withLock { $0.statistics } }

    /// The sum of the durable bytes of all blobs.
    var storedBytes: UInt64 { totals.withLock { $0.storedBytes } }

    /// See ``BlobStore/close()``.
    package func close() async {
        for file in openFiles.withLock({ Array($0.uploads.values) }) { file.endUploads() }
        try? await files.shutdownGracefully()
        await rows.close()
    }

    // MARK: Parts

    /// Removes the file of a blob, then its row.
    private func finishDeletion(of id: BlobID) async throws(BlobError) {
        let upload = openFiles.withLock { files in
            files.removed.insert(id)
            return files.uploads.removeValue(forKey: id)
        }
        defer { openFiles.withLock { _ = $0.removed.remove(id) } }
        let folder = folder
        try await onFileThread { () throws(BlobError) in
            upload?.endUploads()
            do throws(StoreFailure) { try folder.remove(id) } catch { throw .failed(error) }
        }
        try await withRows { table throws(BlobError) in
            do throws(StoreFailure) {
                guard let extent = try table.extent(of: id) else { return }
                try table.remove(id)
                self.totals.withLock { totals in
                    totals.statistics.count -= 1
                    totals.statistics.bytes -= BlobLimits.charge(for: extent.size)
                    totals.storedBytes -= extent.stored
                }
            } catch { throw .failed(error) }
        }
    }

    fileprivate func endUpload(_ number: UInt64, of id: BlobID, _ file: BlobFile) {
        openFiles.withLock { files in
            if files.uploads[id] === file, file.isLatest(number) { files.uploads[id] = nil }
        }
    }

    /// Notes that `stored` bytes are durable.
    fileprivate func note(_ stored: UInt64, of upload: Upload) async throws(BlobError) {
        try await withRows { table throws(BlobError) in
            guard upload.file.isLatest(upload.number) else { throw .superseded }
            do throws(StoreFailure) {
                try table.setStored(stored, of: upload.id, isComplete: stored == upload.size)
            } catch { throw .failed(error) }
            let before = upload.stored.exchange(stored, ordering: .relaxed)
            self.totals.withLock { $0.storedBytes += stored - before }
        }
    }

    private func withRows<T: Sendable>(
        _ body: @escaping @Sendable (BlobTable) throws(BlobError) -> T
    ) async throws(BlobError) -> T {
        let result: Result<T, BlobError>
        do throws(StoreFailure) {
            result = try await rows.run { connection throws(StoreFailure) in
                do throws(BlobError) { return .success(try body(BlobTable(connection: connection))) } catch {
                    return .failure(error)
                }
            }
        } catch { throw .failed(error) }
        return try result.get()
    }

    fileprivate func onFileThread<T: Sendable>(
        _ body: @escaping @Sendable () throws(BlobError) -> T
    ) async throws(BlobError) -> T {
        let result: Result<T, BlobError>
        do {
            result = try await files.runIfActive {
                // Messages come before files.
                ThreadPriority.lower()
                do throws(BlobError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch { throw .failed(.closed) }
        return try result.get()
    }
}

extension BlobTable {
    /// Like ``record(of:)``, but throws a ``BlobError``.
    fileprivate func find(_ id: BlobID) throws(BlobError) -> BlobRecord? {
        do throws(StoreFailure) { return try record(of: id) } catch { throw .failed(error) }
    }
}

/// An upload to a ``FileBlobStore``.
private final class Upload: BlobUpload {
    private let store: FileBlobStore
    let id: BlobID
    let file: BlobFile
    let number: UInt64
    let size: UInt64
    /// The number of bytes that are durable.
    let stored: Atomic<UInt64>
    private let end: Atomic<UInt64>

    init(store: FileBlobStore, id: BlobID, file: BlobFile, number: UInt64, size: UInt64, stored: UInt64) {
        self.store = store
        self.id = id
        self.file = file
        self.number = number
        self.size = size
        self.stored = Atomic(stored)
        end = Atomic(stored)
    }

    deinit { store.endUpload(number, of: id, file) }

    func append(_ bytes: ByteBuffer, isSynced: Bool) async throws(BlobError) -> UInt64 {
        let rest = size - end.load(ordering: .relaxed)
        guard UInt64(bytes.readableBytes) <= rest else { throw .tooLong }
        // The last bytes are always made durable: only a durable blob may be reported as complete.
        let isSynced = isSynced || UInt64(bytes.readableBytes) == rest
        let (file, number) = (file, number)
        let end = try await store.onFileThread { () throws(BlobError) in
            // The closure can't throw a typed error through the buffer's function.
            let result: Result<UInt64, BlobError> = bytes.withUnsafeReadableBytes { bytes in
                do throws(BlobError) {
                    return .success(try file.append(bytes, of: number, isSynced: isSynced))
                } catch { return .failure(error) }
            }
            return try result.get()
        }
        self.end.store(end, ordering: .relaxed)
        if isSynced { try await store.note(end, of: self) }
        return stored.load(ordering: .relaxed)
    }
}

/// A download from a ``FileBlobStore``.
private final class Download: BlobDownload {
    private let store: FileBlobStore
    private let file: Int32

    init(store: FileBlobStore, file: Int32) {
        self.store = store
        self.file = file
    }

    deinit { close(file) }

    func bytes(at offset: UInt64, count: Int) async throws(BlobError) -> ByteBuffer {
        let file = file
        return try await store.onFileThread { () throws(BlobError) in
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            while buffer.readableBytes < count {
                let place = off_t(offset) + off_t(buffer.readableBytes)
                let read = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - buffer.readableBytes) {
                    let read = pread(file, $0.baseAddress, min($0.count, count), place)
                    return max(0, read)
                }
                guard read > 0 else { throw .failed(.damaged("the file of a blob is too short")) }
            }
            return buffer
        }
    }
}
