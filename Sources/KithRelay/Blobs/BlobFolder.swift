import Foundation
import KithSupport
import KithWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of a ``FileBlobStore``: `blobs.sqlite`, and `blobs/AA/ID` for each blob. Only their owner can read them.
struct BlobFolder: Sendable {
    let path: String

    var table: String { path + "/blobs.sqlite" }
    var files: String { path + "/blobs" }

    func folder(of id: BlobID) -> String { files + "/" + Hex.encode(id.bytes.prefix(1)) }

    func file(of id: BlobID) -> String { folder(of: id) + "/" + Hex.encode(id.bytes) }

    /// Creates the folders and an empty table's file if they do not exist.
    func create() throws(StoreOpenError) {
        for folder in [path, files] {
            if mkdir(folder, 0o700) == 0 { chmod(folder, 0o700) } else if errno != EEXIST { throw failed(folder) }
        }
        let file = open(table, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(table) }
        defer { close(file) }
        guard fchmod(file, 0o600) == 0 else { throw failed(table) }
    }

    /// Opens a blob's file for writing, with exactly `stored` bytes. Creates it if it does not exist.
    func openForWriting(_ id: BlobID, stored: UInt64) throws(StoreFailure) -> Int32 {
        let folder = folder(of: id)
        if mkdir(folder, 0o700) == 0 {
            chmod(folder, 0o700)
            try Self.syncFolder(files)
        } else if errno != EEXIST {
            throw .last
        }
        let file = open(file(of: id), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .last }
        do throws(StoreFailure) {
            if stored == 0 { try Self.syncFolder(folder) }
            guard Self.size(of: file) ?? 0 >= stored else { throw .damaged("the file of a blob is too short") }
            guard ftruncate(file, off_t(stored)) == 0 else { throw .last }
            return file
        } catch {
            close(file)
            throw error
        }
    }

    /// Opens the file of a complete blob for reading.
    func openForReading(_ id: BlobID, size: UInt64) throws(StoreFailure) -> Int32 {
        let file = open(file(of: id), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw errno == ENOENT ? .damaged("the file of a blob is missing") : .last }
        guard Self.size(of: file) == size else {
            close(file)
            throw .damaged("the file of a blob has another size")
        }
        return file
    }

    func remove(_ id: BlobID) throws(StoreFailure) {
        guard unlink(file(of: id)) == 0 || errno == ENOENT else { throw .last }
    }

    /// The bytes of free room on the disk.
    var freeBytes: UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    private static func size(of file: Int32) -> UInt64? {
        var status = stat()
        return fstat(file, &status) == 0 ? UInt64(status.st_size) : nil
    }

    private static func syncFolder(_ path: String) throws(StoreFailure) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .last }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .last }
    }

    private func failed(_ file: String) -> StoreOpenError { .failed(file: file, .last) }
}

extension StoreFailure {
    /// The failure of the system's last call.
    static var last: StoreFailure { errno == ENOSPC || errno == EDQUOT ? .full : .io(String(cString: strerror(errno))) }
}
