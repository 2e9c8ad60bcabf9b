import Foundation
import KithCore

// Making and opening profiles, and changing their secrets.

extension Profile {
    /// Opens a profile for sending and receiving, and makes it on first use: an account with its first device.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder. Made, 0700, if it does not exist.
    ///   - name: the profile's name, which contacts see. An existing profile must have this name.
    ///   - deviceName: the device's name, which members see; by default, the profile's name.
    ///   - secret: the secret that opens the profile.
    /// - Throws: ``KithError``: `inUse` if another process has it, `hasOtherName` if it was made with another name.
    public static func open(
        _ folder: URL, as name: String, deviceName: String? = nil, secret: VaultSecret = .keyFile
    ) async throws(KithError) -> Profile {
        guard hasProfile(in: folder) else {
            return try await create(in: folder, name: name, deviceName: deviceName ?? name, secret: secret)
        }
        let profile = try await open(in: folder, secret: secret)
        let known = await profile.identity()
        guard known.name == name else {
            await profile.close()
            throw .hasOtherName(known.name)
        }
        return profile
    }

    /// Opens a profile for sending and receiving, and makes it on first use.
    ///
    /// - Parameters:
    ///   - path: the profile's folder. A relative path is relative to the current folder.
    ///   - name: the profile's name, which contacts see. An existing profile must have this name.
    ///   - deviceName: the device's name, which members see; by default, the profile's name.
    ///   - secret: the secret that opens the profile.
    /// - Throws: as the function that takes a URL.
    public static func open(
        _ path: String, as name: String, deviceName: String? = nil, secret: VaultSecret = .keyFile
    ) async throws(KithError) -> Profile {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        return try await open(folder, as: name, deviceName: deviceName, secret: secret)
    }

    /// Makes a new profile: an account with its first device.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder. Made, 0700, if it does not exist.
    ///   - name: the user's name, which contacts see.
    ///   - deviceName: the device's name, which members see.
    ///   - secret: the secret that opens the profile.
    /// - Throws: ``KithError``.
    public static func create(
        in folder: URL, name: String, deviceName: String, secret: VaultSecret
    ) async throws(KithError) -> Profile {
        let lock = try ProfileLock.acquire(in: folder)
        let contents = try ProfileRecord.new(name: name, deviceName: deviceName, now: now)
        let store = try VaultStore.create(in: folder, secret, holding: contents)
        let profile = try Profile(store: store, lock: lock)
        await profile.begin()
        return profile
    }

    /// Opens a profile for sending and receiving, and connects to its relays.
    ///
    /// - Throws: ``KithError``: `inUse` if another process has it.
    public static func open(in folder: URL, secret: VaultSecret) async throws(KithError) -> Profile {
        let lock = try ProfileLock.acquire(in: folder)
        let profile = try Profile(store: try VaultStore.open(in: folder, secret), lock: lock)
        await profile.begin()
        return profile
    }

    /// Opens a profile for reading, even if another process has it open. Commands are refused with ``KithError/inUse(pid:)``.
    public static func openForReading(in folder: URL, secret: VaultSecret) async throws(KithError) -> Profile {
        try Profile(store: try VaultStore.open(in: folder, secret, isReadOnly: true), lock: nil)
    }

    /// The current state of a profile that was opened for reading, with the changes of other processes. Needs no passphrase.
    ///
    /// - Throws: ``KithError/inUse(pid:)`` if this process itself has the profile; ``KithError/store(_:)``.
    package func lookAgain() async throws(KithError) -> Profile {
        guard lock == nil, !isClosed else { throw .inUse(pid: nil) }
        return try Profile(store: store, lock: nil)
    }

    /// Opens a profile over any store. For tests and benchmarks.
    package static func open(over store: any ProfileStore) async throws(KithError) -> Profile {
        let profile = try Profile(store: store, lock: ProfileLock.none)
        await profile.begin()
        return profile
    }

    /// The files of a profile that other users of this machine may read: none, unless the file system has no modes.
    package static func filesOpenToOthers(in folder: URL) -> [String] { ProfileFolder(folder).filesOpenToOthers }

    /// Whether there is a profile in a folder.
    public static func hasProfile(in folder: URL) -> Bool { ProfileFolder(folder).hasVault }

    /// Whether another process has a profile open for sending and receiving.
    ///
    /// - Returns: its process id, or 0 if it is not known; `nil` if no process has it.
    /// - Throws: ``KithError/file(_:)``.
    package static func holder(of folder: URL) throws(KithError) -> Int32? {
        try ProfileLock.holder(in: folder)
    }

    /// Changes the secret that opens the profile: a passphrase, or a key file.
    ///
    /// - Throws: ``KithError``; the old secret still opens the profile then.
    public func changeSecret(to secret: VaultSecret) throws(KithError) {
        guard !isClosed else { throw .closed }
        guard lock != nil, let store = store as? VaultStore else { throw .inUse(pid: nil) }
        try store.changeSecret(to: secret)
    }
}
