/// The storage of a profile's state: small values under keys. The writes of a transaction happen together or not at all.
///
/// Every value counts as secret: an implementation that writes to a disk seals each value, bound to its key. Reads see the values
/// of the last commit.
package protocol ProfileStore: Sendable {
    /// The value under a key; `nil` if there is none.
    func value(_ key: StoreKey) throws(StoreError) -> [UInt8]?

    /// Values of one owner in one table, ordered by item.
    ///
    /// - Parameters:
    ///   - items: the items wanted.
    ///   - limit: the most values to return.
    ///   - newestFirst: whether to begin at the highest item.
    func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue]

    /// All values of a table, ordered by owner and item. For tables that are read as a whole when a profile is opened.
    func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue]

    /// Reads like ``values(_:owner:items:limit:newestFirst:)``, but returns a row without bytes for a damaged value instead of an
    /// error.
    func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow]

    /// Reads like ``allValues(_:)``, but returns a row without bytes for a damaged value instead of an error.
    func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow]

    /// Carries out the writes of a transaction, in order, and returns when they are on the disk.
    ///
    /// - Throws: ``StoreError``; then none of them happened.
    func commit(_ transaction: StoreTransaction) throws(StoreError)
}

extension ProfileStore {
    /// Returns the values of rows, and throws if one is damaged.
    package static func whole(_ table: StoreTable, _ rows: [StoredRow]) throws(StoreError) -> [StoredValue] {
        var values: [StoredValue] = []
        values.reserveCapacity(rows.count)
        for row in rows {
            guard let bytes = row.bytes else { throw .damaged(table) }
            values.append(StoredValue(owner: row.owner, item: row.item, bytes: bytes))
        }
        return values
    }

    /// All values of one owner in one table, ordered by item.
    func values(_ table: StoreTable, owner: UInt64) throws(StoreError) -> [StoredValue] {
        try values(table, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
    }
}

/// The tables of a profile. Their numbers are part of the file format.
public enum StoreTable: UInt8, CaseIterable, Sendable {
    /// The account, the device and the settings: few values under owner 0.
    case profile = 0
    /// Relays, by number, under owner 0.
    case relay
    /// Contacts, by number, under owner 0.
    case contact
    /// Conversations as a whole, by number, under owner 0; changes with every entry.
    case conversation
    /// An MLS group's epoch state, under its conversation; changes with a commit.
    case epoch
    /// An MLS group's ratchet records, under its conversation, by `GroupRecordKey.rawValue`; one changes with a message.
    case record
    /// A commit that was made and is not in the log yet, under its conversation.
    case pendingCommit
    /// The log as this device understood it, under its conversation, by seq.
    case entry
    /// Entries to be sent, under their conversation, in order.
    case outbox
    /// This device's inboxes, by number, under owner 0.
    case inbox
    /// Key packages with their private keys, under their inbox.
    case keyPackage
    /// Deliveries of Welcomes and parcels, in order, under owner 0.
    case delivery
    /// Requests from other processes of this user, in order, under owner 0.
    case request
    /// The times at which messages are deleted, under their conversation, by seq.
    case expiry
}

/// The place of a value.
package struct StoreKey: Hashable, Sendable {
    /// The highest owner and item: databases use signed numbers.
    package static let highest = UInt64(Int64.max)

    /// The table.
    package let table: StoreTable
    /// The value's owner, 0 to ``highest``.
    package let owner: UInt64
    /// The value's number under its owner, 0 to ``highest``.
    package let item: UInt64

    /// A key from its parts.
    package init(_ table: StoreTable, owner: UInt64 = 0, item: UInt64) {
        self.table = table
        self.owner = owner
        self.item = item
    }
}

/// A stored value, with its place.
package struct StoredValue: Hashable, Sendable {
    /// The value's owner.
    package let owner: UInt64
    /// The value's number under its owner.
    package let item: UInt64
    /// The value.
    package let bytes: [UInt8]

    /// A value from its parts.
    package init(owner: UInt64, item: UInt64, bytes: [UInt8]) {
        self.owner = owner
        self.item = item
        self.bytes = bytes
    }
}

/// A value's place, with the value unless it is damaged.
package struct StoredRow: Hashable, Sendable {
    /// The value's owner.
    package let owner: UInt64
    /// The value's number under its owner.
    package let item: UInt64
    /// The value; `nil` if it is damaged.
    package let bytes: [UInt8]?

    /// A row from its parts.
    package init(owner: UInt64, item: UInt64, bytes: [UInt8]?) {
        self.owner = owner
        self.item = item
        self.bytes = bytes
    }

    /// The row of an undamaged value.
    package init(_ value: StoredValue) { self.init(owner: value.owner, item: value.item, bytes: value.bytes) }
}

/// Writes that happen together.
package struct StoreTransaction: Sendable {
    /// One write.
    package enum Write: Sendable {
        /// Stores a value in place of an earlier one.
        case put(StoreKey, [UInt8])
        /// Removes a value, if there is one.
        case delete(StoreKey)
        /// Removes all values of an owner in a table.
        case deleteAll(StoreTable, owner: UInt64)
    }

    /// The writes, in order.
    package private(set) var writes: [Write] = []

    /// No writes.
    package init() {}

    /// Whether there are no writes.
    package var isEmpty: Bool { writes.isEmpty }

    /// Stores a value in place of an earlier one.
    package mutating func put(_ key: StoreKey, _ bytes: [UInt8]) { writes.append(.put(key, bytes)) }
    /// Removes a value, if there is one.
    package mutating func delete(_ key: StoreKey) { writes.append(.delete(key)) }
    /// Removes all values of an owner in a table.
    package mutating func deleteAll(_ table: StoreTable, owner: UInt64) {
        writes.append(.deleteAll(table, owner: owner))
    }
    /// Appends the writes of another transaction.
    package mutating func append(_ other: StoreTransaction) { writes += other.writes }
}

/// The reason why a profile's state could not be read or written.
public enum StoreError: Error, Hashable, Sendable {
    /// The disk is full. Nothing was written.
    case full
    /// A value in this table can't be opened: the file was damaged or altered.
    case damaged(StoreTable)
    /// The vault's header or its key file is damaged or altered.
    case damagedHeader
    /// The file was written by a newer Kith.
    case version(UInt32)
    /// The database reports this SQLite result code.
    case database(code: Int32)
}
