import Foundation
import ImageMetadata
import KithCore
import KithSupport
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file that is read and written at any offset. The file is closed when its last reference is released.
final class LocalFile: Sendable, ByteSource {
    private let descriptor: Int32
    private let path: String

    /// Opens a regular file for reading. A device, a pipe, a folder or a symbolic link is refused without a wait.
    ///
    /// - Throws: ``PrivateFileError``.
    init(reading path: String) throws(PrivateFileError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        self.path = path
        guard descriptor >= 0 else { throw error(.read) }
        guard try status().st_mode & S_IFMT == S_IFREG else { throw error(.read, try isFolder() ? EISDIR : EINVAL) }
    }

    /// Opens a file of the profile's folder for writing. If the file does not exist, creates the file with the mode 0600.
    ///
    /// - Throws: ``PrivateFileError``.
    init(writing path: String) throws(PrivateFileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw error(.write) }
        let failure = FileSystem.makePrivate(descriptor)
        guard failure == 0 else { throw error(.write, failure) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func error(_ operation: PrivateFileError.Operation, _ number: Int32? = nil) -> PrivateFileError {
        PrivateFileError(operation, URL(fileURLWithPath: path), errno: number)
    }

    private func status() throws(PrivateFileError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw error(.read) }
        return status
    }

    private func isFolder() throws(PrivateFileError) -> Bool { try status().st_mode & S_IFMT == S_IFDIR }

    /// The marks by which a change of the file is recognized.
    func stamp() throws(PrivateFileError) -> FileStamp {
        let status = try status()
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return FileStamp(
            size: UInt64(status.st_size),
            modifiedNs: UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000 &+ UInt64(time.tv_nsec),
            inode: UInt64(status.st_ino))
    }

    /// The present size, in bytes; 0 if the file can't be examined.
    var size: UInt64 { (try? stamp().size) ?? 0 }

    /// Reads the bytes of a range.
    ///
    /// - Throws: ``PrivateFileError``. If the file ends before the range does, the error contains `ENODATA`.
    func bytes(in range: Range<UInt64>) throws -> [UInt8] { try read(range) }

    func read(_ range: Range<UInt64>) throws(PrivateFileError) -> [UInt8] {
        let count = Int(range.upperBound - range.lowerBound)
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled,
                    off_t(range.lowerBound) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failure = got < 0 ? errno : ENODATA
                    return
                }
                filled += got
            }
        }
        guard failure == 0 else { throw error(.read, failure) }
        return bytes
    }

    /// Writes bytes at an offset.
    func write(_ bytes: some Collection<UInt8>, at offset: UInt64) throws(PrivateFileError) {
        let failure = bytes.withContiguousStorageIfAvailable {
            FileSystem.write(UnsafeRawBufferPointer($0), to: descriptor, at: offset)
        }
        guard let failure else { return try write(Array(bytes), at: offset) }
        guard failure == 0 else { throw error(.write, failure) }
    }

    /// Cuts the file to a length, or extends it with zeros.
    func truncate(to length: UInt64) throws(PrivateFileError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw error(.write) }
    }

    /// Returns when the content is on the disk.
    func sync() throws(PrivateFileError) {
        guard fsync(descriptor) == 0 else { throw error(.write) }
    }

    /// Whether a path leads to this file, and not to another one or to a symbolic link.
    func isAt(_ path: String) -> Bool {
        var found = stat()
        guard lstat(path, &found) == 0, let own = try? status() else { return false }
        return found.st_ino == own.st_ino && found.st_dev == own.st_dev
    }

    /// Whether no other path leads to this file.
    var hasOneName: Bool { (try? status().st_nlink) == 1 }

    /// Locks the file against other processes. The lock ends with this object.
    ///
    /// - Returns: whether the file is locked now. The file cannot be locked while another process has the lock, or if the file
    ///   system has no locks.
    func lock() -> Bool { FileSystem.lock(descriptor, LOCK_EX | LOCK_NB) == 0 }
}
