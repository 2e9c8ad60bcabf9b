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

/// The folder of a profile: 0700, and every file in it 0600, whatever the umask.
struct ProfileFolder: Sendable {
    private let url: URL

    init(_ url: URL) { self.url = url }

    /// The database. SQLite gives the files that it adds (`-wal`, `-shm`) the mode of this one.
    var vault: URL { url.appendingPathComponent("vault.db") }
    /// A database that is being made. It is renamed when it is complete.
    var unfinishedVault: URL { url.appendingPathComponent("vault.new") }
    /// The key that opens the vault if the user chose no passphrase.
    var keyFile: URL { url.appendingPathComponent("vault.key") }
    /// The lock file, which names the process that has the profile.
    var lock: URL { url.appendingPathComponent("profile.lock") }

    private static let names: Set = [
        "vault.db", "vault.db-wal", "vault.db-shm", "vault.new", "vault.new-journal", "vault.new-wal", "vault.new-shm",
        "vault.key", "profile.lock",
    ]

    /// Makes the folder, 0700, if it does not exist.
    ///
    /// A folder that other users can enter is closed to them if it holds nothing but a profile. One with other files is
    /// refused, since its mode is a user's choice.
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

    /// Whether the folder has a vault.
    var hasVault: Bool { access(vault.path, F_OK) == 0 }

    /// Takes rights from other users that a copy or restore has given them, unless the folder can't be written.
    ///
    /// - Throws: ``PrivateFileError`` if this user may not read the vault, or may not write it.
    func tighten(forReading: Bool) throws(PrivateFileError) {
        guard access(vault.path, R_OK) == 0 else { throw PrivateFileError(.read, vault) }
        guard isWritable else {
            // `errno` has the reason of the check.
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

    /// Whether this user may write the vault, and the files that SQLite adds.
    var isWritable: Bool { access(vault.path, W_OK) == 0 && access(url.path, W_OK | X_OK) == 0 }

    /// The profile's files that other users of this machine may read: none, unless the file system has no modes.
    var filesOpenToOthers: [String] {
        Self.names.sorted().filter { PrivateFile(url.appendingPathComponent($0)).isOpenToOthers }
    }

    /// Makes the empty file of a new vault, in place of one that a killed process may have left.
    ///
    /// - Throws: ``PrivateFileError``.
    func makeUnfinishedVault() throws(PrivateFileError) {
        removeUnfinishedVault()
        close(try PrivateFile.makeEmpty(unfinishedVault))
    }

    /// Removes an incomplete vault.
    func removeUnfinishedVault() {
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(unfinishedVault.path + suffix) }
    }

    /// Gives a complete vault its name.
    ///
    /// - Returns: whether it has the name; if not, there is another vault already.
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

    /// Removes the key file. The new secret is on the disk already, so errors are ignored.
    func removeKeyFile() {
        if unlink(keyFile.path) == 0 { sync() }
    }

    /// Writes the folder to the disk, so that names survive a power cut. Does not fail where a file system can't do it.
    func sync() {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
