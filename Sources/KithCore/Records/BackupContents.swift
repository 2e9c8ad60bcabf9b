import MLS

/// The contents of a backup, as far as they were read.
package struct BackupContents: Sendable {
    private var identity: (account: AccountPrivateKey, name: String)?
    private var records = StoreTransaction()

    /// Whether the backup contains files.
    package private(set) var hasFiles = false

    package init() {}

    /// Whether the account was read. A backup without an account was cut off.
    package var isComplete: Bool { identity != nil }

    /// Adds one record. Ignores a record of an unknown kind.
    ///
    /// - Throws: ``KithError/backup(_:)``.
    package mutating func take(_ bytes: [UInt8]) throws(KithError) {
        if let file = try? BackupFileRecord.decode(bytes) { return take(file) }
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
        case .marks(let place, let marks): records.put(place.marksKey, marks.encoded)
        case .expiry(let place, let expiry):
            records.put(StoreKey(.expiry, owner: place.conversation.rawValue, item: place.seq), expiry.encoded)
        case .cursor(let number, let name): records.put(CursorBook.nameKey(number), name.encoded)
        case .cursorPlace(let number, let conversation, let place):
            records.put(CursorBook.placeKey(number, conversation), place.encoded)
        case nil: break
        }
    }

    /// Notes a file. The file's bytes are written to the disk later, after the whole backup was checked.
    private mutating func take(_ record: BackupFileRecord) {
        hasFiles = true
        guard case .end(let id, let place) = record, let key = place.key else { return }
        records.put(key, KeptFile(id: id).encoded)
    }

    /// Returns the transaction that stores the contents as the profile of a new device.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    /// - Throws: ``KithError/backup(_:)``, and the errors of creating a profile.
    package func transaction(deviceName: String, now: UInt64) throws(KithError) -> StoreTransaction {
        guard let identity else { throw .backup(.damaged) }
        var transaction = try ProfileRecord.new(deviceName: deviceName, of: identity, now: now)
        transaction.append(records)
        return transaction
    }
}
