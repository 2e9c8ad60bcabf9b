import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file of a blob that is being uploaded. Only the latest upload of the blob may write to the file.
final class BlobFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        /// The number of bytes that were written.
        var end: UInt64 = 0
    }

    /// The lock of the file. A thread holds the lock while it writes or syncs the file. A write or a sync can take long, so only
    /// file threads may wait for the lock.
    private let state = Mutex(State())
    /// The number of the latest upload. Event loops read the number without the file's lock: a thread may hold the lock while it
    /// waits for the disk.
    private let latest = Atomic<UInt64>(0)
    private let isOver = Atomic<Bool>(false)

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// Begins an upload and ends all earlier uploads. Returns the number of the new upload.
    func beginUpload() -> UInt64 {
        latest.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    }

    /// Ends all uploads. If a write is under way, waits for the end of the write. Called when the blob is deleted or the store
    /// closes.
    func endUploads() {
        isOver.store(true, ordering: .sequentiallyConsistent)
        state.withLock { state in
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = -1
        }
    }

    /// Whether the upload with this number is the latest upload and has not ended.
    func isLatest(_ upload: UInt64) -> Bool {
        !isOver.load(ordering: .sequentiallyConsistent) && latest.load(ordering: .sequentiallyConsistent) == upload
    }

    /// Opens the file for an upload that continues after `stored` bytes. `open` must open the file and return its descriptor.
    func open(
        for upload: UInt64, stored: UInt64, _ open: () throws(StoreFailure) -> Int32
    ) throws(BlobError) {
        try state.withLock { state throws(BlobError) in
            guard isLatest(upload) else { throw .superseded }
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = -1
            do throws(StoreFailure) { state.descriptor = try open() } catch { throw .failed(error) }
            state.end = stored
        }
    }

    /// Writes bytes at the end of the file. If `isSynced` is `true`, also makes the file durable.
    ///
    /// - Returns: the size of the file in bytes, including the bytes that earlier uploads wrote.
    func append(_ bytes: UnsafeRawBufferPointer, of upload: UInt64, isSynced: Bool) throws(BlobError) -> UInt64 {
        try state.withLock { state throws(BlobError) in
            guard isLatest(upload), state.descriptor >= 0 else { throw .superseded }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = pwrite(
                    state.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, off_t(state.end))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .failed(.last) }
                state.end += UInt64(count)
                rest = rest.dropFirst(count)
            }
            if isSynced, fdatasync(state.descriptor) != 0 { throw .failed(.last) }
            return state.end
        }
    }
}
