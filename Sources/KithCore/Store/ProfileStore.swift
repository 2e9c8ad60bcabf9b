/// The storage of a profile's state, which consists of small values under keys. The writes of a transaction are made together, or
/// none is made.
///
/// Every value is secret, so a store that writes to a disk encrypts each value, and binds it to its ``StoreKey``. Reads return
/// the values of the last commit.
package protocol ProfileStore: Sendable {
    /// Returns the value under a key; `nil` if there is none.
    func value(_ key: StoreKey) throws(StoreError) -> [UInt8]?

    /// Returns values of one owner in one table, ordered by item.
    ///
    /// - Parameters:
    ///   - table: the table with the values.
    ///   - owner: the owner of the values.
    ///   - items: the range of the items to return.
    ///   - limit: the maximum number of values to return.
    ///   - newestFirst: whether to begin with the highest item.
    func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue]

    /// Returns all values of a table, ordered by owner and item. Used for tables that are read completely when a profile is
    /// opened.
    func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue]

    /// Returns the rows of the values that ``values(_:owner:items:limit:newestFirst:)`` returns. A damaged value becomes a row
    /// without bytes, and causes no error.
    func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow]

    /// Returns the rows of the values that ``allValues(_:)`` returns. A damaged value becomes a row without bytes, and causes no
    /// error.
    func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow]

    /// Performs the writes of a transaction in order. Returns when the writes are on the disk.
    ///
    /// - Throws: ``StoreError``. After an error, none of the writes has been made.
    func commit(_ transaction: StoreTransaction) throws(StoreError)
}

extension ProfileStore {
    /// Returns the values of the rows. Throws an error if a row is damaged.
    package static func whole(_ table: StoreTable, _ rows: [StoredRow]) throws(StoreError) -> [StoredValue] {
        var values: [StoredValue] = []
        values.reserveCapacity(rows.count)
        for row in rows {
            guard let bytes = row.bytes else { throw .damaged(table) }
            values.append(StoredValue(owner: row.owner, item: row.item, bytes: bytes))
        }
        return values
    }

    /// Returns all values of one owner in one table, ordered by item.
    func values(_ table: StoreTable, owner: UInt64) throws(StoreError) -> [StoredValue] {
        try values(table, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
    }
}

/// The tables of a profile. The numbers of the tables are part of the file format.
public enum StoreTable: UInt8, CaseIterable, Sendable {
    /// The account, the device and the settings, with owner 0. The table also has the cursors, with higher owners.
    case profile = 0
    /// Relays, with owner 0 and the relay's number as the item.
    case relay
    /// Contacts, with owner 0 and the contact's number as the item.
    case contact
    /// The records of conversations, with owner 0 and the conversation's number as the item. A record changes with every entry.
    case conversation
    /// The epoch states of MLS groups, with the conversation as the owner. A state changes with every commit.
    case epoch
    /// The ratchet records of MLS groups, with the conversation as the owner and `GroupRecordKey.rawValue` as the item. Every
    /// message changes one of the ratchet records.
    case record
    /// Commits that are not in the log yet, with the conversation as the owner.
    case pendingCommit
    /// The processed entries of logs, with the conversation as the owner and the seq as the item.
    case entry
    /// Entries that have to be sent, in order, with the conversation as the owner.
    case outbox
    /// This device's inboxes, with owner 0 and the inbox's number as the item.
    case inbox
    /// Key packages with their private keys, with the inbox as the owner.
    case keyPackage
    /// Deliveries of Welcomes and parcels, in order, with owner 0.
    case delivery
    /// Requests from other processes of this user, in order, with owner 0.
    case request
    /// The times at which texts of messages are deleted, with the conversation as the owner and the seq as the item.
    case expiry
    /// Messages whose files are not all at the relay yet, with the conversation as the owner.
    case upload
    /// Files that are being downloaded, with owner 0 and the transfer's number as the item.
    case download
    /// The digests of the pieces of a file that is being transferred, with the transfer's number as the owner.
    case piece
    /// Files that are complete on this device, with the conversation as the owner, and the seq and the file's number as the item.
    case file
    /// The marks that members have put on messages, with the conversation as the owner and the message's seq as the item.
    case marks
    /// Blobs that relays have to delete, with owner 0 and the number of the job as the item.
    case deletion

    /// The tables in which the owner is a conversation.
    static let ofConversations: [StoreTable] = [
        .epoch, .record, .pendingCommit, .entry, .outbox, .expiry, .marks, .upload, .file,
    ]
}

/// Identifies a value in the store.
package struct StoreKey: Hashable, Sendable {
    /// The highest owner number and the highest item number. The limit is needed because databases use signed numbers.
    package static let highest = UInt64(Int64.max)

    /// The table of the value.
    package let table: StoreTable
    /// The value's owner, from 0 to ``highest``.
    package let owner: UInt64
    /// The value's number among the values of its owner, from 0 to ``highest``.
    package let item: UInt64

    /// Creates a key from its parts.
    package init(_ table: StoreTable, owner: UInt64 = 0, item: UInt64) {
        self.table = table
        self.owner = owner
        self.item = item
    }
}

/// A stored value with its owner and number.
package struct StoredValue: Hashable, Sendable {
    /// The value's owner.
    package let owner: UInt64
    /// The value's number among the values of its owner.
    package let item: UInt64
    /// The value.
    package let bytes: [UInt8]

    /// Creates a value from its parts.
    package init(owner: UInt64, item: UInt64, bytes: [UInt8]) {
        self.owner = owner
        self.item = item
        self.bytes = bytes
    }
}

/// A value's owner and number, with the value unless it is damaged.
package struct StoredRow: Hashable, Sendable {
    /// The value's owner.
    package let owner: UInt64
    /// The value's number among the values of its owner.
    package let item: UInt64
    /// The value; `nil` if it is damaged.
    package let bytes: [UInt8]?

    /// Creates a row from its parts.
    package init(owner: UInt64, item: UInt64, bytes: [UInt8]?) {
        self.owner = owner
        self.item = item
        self.bytes = bytes
    }

    /// Creates the row of an undamaged value.
    package init(_ value: StoredValue) { self.init(owner: value.owner, item: value.item, bytes: value.bytes) }
}

/// Writes that are made together.
package struct StoreTransaction: Sendable {
    /// One write.
    package enum Write: Sendable {
        /// Stores a value, which replaces an earlier one.
        case put(StoreKey, [UInt8])
        /// Deletes a value, if there is one.
        case delete(StoreKey)
        /// Deletes all values of an owner in a table.
        case deleteAll(StoreTable, owner: UInt64)
    }

    /// The writes, in order.
    package private(set) var writes: [Write] = []
    /// Whether the transaction erases a text. After an erasing transaction, a store removes earlier states of its values from its
    /// files.
    package private(set) var erasesTexts = false

    /// Creates a transaction without writes.
    package init() {}

    /// Whether there are no writes.
    package var isEmpty: Bool { writes.isEmpty }

    /// Stores a value, which replaces an earlier one.
    package mutating func put(_ key: StoreKey, _ bytes: [UInt8]) { writes.append(.put(key, bytes)) }
    /// Deletes a value, if there is one.
    package mutating func delete(_ key: StoreKey) { writes.append(.delete(key)) }
    /// Deletes all values of an owner in a table.
    package mutating func deleteAll(_ table: StoreTable, owner: UInt64) {
        writes.append(.deleteAll(table, owner: owner))
    }
    /// Makes the store remove earlier states of its values from its files, because the transaction erases a text.
    package mutating func erase() { erasesTexts = true }
    /// Appends the writes of another transaction.
    package mutating func append(_ other: StoreTransaction) {
        writes += other.writes
        erasesTexts = erasesTexts || other.erasesTexts
    }
}

/// The reason why a profile's state could not be read or written.
public enum StoreError: Error, Hashable, Sendable {
    /// The disk is full. Nothing was written.
    case full
    /// A value in this table cannot be opened, because the file was damaged or altered.
    case damaged(StoreTable)
    /// The vault's header or its key file is damaged or altered.
    case damagedHeader
    /// A newer Kith has written the file.
    case version(UInt32)
    /// The database has reported this SQLite result code.
    case database(code: Int32)
}
