import Foundation
import KithSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small file that only its owner may read and write (0600). If the file's folder is missing, a write creates the folder. Only
/// the owner may enter a created folder (0700). The umask changes neither the file's mode nor the folder's mode.
///
/// Every write is atomic. A crash, a full disk or a second writer never leaves a file with half of the content.
public struct PrivateFile: Hashable, Sendable {
    /// The file's location.
    public let url: URL

    /// Describes a file. The file need not exist.
    public init(_ url: URL) { self.url = url }

    /// Reads the file. Returns `nil` if the file does not exist.
    ///
    /// - Parameter limit: maximum size of the content, in bytes.
    /// - Throws: ``PrivateFileError``.
    public func read(limit: Int) throws(PrivateFileError) -> [UInt8]? {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw PrivateFileError(.read, url)
        }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count <= limit {
            let got = content.withUnsafeMutableBytes { buffer in
                systemRead(descriptor, buffer.baseAddress.map { $0 + count }, limit + 1 - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw PrivateFileError(.read, url) }
            if got == 0 { return Array(content[..<count]) }
            count += got
        }
        throw PrivateFileError(.read, url, errno: EFBIG)
    }

    /// `true` if other users may read or write the file. `false` if the file does not exist.
    public var isOpenToOthers: Bool {
        var status = stat()
        return stat(url.path, &status) == 0 && status.st_mode & 0o077 != 0
    }

    /// If other users have rights to the file, sets its mode to 0600, so that only the owner keeps rights.
    ///
    /// - Returns: `true` if users other than the owner had rights and lost these rights. On a file system without modes, no
    ///   rights change, and the result is `false`.
    /// - Throws: ``PrivateFileError`` if the file belongs to a different user, or if the mode can't be changed.
    public func closeToOthers() throws(PrivateFileError) -> Bool {
        guard isOpenToOthers else { return false }
        let error = FileSystem.makePrivate(url.path, mode: 0o600)
        guard error == 0 else { throw PrivateFileError(.write, url, errno: error) }
        return !isOpenToOthers
    }

    /// The file's mode in the form of `chmod`, such as `0640`.
    public var modeText: String {
        var status = stat()
        guard stat(url.path, &status) == 0 else { return "unknown" }
        let digits = String(status.st_mode & 0o777, radix: 8)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Replaces the file's content. When the call returns, the content is on the disk.
    ///
    /// - Throws: ``PrivateFileError``. The file is unchanged after an error.
    public func write(_ content: [UInt8]) throws(PrivateFileError) {
        try makeFolder()
        let new = temporaryPath
        do throws(PrivateFileError) {
            try create(new, content)
            guard rename(new, url.path) == 0 else { throw PrivateFileError(.write, url) }
        } catch {
            unlink(new)
            throw error
        }
        syncFolder()
    }

    /// Creates the file with `content` if it does not exist.
    ///
    /// - Returns: `true` if the file was created; `false` if the file already existed. An existing file is not changed.
    /// - Throws: ``PrivateFileError``.
    public func writeIfMissing(_ content: [UInt8]) throws(PrivateFileError) -> Bool {
        try makeFolder()
        let new = temporaryPath
        defer { unlink(new) }
        try create(new, content)
        switch FileSystem.name(new, url.path) {
        case 0: break
        case EEXIST: return false
        case let error: throw PrivateFileError(.write, url, errno: error)
        }
        syncFolder()
        return true
    }

    /// Waits for the file's lock, runs `body`, and releases the lock. Only one process at a time has the lock. The lock is a
    /// separate file in the same folder. The lock file is never deleted.
    ///
    /// - Throws: ``PrivateFileError`` if the lock file can't be opened or locked, or the error of `body`.
    public func locked<R>(_ body: () throws(PrivateFileError) -> R) throws(PrivateFileError) -> R {
        try makeFolder()
        let descriptor = open(url.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PrivateFileError(.write, url) }
        defer { close(descriptor) }
        // The umask may have removed the owner's rights too. Then the next process could not open the lock file.
        fchmod(descriptor, 0o600)
        let error = FileSystem.lock(descriptor, LOCK_EX)
        guard error == 0 else { throw PrivateFileError(.write, url, errno: error) }
        return try body()
    }

    private var temporaryPath: String { "\(url.path).\(getpid()).\(UInt32.random(in: 0 ... .max)).new" }

    private func makeFolder() throws(PrivateFileError) { try Self.makeFolder(url.deletingLastPathComponent()) }

    /// Creates a folder and its missing parents, each with the mode 0700.
    ///
    /// - Throws: ``PrivateFileError``.
    package static func makeFolder(_ folder: URL) throws(PrivateFileError) {
        var status = stat()
        if stat(folder.path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw PrivateFileError(.write, folder, errno: ENOTDIR) }
            return
        }
        guard errno == ENOENT else { throw PrivateFileError(.write, folder) }
        let parent = folder.deletingLastPathComponent()
        // Prevents an endless recursion at the root.
        guard parent.path.utf8.count < folder.path.utf8.count else {
            throw PrivateFileError(.write, folder, errno: ENOENT)
        }
        try makeFolder(parent)
        guard mkdir(folder.path, 0o700) == 0 else {
            // Another process may have made the folder in the meantime.
            if errno == EEXIST { return }
            throw PrivateFileError(.write, folder)
        }
        let error = FileSystem.makePrivate(folder.path, mode: 0o700)
        guard error == 0 else { throw PrivateFileError(.write, folder, errno: error) }
    }

    /// Creates an empty file with the mode 0600 and opens it for writing. Fails if the file exists.
    ///
    /// - Returns: the open file's descriptor.
    /// - Throws: ``PrivateFileError``.
    package static func makeEmpty(_ url: URL) throws(PrivateFileError) -> Int32 {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PrivateFileError(.write, url) }
        let error = FileSystem.makePrivate(descriptor)
        guard error == 0 else {
            close(descriptor)
            unlink(url.path)
            throw PrivateFileError(.write, url, errno: error)
        }
        return descriptor
    }

    /// Writes all bytes to an open file.
    ///
    /// - Throws: ``PrivateFileError``, which names `url`.
    package static func write(_ bytes: [UInt8], to descriptor: Int32, of url: URL) throws(PrivateFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                systemWrite(descriptor, buffer.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PrivateFileError(.write, url) }
            written += count
        }
    }

    private func create(_ path: String, _ content: [UInt8]) throws(PrivateFileError) {
        let descriptor = try Self.makeEmpty(URL(fileURLWithPath: path))
        defer { close(descriptor) }
        try Self.write(content, to: descriptor, of: url)
        guard fsync(descriptor) == 0 else { throw PrivateFileError(.write, url) }
    }

    /// Writes the folder to the disk, so that the file's new name survives a power cut. Some file systems refuse to write a
    /// folder to the disk, so the function ignores errors.
    private func syncFolder() {
        let descriptor = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

extension PrivateFileError {
    /// Creates an error about a file. If `errno` is `nil`, the reason is the system's current error.
    package init(_ operation: Operation, _ url: URL, errno: Int32? = nil) {
        // The current error is read here, before another system call can change it.
        self.init(operation, path: url.path, errno: errno ?? lastError())
    }
}

extension PrivateFileError: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String { "can't \(operation.rawValue) \(path): \(SystemError(errno).sentence)" }
}
