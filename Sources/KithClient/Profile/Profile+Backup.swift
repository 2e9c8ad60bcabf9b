import Crypto
import Foundation
import KithCore
import KithWire
import MLS

// A backup is a file with the account, the contacts and the history.

extension Profile {
    /// Writes a backup of the current state. The profile may be open in another process.
    ///
    /// - Parameters:
    ///   - file: the new file, which must not exist yet.
    ///   - passphrase: the passphrase of the backup, which must not be empty.
    ///   - includesFiles: whether the backup contains the files that are on this device.
    /// - Returns: the number of damaged entries, and of other damaged values and files. The backup contains nothing that is
    ///   damaged.
    /// - Throws: ``KithError/backup(_:)`` or ``KithError/store(_:)``. After an error, there is no file.
    public func writeBackup(
        to file: URL, passphrase: String, includesFiles: Bool = true
    ) throws(KithError) -> DamageCount {
        try writeBackup(to: file, passphrase: passphrase, includesFiles: includesFiles, cost: .standard)
    }

    /// Writes a backup. The caller sets the cost of deriving the key from the passphrase.
    @discardableResult
    func writeBackup(
        to file: URL, passphrase: String, includesFiles: Bool = true, cost: ScryptParameters.Cost
    ) throws(KithError) -> DamageCount {
        let folder = includesFiles ? transfers?.folder : nil
        guard let vault = store as? VaultStore else { return try write(to: file, passphrase, cost, files: folder) }
        return try vault.atOneMoment { () throws(KithError) in
            try self.write(to: file, passphrase, cost, files: folder)
        }
    }

    private func write(
        to file: URL, _ passphrase: String, _ cost: ScryptParameters.Cost, files: FilesFolder?
    ) throws(KithError) -> DamageCount {
        // The vault is read again, because another process may have written to it since the profile was opened.
        let now = try ProfileMachine(reading: store, now: Self.now)
        var writer: BackupWriter
        do throws(BackupError) { writer = try BackupWriter(to: file, passphrase: passphrase, cost: cost) } catch {
            throw .backup(error)
        }
        try now.eachBackupRecord { (record) throws(KithError) in
            do throws(BackupError) { try writer.append(record) } catch { throw .backup(error) }
        }
        var damagedFiles = 0
        if let files { damagedFiles = try BackupFiles.write(of: FileViews(now), in: files, to: &writer) }
        do throws(BackupError) { try writer.finish() } catch { throw .backup(error) }
        return DamageCount(entries: now.damagedEntries.count, otherValues: now.damagedValues + damagedFiles)
    }

    /// Reads and checks a whole backup. Stores nothing.
    ///
    /// - Throws: ``KithError/backup(_:)``.
    public static func openBackup(at file: URL, passphrase: String) throws(KithError) -> OpenedBackup {
        try OpenedBackup(at: file, passphrase)
    }

    /// Creates a profile from a backup. The profile is a new device of the same account, with the history. A conversation
    /// continues on the new device after a member has added the device.
    ///
    /// - Parameters:
    ///   - backup: the backup, from ``openBackup(at:passphrase:)``.
    ///   - folder: the new profile's folder. The folder must not contain a profile yet.
    ///   - deviceName: the name of this device.
    ///   - secret: the secret that opens the new profile.
    /// - Throws: ``KithError/profileExists``, and the errors of ``create(in:name:deviceName:secret:)``.
    public static func restore(
        _ backup: OpenedBackup, in folder: URL, deviceName: String, secret: VaultSecret
    ) async throws(KithError) -> Profile {
        let lock = try ProfileLock.acquire(in: folder)
        if ProfileFolder(folder).hasVault { throw .profileExists }
        // The vault is made last. Without a vault, the folder has no profile, and the backup can be restored again.
        try backup.restoreFiles(into: FilesFolder(ofProfile: folder))
        let store = try VaultStore.create(in: folder, secret, holding: try backup.transaction(deviceName: deviceName))
        let profile = try Profile(store: store, lock: lock)
        await profile.begin()
        return profile
    }

    static func transaction(
        from file: URL, _ passphrase: String, deviceName: String
    ) throws(KithError) -> StoreTransaction {
        try OpenedBackup(at: file, passphrase).transaction(deviceName: deviceName)
    }
}

/// An opened backup: the passphrase was right, and the backup is complete.
public struct OpenedBackup: Sendable {
    private var contents = BackupContents()
    private let file: URL
    private let key: SymmetricKey

    init(at file: URL, _ passphrase: String) throws(KithError) {
        var reader: BackupReader
        do throws(BackupError) { reader = try BackupReader(from: file, passphrase: passphrase) } catch {
            throw .backup(error)
        }
        (self.file, key) = (file, reader.key)
        while true {
            let bytes: [UInt8]?
            do throws(BackupError) { bytes = try reader.next() } catch { throw .backup(error) }
            guard let bytes else { break }
            try contents.take(bytes)
        }
        guard contents.isComplete else { throw .backup(.damaged) }
    }

    /// Reads the backup again, and writes its files into the folder of the new profile.
    func restoreFiles(into folder: FilesFolder) throws(KithError) {
        guard contents.hasFiles else { return }
        var reader: BackupReader
        do throws(BackupError) { reader = try BackupReader(from: file, key: key) } catch { throw .backup(error) }
        try BackupFiles.restore(into: folder) { () throws(KithError) in
            do throws(BackupError) { return try reader.next() } catch { throw .backup(error) }
        }
    }

    /// Returns the transaction that stores the backup as a new device.
    func transaction(deviceName: String) throws(KithError) -> StoreTransaction {
        try contents.transaction(deviceName: deviceName, now: Profile.now)
    }
}
