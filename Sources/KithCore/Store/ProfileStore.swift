/// Where a profile's state is kept: small values under keys, written together or not at all.
///
/// Every value is secret as far as its user is concerned: an implementation that writes to a disk seals each one, bound to
/// its key. Reads see what the last commit wrote.
package protocol ProfileStore: Sendable {
    /// The value under a key; `nil` if there is none.
    func value(_ key: StoreKey) throws(StoreError) -> [UInt8]?

    /// Values of one owner in one table, ordered by item.
    ///
    /// - Parameters:
    ///   - items: the items wanted.
    ///   - limit: how many at most.
    ///   - newestFirst: whether to begin at the highest item.
    func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue]

    /// All values of a table, ordered by owner and item. For tables that are read as a whole when a profile is opened.
    func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue]

    /// What ``values(_:owner:items:limit:newestFirst:)`` reads, with a damaged value in its place instead of an error.
    func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow]

    /// What ``allValues(_:)`` reads, with a damaged value in its place instead of an error.
    func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow]

    /// Carries out the writes of a transaction, in order, and returns when they are on the disk.
    ///
    /// - Throws: ``StoreError``; then none of them happened.
    func commit(_ transaction: StoreTransaction) throws(StoreError)
}

extension ProfileStore {
    /// The values of rows of which none may be damaged.
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

/// What a profile consists of. The numbers are part of the file format.
public enum StoreTable: UInt8, CaseIterable, Sendable {
    /// The account, the device and the settings: few values under owner 0.
    case profile = 0
    /// Relays, by number, under owner 0.
    case relay
    /// People, by number, under owner 0.
    case contact
    /// Conversations as a whole, by number, under owner 0; changes with every entry.
    case conversation
    /// An MLS group's epoch state, under its conversation; changes with a commit.
    case epoch
    /// An MLS group's ratchet records, under its conversation, by `GroupRecordKey.rawValue`; one changes with a message.
    case record
    /// A commit that was made and is not in the log yet, under its conversation.
    case pendingCommit
    /// The log as it was understood, under its conversation, by seq.
    case entry
    /// What is to be sent, under its conversation, in order.
    case outbox
    /// Inboxes that contacts reach this device by, by number, under owner 0.
    case inbox
    /// Key packages with their private keys, under their inbox.
    case keyPackage
    /// What is to be delivered to others' inboxes, in order, under owner 0.
    case delivery
    /// What other processes of this user want done, in order, under owner 0.
    case request
    /// When messages are to be deleted, under their conversation, by seq.
    case expiry
}

/// Where a value is.
package struct StoreKey: Hashable, Sendable {
    /// The highest owner and item: databases count in signed numbers.
    package static let highest = UInt64(Int64.max)

    /// The table.
    package let table: StoreTable
    /// What the value belongs to, 0 to ``highest``.
    package let owner: UInt64
    /// Its number there, 0 to ``highest``.
    package let item: UInt64

    /// A key from its parts.
    package init(_ table: StoreTable, owner: UInt64 = 0, item: UInt64) {
        self.table = table
        self.owner = owner
        self.item = item
    }
}

/// A value that was read, with its place.
package struct StoredValue: Hashable, Sendable {
    /// The value it belongs to.
    package let owner: UInt64
    /// Its number there.
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
    /// What it belongs to.
    package let owner: UInt64
    /// Its number there.
    package let item: UInt64
    /// The value; `nil` if it does not open.
    package let bytes: [UInt8]?

    /// A row from its parts.
    package init(owner: UInt64, item: UInt64, bytes: [UInt8]?) {
        self.owner = owner
        self.item = item
        self.bytes = bytes
    }

    /// A value that is whole.
    package init(_ value: StoredValue) { self.init(owner: value.owner, item: value.item, bytes: value.bytes) }
}

/// Writes that happen together.
package struct StoreTransaction: Sendable {
    /// One write.
    package enum Write: Sendable {
        /// Puts a value in the place of what there was.
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

    /// Whether there is nothing to do.
    package var isEmpty: Bool { writes.isEmpty }

    /// Puts a value in the place of what there was.
    package mutating func put(_ key: StoreKey, _ bytes: [UInt8]) { writes.append(.put(key, bytes)) }
    /// Removes a value, if there is one.
    package mutating func delete(_ key: StoreKey) { writes.append(.delete(key)) }
    /// Removes all values of an owner in a table.
    package mutating func deleteAll(_ table: StoreTable, owner: UInt64) {
        writes.append(.deleteAll(table, owner: owner))
    }
    /// Adds the writes of another transaction behind these.
    package mutating func append(_ other: StoreTransaction) { writes += other.writes }
}

/// Why a profile's state could not be read or written.
public enum StoreError: Error, Hashable, Sendable {
    /// There is no room on the disk. Nothing was written.
    case full
    /// A value does not open: the file was damaged or altered. Its place is named.
    case damaged(StoreTable)
    /// What the vault says of itself, or its key file, is damaged or altered.
    case damagedHeader
    /// The file was written by a newer Kith.
    case version(UInt32)
    /// The database reports this (an SQLite result code).
    case database(code: Int32)
}
