import Glibc

/// The files of a SQLite store, readable by their owner only.
struct StoreFolder: Sendable {
    let path: String

    var database: String { path + "/relay.sqlite" }
    var wal: String { database + "-wal" }
    private var lock: String { path + "/relay.lock" }

    /// Makes the folder (0700) and an empty database file (0600), where they are not there yet. SQLite gives its other
    /// files the mode of that one.
    func create() throws(StoreOpenError) {
        // Whatever the umask is: it can take from the owner too.
        if mkdir(path, 0o700) == 0 { chmod(path, 0o700) } else if errno != EEXIST { throw failed(path) }
        let file = open(database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(database) }
        defer { Glibc.close(file) }
        // Whatever the umask was, and whoever copied the file here.
        guard fchmod(file, 0o600) == 0 else { throw failed(database) }
    }

    /// Keeps every other opener out until the lock is let go, which the end of the process does too.
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

    /// Keeps openers out for as long as the files are read; `nil` if one has the folder open, or never had.
    func lockedForReading() -> FolderLock? {
        let file = open(lock, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_SH | LOCK_NB) == 0 else {
            Glibc.close(file)
            return nil
        }
        return FolderLock(file)
    }

    /// The bytes of the database and its log.
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

/// A held lock of a folder.
final class FolderLock: Sendable {
    private let file: Int32

    init(_ file: Int32) { self.file = file }

    deinit { Glibc.close(file) }
}
