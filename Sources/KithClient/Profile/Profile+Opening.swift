import Foundation
import KithCore
import KithWire
import NIOCore

// Functions that create and open profiles, change their secrets, and take the texts that other processes leave for an open
// profile.

extension Profile {
    /// Opens a profile for sending and receiving. On first use, creates the profile: an account with its first device.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder. If the folder does not exist, it is created with the mode 0700.
    ///   - name: the profile's name, which contacts see. If the profile exists, it must have this name.
    ///   - deviceName: the device's name, which members see; by default, the profile's name.
    ///   - secret: the secret that opens the profile.
    /// - Throws: ``KithError``. The error is `inUse` if another process has opened the profile, and `hasOtherName` if the profile
    ///   has another name.
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

    /// Opens a profile for sending and receiving. On first use, creates the profile.
    ///
    /// - Parameters:
    ///   - path: the profile's folder. A relative path is relative to the current folder.
    ///   - name: the profile's name, which contacts see. If the profile exists, it must have this name.
    ///   - deviceName: the device's name, which members see; by default, the profile's name.
    ///   - secret: the secret that opens the profile.
    /// - Throws: the errors of the function that takes a `URL`.
    public static func open(
        _ path: String, as name: String, deviceName: String? = nil, secret: VaultSecret = .keyFile
    ) async throws(KithError) -> Profile {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        return try await open(folder, as: name, deviceName: deviceName, secret: secret)
    }

    /// Creates a new profile: an account with its first device.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder. If the folder does not exist, it is created with the mode 0700.
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
    /// - Throws: ``KithError``. The error is `inUse` if another process has opened the profile.
    public static func open(in folder: URL, secret: VaultSecret) async throws(KithError) -> Profile {
        let lock = try ProfileLock.acquire(in: folder)
        let profile = try Profile(store: try VaultStore.open(in: folder, secret), lock: lock)
        await profile.begin()
        return profile
    }

    /// Opens a profile for reading, even if another process has opened it. All commands throw ``KithError/inUse(pid:)``.
    public static func openForReading(in folder: URL, secret: VaultSecret) async throws(KithError) -> Profile {
        try Profile(store: try VaultStore.open(in: folder, secret, isReadOnly: true), lock: nil)
    }

    /// Returns the current state of a profile that is open for reading. The state includes the changes of other processes. This
    /// function needs no passphrase.
    ///
    /// - Throws: ``KithError/inUse(pid:)`` if this process itself sends and receives for the profile, or ``KithError/store(_:)``.
    package func reloaded() async throws(KithError) -> Profile {
        guard lock == nil, !isClosed else { throw .inUse(pid: nil) }
        return try Profile(store: store, lock: nil)
    }

    /// Opens a profile with any store, for tests and benchmarks.
    package static func open(over store: any ProfileStore) async throws(KithError) -> Profile {
        let profile = try Profile(store: store, lock: ProfileLock.none)
        await profile.begin()
        return profile
    }

    /// The profile's files to which other users of this machine have rights. Opening a profile removes such rights, so the list
    /// is then empty, unless the file system has no modes or this user may not write the folder.
    package static func filesOpenToOthers(in folder: URL) -> [String] { ProfileFolder(folder).filesOpenToOthers }

    /// Whether a folder has a profile.
    public static func hasProfile(in folder: URL) -> Bool { ProfileFolder(folder).hasVault }

    /// Returns the id of the process that has opened a profile for sending and receiving.
    ///
    /// - Returns: the process id, or 0 if the id is not known; `nil` if no process has opened the profile.
    /// - Throws: ``KithError/file(_:)``.
    package static func holder(of folder: URL) throws(KithError) -> Int32? {
        try ProfileLock.holder(in: folder)
    }

    /// Changes the secret that opens the profile: a passphrase, or a key file.
    ///
    /// - Throws: ``KithError``. After an error, the old secret still opens the profile.
    public func changeSecret(to secret: VaultSecret) throws(KithError) {
        guard !isClosed else { throw .closed }
        guard lock != nil, let store = store as? VaultStore else { throw .inUse(pid: nil) }
        try store.changeSecret(to: secret)
    }

    // MARK: Texts for the process that has the profile

    /// Stores a text in a profile that is open for reading only. The text is sent by the process that has opened the profile
    /// for sending.
    ///
    /// - Throws: ``KithError``, for the same reasons as ``send(_:to:replyTo:expiresAfter:)``. After an error, nothing is stored.
    package func enqueueForOwner(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: Duration? = nil
    ) throws(KithError) -> Message {
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let (message, request) = try machine.queuedForOwner(
            text, to: conversation, replyTo: replyTo, expiresAfter: try expiresAfter?.textSeconds(), now: Self.now)
        _ = try reading { () throws(StoreError) in try vault.enqueueForOwner(request) }
        return message
    }

    /// Stores a change of a message in a profile that is open for reading only. The process that has opened the profile for
    /// sending makes the change.
    ///
    /// - Throws: ``KithError``, if the user may not make the change. After an error, nothing is stored.
    package func enqueueForOwner(
        _ change: RequestedChange, of seq: UInt64, in conversation: ConversationID
    ) throws(KithError) {
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let request = try machine.queuedForOwner(change, of: seq, in: conversation)
        _ = try reading { () throws(StoreError) in try vault.enqueueForOwner(request) }
    }

    /// Changes a message. Returns when the change is stored on this device.
    package func change(
        _ seq: UInt64, in conversation: ConversationID, _ change: RequestedChange
    ) async throws(KithError) {
        _ = try await perform(.change(conversation, seq, change))
    }

    /// Returns the state of a text that ``enqueueForOwner(_:to:replyTo:expiresAfter:)`` has stored.
    package func progress(of message: Message) throws(KithError) -> QueuedSendStatus {
        try machine.progress(of: message)
    }

    // MARK: Texts of other processes

    /// Time between two checks for texts of other processes. A check only reads one counter, so the time can be short.
    private static let pollInterval = TimeAmount.milliseconds(200)

    /// Performs the requests that other processes have stored, at once. From then on, performs each new request soon after it
    /// is stored.
    func watchRequests() {
        guard store is VaultStore else { return }
        takeRequests()
        let watch = loop.scheduleRepeatedTask(initialDelay: Self.pollInterval, delay: Self.pollInterval) {
            [weak self] task in
            guard let self else { return task.cancel() }
            self.assumeIsolated { $0.lookForRequests() }
        }
        requestWatch = watch
    }

    private func lookForRequests() {
        guard !isClosed, let vault = store as? VaultStore else { return }
        do throws(StoreError) {
            guard try vault.othersHaveWritten() else { return }
        } catch { return closeAfterFailure(.store(error)) }
        takeRequests()
    }

    private func takeRequests() {
        let requests: [StoredValue]
        do throws(StoreError) { requests = try store.allValues(.request) } catch {
            return closeAfterFailure(.store(error))
        }
        for request in requests {
            lastCommand += 1
            mailbox.put(.command(CommandID(rawValue: lastCommand), .takeRequest(item: request.item, request.bytes)))
        }
        // The requests are processed now, so that the next check does not find them again.
        drain()
    }
}
