import Foundation
import KithSupport
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that is read or written from its beginning to its end. The file is closed when its last reference is released.
final class OpenFile: Sendable {
    private let descriptor: Int32
    private let url: URL
    /// The temporary name of a file that is being written.
    private let unfinished: String?

    /// Opens an existing file for reading.
    ///
    /// - Throws: ``PrivateFileError``.
    init(reading url: URL) throws(PrivateFileError) {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PrivateFileError(.read, url) }
        self.descriptor = descriptor
        self.url = url
        unfinished = nil
    }

    /// Begins to write a file with the mode 0600. The file appears under its name after ``finish()``. No file with that name may
    /// exist.
    ///
    /// - Throws: ``PrivateFileError``.
    init(making url: URL) throws(PrivateFileError) {
        guard access(url.path, F_OK) != 0 else { throw PrivateFileError(.write, url, errno: EEXIST) }
        let path = "\(url.path).\(getpid()).\(UInt32.random(in: 0 ... .max)).new"
        descriptor = try PrivateFile.makeEmpty(URL(fileURLWithPath: path))
        self.url = url
        unfinished = path
    }

    deinit {
        close(descriptor)
        // A finished file no longer has a temporary name.
        if let unfinished { unlink(unfinished) }
    }

    /// Reads `count` bytes, or fewer at the end of the file.
    ///
    /// - Throws: ``PrivateFileError``.
    func read(atMost count: Int) throws(PrivateFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                systemRead(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw PrivateFileError(.read, url) }
            if got == 0 { break }
            filled += got
        }
        return Array(bytes[..<filled])
    }

    /// Writes all bytes.
    ///
    /// - Throws: ``PrivateFileError``.
    func write(_ bytes: [UInt8]) throws(PrivateFileError) {
        try PrivateFile.write(bytes, to: descriptor, of: url)
    }

    /// Gives the file its final name. When this returns, the file is on the disk.
    ///
    /// - Throws: ``PrivateFileError``. After an error, there is no file.
    func finish() throws(PrivateFileError) {
        guard let unfinished, fsync(descriptor) == 0 else { throw PrivateFileError(.write, url) }
        let error = FileSystem.name(unfinished, url.path)
        guard error == 0 else { throw PrivateFileError(.write, url, errno: error) }
        ProfileFolder(url.deletingLastPathComponent()).sync()
    }
}
