import Foundation
import KithSupport
import PrivateFiles

/// The files of a SQLite store. Only the owner of the files can read them.
struct StoreFolder: Sendable {
    let path: String

    var database: String { path + "/relay.sqlite" }
    var wal: String { database + "-wal" }
    private var lock: String { path + "/relay.lock" }

    /// If the folder is missing, creates a folder with the mode 0700. If the database file is missing, creates an empty file with
    /// the mode 0600. SQLite gives all further files the mode of the database file.
    func create() throws(StoreOpenError) {
        try StoreFolder.makeFolder(path)
        try StoreFolder.makeFile(database)
    }

    /// If a folder is missing, creates the folder with the mode 0700. Also creates missing parent folders.
    static func makeFolder(_ path: String) throws(StoreOpenError) {
        do throws(PrivateFileError) { try PrivateFile.makeFolder(URL(filePath: path)) } catch {
            throw .failed(file: error.path, StoreFailure(errno: error.errno))
        }
    }

    /// If a file is missing, creates an empty file. Then sets the file's mode to 0600: an existing file may be a copy with a
    /// different mode.
    static func makeFile(_ path: String) throws(StoreOpenError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .failed(file: path, .last) }
        defer { close(file) }
        let error = FileSystem.makePrivate(file)
        guard error == 0 else { throw .failed(file: path, StoreFailure(errno: error)) }
    }

    /// Locks the folder. While the folder is locked, no other caller can open the store, and ``lockedForReading()`` returns
    /// `nil`. The lock ends when the returned object is released, at the latest at the end of the process.
    func locked() throws(StoreOpenError) -> FolderLock {
        let file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .failed(file: lock, .last) }
        fchmod(file, 0o600)
        let error = FileSystem.lock(file, LOCK_EX | LOCK_NB)
        guard error == 0 else {
            close(file)
            throw error == EWOULDBLOCK ? .inUse(folder: path) : .failed(file: lock, StoreFailure(errno: error))
        }
        return FolderLock(file)
    }

    /// Locks the folder while the caller reads the files. Returns `nil` if the store is already open, or was never opened.
    /// Until the lock ends, no relay can open the store.
    func lockedForReading() -> FolderLock? {
        let file = open(lock, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        guard FileSystem.lock(file, LOCK_SH | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        return FolderLock(file)
    }

    /// The size of the database and its write-ahead log, in bytes.
    var diskBytes: UInt64 { StoreFolder.size(of: database) + StoreFolder.size(of: wal) }

    /// The free space on the disk that contains a folder, in bytes.
    static func freeDiskBytes(at path: String) throws(StoreFailure) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .io(String(cString: strerror(errno))) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    static func size(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// A lock on a folder. The folder is unlocked when the object is released.
final class FolderLock: Sendable {
    private let file: Int32

    init(_ file: Int32) { self.file = file }

    deinit { close(file) }
}
