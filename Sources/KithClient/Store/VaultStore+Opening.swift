import Crypto
import Foundation
import KithSupport
import PrivateFiles

extension VaultStore {
    /// Creates a new vault with its first contents in a folder, in one step. A vault without a profile could not be used, and
    /// would keep the user from creating a new vault. The caller must hold the folder's ``ProfileLock``.
    ///
    /// - Throws: ``KithError/profileExists``, ``KithError/passphraseNeeded`` for an empty passphrase, ``KithError/file(_:)`` or
    ///   ``KithError/store(_:)``. After an error, there is no new vault, and an existing vault is unchanged.
    package static func create(
        in folder: URL, _ secret: VaultSecret, holding contents: StoreTransaction = StoreTransaction()
    ) throws(KithError) -> VaultStore {
        try create(in: folder, secret, holding: contents, cost: .standard)
    }

    /// Creates a vault. The caller sets the cost of deriving the key from the passphrase. Tests that open many vaults use a low
    /// cost.
    package static func create(
        in url: URL, _ secret: VaultSecret, holding contents: StoreTransaction, cost: ScryptParameters.Cost
    ) throws(KithError) -> VaultStore {
        let folder = ProfileFolder(url)
        let key = VaultKey()
        do throws(PrivateFileError) {
            try folder.make()
            if folder.hasVault { throw PrivateFileError(.write, folder.vault, errno: EEXIST) }
            try folder.makeUnfinishedVault()
        } catch {
            guard error.errno == EEXIST else { throw .file(error) }
            throw .profileExists
        }
        defer { folder.removeUnfinishedVault() }
        let header = try wrap(key, secret, cost: cost, folder)
        do throws(StoreError) {
            try VaultDatabase.make(folder.unfinishedVault, header: header.encoded)
            let unfinished = try VaultStore(
                folder, VaultDatabase(opening: folder.unfinishedVault), key, isReadOnly: false)
            try unfinished.commit(contents)
            // This moves all data into the database file. Closing the file would do the same, but without an error if the disk is
            // full.
            try unfinished.database.emptyLog()
            try unfinished.close()
        } catch { throw .store(error) }
        let isFirst: Bool
        do throws(PrivateFileError) { isFirst = try folder.finishVault() } catch { throw .file(error) }
        guard isFirst else { throw .profileExists }
        return try open(folder, isReadOnly: false) { _ in key }
    }

    /// Opens the vault in a folder.
    ///
    /// - Parameter isReadOnly: whether to open the vault only for reading, even while another process has it open for writing.
    ///   If `isReadOnly` is `true`, the caller can write nothing but requests to the other process (``enqueueForOwner(_:)``),
    ///   and on a read-only file system not even requests. If `isReadOnly` is `false`, the caller must hold the folder's
    ///   ``ProfileLock``.
    /// - Throws: ``KithError/noProfile``, ``KithError/wrongPassphrase`` (also if `secret` is a passphrase and the vault has
    ///   none), ``KithError/passphraseNeeded``, ``KithError/file(_:)`` if the vault or the key file cannot be read, or
    ///   ``KithError/store(_:)`` if the vault is damaged or was written by a newer version. After an error, the contents of the
    ///   files are unchanged.
    package static func open(in url: URL, _ secret: VaultSecret, isReadOnly: Bool = false) throws(KithError)
        -> VaultStore
    {
        let folder = ProfileFolder(url)
        return try open(folder, isReadOnly: isReadOnly) { header throws(KithError) in
            let key = try unwrap(header, secret, folder)
            // The process may have been killed after it had set a passphrase and before it had removed the key file.
            if case .passphrase = header.lock, !isReadOnly { folder.removeKeyFile() }
            return key
        }
    }

    private static func open(
        _ folder: ProfileFolder, isReadOnly: Bool, key: (WrappedKey) throws(KithError) -> VaultKey
    ) throws(KithError) -> VaultStore {
        guard folder.hasVault else { throw .noProfile }
        do throws(PrivateFileError) { try folder.tighten(forReading: isReadOnly) } catch { throw .file(error) }
        var database: VaultDatabase
        let bytes: [UInt8]
        do throws(StoreError) {
            database = try Self.database(of: folder, isReadOnly: isReadOnly)
            bytes = try database.header()
        } catch { throw .store(error) }
        if let version = bytes.first, version > WrappedKey.version { throw .store(.version(UInt32(version))) }
        guard let header = try? WrappedKey(decoding: bytes) else { throw .store(.damagedHeader) }
        let vaultKey = try key(header)
        do throws(StoreError) {
            // Only a process that has opened the vault for writing may add tables or empty the WAL file.
            if !isReadOnly {
                try database.addMissingTables()
                // A process that was killed may have left earlier states of erased texts.
                _ = try database.emptyLogIfUnused()
            }
            return try VaultStore(folder, database, vaultKey, isReadOnly: isReadOnly)
        } catch { throw .store(error) }
    }

    private static func database(of folder: ProfileFolder, isReadOnly: Bool) throws(StoreError) -> VaultDatabase {
        do throws(StoreError) {
            return try VaultDatabase(opening: folder.vault, canWrite: folder.isWritable)
        } catch {
            guard isReadOnly, error == .full else { throw error }
            return try VaultDatabase(openingWithoutRoom: folder.vault)
        }
    }

    // MARK: The key of the key

    /// Changes the secret that opens the vault, in one transaction. The caller must hold the folder's ``ProfileLock``.
    ///
    /// The vault's own key does not change, so the old secret can still open an older copy of the vault.
    ///
    /// - Throws: ``KithError``. After an error, the old secret still opens the vault.
    package func changeSecret(to secret: VaultSecret) throws(KithError) {
        try changeSecret(to: secret, cost: .standard)
    }

    /// Changes the secret. The caller sets the cost of deriving the key from a passphrase. Tests that open many vaults use a low
    /// cost.
    package func changeSecret(to secret: VaultSecret, cost: ScryptParameters.Cost) throws(KithError) {
        let header = try Self.wrap(key, secret, cost: cost, folder)
        do throws(StoreError) { try database.replaceHeader(header.encoded) } catch { throw .store(error) }
        if case .passphrase = header.lock { folder.removeKeyFile() }
    }

    private static func wrap(
        _ key: VaultKey, _ secret: VaultSecret, cost: ScryptParameters.Cost, _ folder: ProfileFolder
    ) throws(KithError) -> WrappedKey {
        let header: WrappedKey?
        switch secret {
        case .passphrase(let passphrase):
            let parameters = ScryptParameters(cost)
            let wrappingKey = try wrappingKey(parameters, passphrase, ifEmpty: .passphraseNeeded)
            header = WrappedKey(key.bytes, .vault, under: wrappingKey, .passphrase(parameters))
        case .keyFile: header = WrappedKey(key.bytes, .vault, under: try keyFile(of: folder, makesIt: true), .keyFile)
        }
        // This cannot fail, because the library accepts every key of 32 bytes.
        guard let header else { throw .store(.damagedHeader) }
        return header
    }

    private static func unwrap(
        _ header: WrappedKey, _ secret: VaultSecret, _ folder: ProfileFolder
    ) throws(KithError) -> VaultKey {
        switch (header.lock, secret) {
        case (.passphrase(let parameters), .passphrase(let passphrase)):
            let wrappingKey = try wrappingKey(parameters, passphrase, ifEmpty: .wrongPassphrase)
            guard let key = header.unwrap(.vault, with: wrappingKey) else { throw .wrongPassphrase }
            return VaultKey(key)
        case (.keyFile, .keyFile):
            guard let key = header.unwrap(.vault, with: try keyFile(of: folder, makesIt: false)) else {
                throw .store(.damagedHeader)
            }
            return VaultKey(key)
        case (.passphrase, .keyFile): throw .passphraseNeeded
        // This is an error, because the user must not believe that a passphrase protects a vault without one.
        case (.keyFile, .passphrase): throw .wrongPassphrase
        }
    }

    private static func wrappingKey(
        _ parameters: ScryptParameters, _ passphrase: String, ifEmpty: KithError
    ) throws(KithError) -> SymmetricKey {
        do throws(ScryptParameters.Failure) { return try parameters.key(from: passphrase) } catch {
            switch error {
            case .emptyPassphrase: throw ifEmpty
            case .noMemory(let bytes): throw .noMemory(bytes: bytes)
            }
        }
    }

    /// Reads the key in the key file. If there is no key file and `makesIt` is `true`, creates one. An existing key is never
    /// replaced: a vault may depend on it.
    private static func keyFile(of folder: ProfileFolder, makesIt: Bool) throws(KithError) -> SymmetricKey {
        let file = PrivateFile(folder.keyFile)
        let length = 32
        do throws(PrivateFileError) {
            if makesIt {
                _ = try file.writeIfMissing(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
            }
            guard let bytes = try file.read(limit: length) else {
                throw PrivateFileError(.read, file.url, errno: ENOENT)
            }
            guard bytes.count == length else { throw PrivateFileError(.read, file.url, errno: EBADMSG) }
            return SymmetricKey(data: bytes)
        } catch { throw .file(error) }
    }
}
