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

/// The folder that a profile is kept in: 0700, and every file in it 0600, whatever the umask.
struct ProfileFolder: Sendable {
    private let url: URL

    init(_ url: URL) { self.url = url }

    /// The database. SQLite gives the files that it puts beside it (`-wal`, `-shm`) the mode of this one.
    var vault: URL { url.appendingPathComponent("vault.db") }
    /// A database that is being made. It gets its name when it is complete.
    var unfinishedVault: URL { url.appendingPathComponent("vault.new") }
    /// The key that opens the vault where the user chose no passphrase.
    var keyFile: URL { url.appendingPathComponent("vault.key") }
    /// What says which process has the profile.
    var lock: URL { url.appendingPathComponent("profile.lock") }

    private static let names: Set = [
        "vault.db", "vault.db-wal", "vault.db-shm", "vault.new", "vault.new-journal", "vault.new-wal", "vault.new-shm",
        "vault.key", "profile.lock",
    ]

    /// Makes the folder, 0700, if it is not there.
    ///
    /// A folder that is open to others is closed to them if nothing but a profile is in it. One that has other things in it
    /// is somebody's choice, and not a place for a profile.
    ///
    /// - Throws: ``PrivateFileError``.
    func make() throws(PrivateFileError) {
        var status = stat()
        if stat(url.path, &status) != 0 {
            try PrivateFile.makeFolder(url)
            guard stat(url.path, &status) == 0 else { throw PrivateFileError(.write, url) }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw PrivateFileError(.write, url, errno: ENOTDIR) }
        guard status.st_mode & 0o777 != 0o700 else { return }
        let content = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        guard content.allSatisfy(Self.names.contains) else { throw PrivateFileError(.write, url, errno: EPERM) }
        let error = FileSystem.makePrivate(url.path, mode: 0o700)
        guard error == 0 else { throw PrivateFileError(.write, url, errno: error) }
    }

    /// Whether there is a vault.
    var hasVault: Bool { access(vault.path, F_OK) == 0 }

    /// Closes to others what a copy or a restore has left open to them, unless nothing can be written here.
    ///
    /// - Throws: ``PrivateFileError`` if this user may not read the vault, or may not write it.
    func tighten(forReading: Bool) throws(PrivateFileError) {
        guard access(vault.path, R_OK) == 0 else { throw PrivateFileError(.read, vault) }
        guard isWritable else {
            // The check has left the reason.
            if !forReading { throw PrivateFileError(.write, vault) }
            return
        }
        chmod(url.path, 0o700)
        for name in Self.names {
            let path = url.appendingPathComponent(name).path
            var status = stat()
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o777 != 0o600 {
                chmod(path, 0o600)
            }
        }
    }

    /// Whether this user may write the vault, and the files that SQLite puts beside it.
    var isWritable: Bool { access(vault.path, W_OK) == 0 && access(url.path, W_OK | X_OK) == 0 }

    /// The profile's files that others on this machine may read: none, unless the file system has no modes.
    var filesOpenToOthers: [String] {
        Self.names.sorted().filter { PrivateFile(url.appendingPathComponent($0)).isOpenToOthers }
    }

    /// Makes the file of a vault that is to be made: empty, in the place of what a kill may have left.
    ///
    /// - Throws: ``PrivateFileError``.
    func makeUnfinishedVault() throws(PrivateFileError) {
        removeUnfinishedVault()
        close(try PrivateFile.makeEmpty(unfinishedVault))
    }

    /// Removes what there is of a vault that was being made.
    func removeUnfinishedVault() {
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(unfinishedVault.path + suffix) }
    }

    /// Gives a vault that is complete its name.
    ///
    /// - Returns: whether it has it; if not, there is one already.
    /// - Throws: ``PrivateFileError``.
    func finishVault() throws(PrivateFileError) -> Bool {
        switch FileSystem.name(unfinishedVault.path, vault.path) {
        case 0: break
        case EEXIST: return false
        case let error: throw PrivateFileError(.write, vault, errno: error)
        }
        sync()
        return true
    }

    /// Removes the key file. What it was for is on the disk already, so a failure is no reason to fail.
    func removeKeyFile() {
        if unlink(keyFile.path) == 0 { sync() }
    }

    /// So that names survive a power cut. A file system that can't is no reason to fail.
    func sync() {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
