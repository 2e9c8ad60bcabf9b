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

/// The folder of a profile. The folder has the mode 0700. Each file in it has the mode 0600. The umask changes neither the
/// folder's mode nor the modes of the files.
struct ProfileFolder: Sendable {
    let url: URL

    init(_ url: URL) { self.url = url }

    /// The database. SQLite gives its additional files (`-wal`, `-shm`) the mode of this file.
    var vault: URL { url.appendingPathComponent("vault.db") }
    /// An incomplete database. The file gets its final name when the database is complete.
    var unfinishedVault: URL { url.appendingPathComponent("vault.new") }
    /// The key that opens the vault if the user chose no passphrase.
    var keyFile: URL { url.appendingPathComponent("vault.key") }
    /// The lock file, which contains the id of the process that has opened the profile.
    var lock: URL { url.appendingPathComponent("profile.lock") }

    private static let names: Set = [
        "vault.db", "vault.db-wal", "vault.db-shm", "vault.new", "vault.new-journal", "vault.new-wal", "vault.new-shm",
        "vault.key", "profile.lock", "files",
    ]

    /// Creates the folder with the mode 0700 if the folder does not exist.
    ///
    /// Other users might have rights to an existing folder. If the folder contains nothing but a profile, removes the rights of
    /// other users. If the folder also contains other files, refuses the folder: the folder's mode might be the user's choice.
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

    /// Removes the rights of other users to the folder and its files. A copy or a restore of the folder may have given rights
    /// to other users. If this user may not write the vault or the folder, changes nothing.
    ///
    /// - Throws: ``PrivateFileError`` if this user may not read the vault, or if `forReading` is `false` and this user may not
    ///   write the vault or the folder.
    func tighten(forReading: Bool) throws(PrivateFileError) {
        guard access(vault.path, R_OK) == 0 else { throw PrivateFileError(.read, vault) }
        guard isWritable else {
            // `errno` still has the reason why the check failed.
            if !forReading { throw PrivateFileError(.write, vault) }
            return
        }
        chmod(url.path, 0o700)
        chmod(url.appendingPathComponent("files").path, 0o700)
        for name in Self.names {
            let path = url.appendingPathComponent(name).path
            var status = stat()
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o777 != 0o600 {
                chmod(path, 0o600)
            }
        }
    }

    /// Whether this user may write the vault, and may create SQLite's additional files in the folder.
    var isWritable: Bool { access(vault.path, W_OK) == 0 && access(url.path, W_OK | X_OK) == 0 }

    /// The profile's files to which other users of this machine have rights. After ``tighten(forReading:)``, the list is empty,
    /// unless the file system has no modes or this user may not write the folder.
    var filesOpenToOthers: [String] {
        Self.names.sorted().filter { PrivateFile(url.appendingPathComponent($0)).isOpenToOthers }
    }

    /// Creates the empty file of a new vault. The new file replaces an incomplete vault of a killed process.
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

    /// Gives a complete vault its final name.
    ///
    /// - Returns: `true` if the vault got the name, `false` if another vault already has the name.
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

    /// Removes the key file. Errors are ignored: the vault already has a new secret, so the file is useless.
    func removeKeyFile() {
        if unlink(keyFile.path) == 0 { sync() }
    }

    /// Writes the folder to the disk, so that file names survive a power cut. Ignores errors: some file systems cannot do this.
    func sync() {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
