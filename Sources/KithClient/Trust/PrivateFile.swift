import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small file that only its owner may read (0600), in a folder that only its owner may enter (0700 if it is made here).
///
/// Written as a whole or not at all: a crash, a full disk or another process never leaves half of it.
public struct PrivateFile: Hashable, Sendable {
    /// Where it is.
    public let url: URL

    /// A file that may not exist yet.
    public init(_ url: URL) { self.url = url }

    /// Reads it; `nil` if there is none.
    ///
    /// - Parameter limit: the longest content read, in bytes.
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

    /// Whether somebody other than the owner may read or write it. `false` if it is not there.
    public var isOpenToOthers: Bool {
        var status = stat()
        return stat(url.path, &status) == 0 && status.st_mode & 0o077 != 0
    }

    /// Puts `content` in the place of what there was, on disk before this returns.
    ///
    /// - Throws: ``PrivateFileError``; then the file is as it was.
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

    /// Makes the file with `content` if there is none.
    ///
    /// - Returns: whether it was made here; if not, there was one, and it is as it was.
    /// - Throws: ``PrivateFileError``.
    public func writeIfMissing(_ content: [UInt8]) throws(PrivateFileError) -> Bool {
        try makeFolder()
        let new = temporaryPath
        defer { unlink(new) }
        try create(new, content)
        // Unlike rename, link leaves a file that came in the meantime.
        if link(new, url.path) == 0 {
            syncFolder()
            return true
        }
        guard errno == EEXIST else { throw PrivateFileError(.write, url) }
        return false
    }

    /// Runs `body` while no other process runs one for the same file. The lock is a file beside it that stays.
    ///
    /// - Throws: ``PrivateFileError``, or what `body` throws.
    public func locked<R>(_ body: () throws(PrivateFileError) -> R) throws(PrivateFileError) -> R {
        try makeFolder()
        let descriptor = open(url.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PrivateFileError(.write, url) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw PrivateFileError(.write, url) }
        }
        return try body()
    }

    private var temporaryPath: String { "\(url.path).\(getpid()).\(UInt32.random(in: 0 ... .max)).new" }

    private func makeFolder() throws(PrivateFileError) {
        let folder = url.deletingLastPathComponent()
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue { return }
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PrivateFileError(.write, folder, errno: EACCES)
        }
    }

    private func create(_ path: String, _ content: [UInt8]) throws(PrivateFileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PrivateFileError(.write, url) }
        defer { close(descriptor) }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { buffer in
                systemWrite(descriptor, buffer.baseAddress.map { $0 + written }, content.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PrivateFileError(.write, url) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw PrivateFileError(.write, url) }
    }

    /// So that the new name survives a power cut too. A file system that can't is no reason to fail.
    private func syncFolder() {
        let descriptor = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// Why a private file could not be read or written.
public struct PrivateFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried.
    public enum Operation: String, Sendable {
        /// Reading the file.
        case read
        /// Writing or locking it, or making its folder.
        case write
    }

    /// What was tried.
    public let operation: Operation
    /// With which file or folder.
    public let path: String
    /// The system's reason.
    public let errno: Int32

    init(_ operation: Operation, _ url: URL, errno: Int32? = nil) {
        self.operation = operation
        path = url.path
        // Taken before anything else can change it.
        self.errno = errno ?? lastError()
    }

    /// One sentence for the user, without a full stop.
    public var description: String { "can't \(operation.rawValue) \(path): \(String(cString: strerror(errno)))" }
}
