import Glibc

/// The files of a SQLite store. Only their owner can read them.
struct StoreFolder: Sendable {
    let path: String

    var database: String { path + "/relay.sqlite" }
    var wal: String { database + "-wal" }
    private var lock: String { path + "/relay.lock" }

    /// Creates the folder (0700) and an empty database file (0600) if they do not exist. SQLite gives its other files the mode of
    /// the database file.
    func create() throws(StoreOpenError) {
        // The mode is set again, because the umask may have removed rights, even the owner's.
        if mkdir(path, 0o700) == 0 { chmod(path, 0o700) } else if errno != EEXIST { throw failed(path) }
        let file = open(database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(database) }
        defer { Glibc.close(file) }
        // The mode is set even if the file exists, because of the umask, and because the file may be a copy with another mode.
        guard fchmod(file, 0o600) == 0 else { throw failed(database) }
    }

    /// Locks the folder against all other openers. The lock ends when it is released, at the latest with the process.
    func locked() throws(StoreOpenError) -> FolderLock {
        let file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(lock) }
        fchmod(file, 0o600)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let failure = failed(lock)
            Glibc.close(file)
            throw isHeld ? .inUse(folder: path) : failure
        }
        return FolderLock(file)
    }

    /// Locks the folder against openers while its files are read. Returns `nil` if the folder is open, or was never opened.
    func lockedForReading() -> FolderLock? {
        let file = open(lock, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_SH | LOCK_NB) == 0 else {
            Glibc.close(file)
            return nil
        }
        return FolderLock(file)
    }

    /// The size of the database and its write-ahead log, in bytes.
    var diskBytes: UInt64 { StoreFolder.size(of: database) + StoreFolder.size(of: wal) }

    static func size(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private func failed(_ file: String) -> StoreOpenError {
        .failed(file: file, errno == ENOSPC ? .full : .io(String(cString: strerror(errno))))
    }
}

/// A lock on a folder. The folder is unlocked when the object is released.
final class FolderLock: Sendable {
    private let file: Int32

    init(_ file: Int32) { self.file = file }

    deinit { Glibc.close(file) }
}
