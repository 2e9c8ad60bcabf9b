import Foundation
import KithWire
import MLS

// What lasts of a profile, as a file: the account, the contacts and what was said.

extension Kith {
    /// Writes a backup, of how things are at this moment. Another process may have the profile open.
    ///
    /// - Parameters:
    ///   - file: where. No file may be there.
    ///   - passphrase: what opens it; not empty.
    /// - Returns: how many damaged entries and other values are not in it.
    /// - Throws: ``KithError/backup(_:)``, ``KithError/store(_:)``. There is no file then.
    public func writeBackup(
        to file: URL, passphrase: String
    ) throws(KithError) -> (entries: Int, otherValues: Int) {
        try writeBackup(to: file, passphrase: passphrase, cost: .standard)
    }

    /// The same, with another cost of the passphrase.
    @discardableResult
    func writeBackup(
        to file: URL, passphrase: String, cost: ScryptParameters.Cost
    ) throws(KithError) -> (entries: Int, otherValues: Int) {
        guard let vault = store as? VaultStore else { return try write(to: file, passphrase, cost) }
        return try vault.atOneMoment { () throws(KithError) in try self.write(to: file, passphrase, cost) }
    }

    private func write(
        to file: URL, _ passphrase: String, _ cost: ScryptParameters.Cost
    ) throws(KithError) -> (entries: Int, otherValues: Int) {
        // What was read when the profile was opened may be older than what another process has written since.
        let now = try Messenger(reading: store, now: Self.now)
        var writer: BackupWriter
        do throws(BackupError) { writer = try BackupWriter(to: file, passphrase: passphrase, cost: cost) } catch {
            throw .backup(error)
        }
        try now.eachBackupRecord { (record) throws(KithError) in
            do throws(BackupError) { try writer.append(record.encoded) } catch { throw .backup(error) }
        }
        do throws(BackupError) { try writer.finish() } catch { throw .backup(error) }
        return (now.damagedEntries.count, now.damagedValues)
    }

    /// Reads a backup to its end and checks all of it. Nothing is kept on the disk.
    ///
    /// - Throws: ``KithError/backup(_:)``.
    public static func openBackup(at file: URL, passphrase: String) throws(KithError) -> OpenedBackup {
        try OpenedBackup(at: file, passphrase)
    }

    /// Makes a profile from a backup: a new device of the same account. What was said is there; a conversation goes on when
    /// one of its members has added the device.
    ///
    /// - Parameters:
    ///   - folder: where the profile is to be. None may be there.
    ///   - deviceName: the name of this device.
    /// - Throws: ``KithError/profileExists``, and what ``create(in:name:deviceName:secret:)`` throws.
    public static func restore(
        _ backup: OpenedBackup, in folder: URL, deviceName: String, secret: VaultSecret
    ) async throws(KithError) -> Kith {
        let lock = try ProfileLock.acquire(in: folder)
        if ProfileFolder(folder).hasVault { throw .profileExists }
        let store = try VaultStore.create(in: folder, secret, holding: try backup.transaction(deviceName: deviceName))
        let kith = try Kith(store: store, lock: lock)
        await kith.begin()
        return kith
    }

    static func transaction(
        from file: URL, _ passphrase: String, deviceName: String
    ) throws(KithError) -> StoreTransaction {
        try OpenedBackup(at: file, passphrase).transaction(deviceName: deviceName)
    }
}

/// A backup that was read to its end: its passphrase is right, and it is whole.
public struct OpenedBackup: Sendable {
    private var identity: (account: AccountPrivateKey, name: String)?
    private var records = StoreTransaction()

    init(at file: URL, _ passphrase: String) throws(KithError) {
        var reader: BackupReader
        do throws(BackupError) { reader = try BackupReader(from: file, passphrase: passphrase) } catch {
            throw .backup(error)
        }
        while true {
            let bytes: [UInt8]?
            do throws(BackupError) { bytes = try reader.next() } catch { throw .backup(error) }
            guard let bytes else { break }
            let record: BackupRecord?
            do { record = try BackupRecord.decode(bytes) } catch { throw .backup(.damaged) }
            switch record {
            case .identity(let account, let name): identity = (account, name)
            case .relay(let id, let point): records.put(StoreKey(.relay, item: id.rawValue), point.encoded)
            case .contact(let contact): records.put(StoreKey(.contact, item: contact.id.rawValue), contact.stored)
            case .conversation(let id, let record):
                records.put(StoreKey(.conversation, item: id.rawValue), record.encoded)
            case .entry(let place, let bytes):
                records.put(StoreKey(.entry, owner: place.conversation.rawValue, item: place.seq), bytes)
            case .expiry(let place, let expiry):
                records.put(StoreKey(.expiry, owner: place.conversation.rawValue, item: place.seq), expiry.encoded)
            case nil: continue
            }
        }
        guard identity != nil else { throw .backup(.damaged) }
    }

    /// The store of a new device.
    func transaction(deviceName: String) throws(KithError) -> StoreTransaction {
        guard let identity else { throw .backup(.damaged) }
        var transaction = try Profile.new(
            account: identity.account, name: identity.name, deviceName: deviceName, now: Kith.now)
        transaction.append(records)
        return transaction
    }
}

extension Messenger {
    /// How many lines are read at once.
    private static let backupPage = 1_000

    /// Everything that a backup holds, one after the other: what others refer to first.
    func eachBackupRecord(_ body: (BackupRecord) throws(KithError) -> Void) throws(KithError) {
        try body(.identity(account: profile.account, name: profile.name))
        for (id, point) in relays.sorted(by: { $0.key < $1.key }) { try body(.relay(id, point)) }
        for contact in contactList { try body(.contact(contact)) }
        for (id, conversation) in conversations.sorted(by: { $0.key < $1.key }) {
            try body(.conversation(id, conversation.record))
            var first: UInt64 = 0
            while true {
                let rows = try entries(
                    of: id, first...StoreKey.highest, limit: Self.backupPage, newestFirst: false)
                for (seq, record) in rows {
                    if let record { try body(.entry(EntryPlace(conversation: id, seq: seq), record.encoded)) }
                }
                guard rows.count == Self.backupPage, let last = rows.last?.seq, last < StoreKey.highest else { break }
                first = last + 1
            }
        }
        for (place, expiry) in expiries where !expiry.isOver(wall: wall) { try body(.expiry(place, expiry)) }
    }
}
