/// The cursors of a profile: all their names, and the places of those that were used since the profile was opened.
struct CursorBook: Sendable {
    /// The names by number, without those that are damaged.
    private(set) var names: [UInt64: CursorName]
    /// The numbers of cursors whose name is damaged.
    private(set) var damaged: Set<UInt64>
    /// The cursors that were used, by number.
    var used: [UInt64: MessageCursor] = [:]
    private var lastReader: UInt64 = 0
    private var lastNumber: UInt64

    init(names: [UInt64: CursorName], damaged: Set<UInt64>) {
        self.names = names
        self.damaged = damaged
        lastNumber = damaged.union(names.keys).max() ?? 0
    }

    /// The owner of the names in the table of the profile. The places of cursor number n are owner 1 + n's, by conversation.
    static let namesOwner: UInt64 = 1

    /// Where the name of a cursor is stored.
    static func nameKey(_ number: UInt64) -> StoreKey { StoreKey(.profile, owner: namesOwner, item: number) }

    /// The owner of a cursor's places in the table of the profile.
    static func placesOwner(_ number: UInt64) -> UInt64 { namesOwner + number }

    /// Where a cursor's place in a conversation is stored.
    static func placeKey(_ number: UInt64, _ conversation: ConversationID) -> StoreKey {
        StoreKey(.profile, owner: placesOwner(number), item: conversation.rawValue)
    }

    /// The number of the cursor with a name; `nil` if there is none.
    func number(of name: CursorName) -> UInt64? { names.first { $0.value == name }?.key }

    /// Adds a cursor.
    ///
    /// - Returns: its number.
    /// - Throws: ``KithError/cursor(_:)``: if there are too many; and if a damaged one may be the one that is meant, because a new
    ///   one would deliver everything again.
    mutating func add(_ name: CursorName) throws(KithError) -> UInt64 {
        guard damaged.isEmpty else { throw .cursor(.damaged(name.text)) }
        guard names.count < ClientLimits.cursors else { throw .cursor(.tooMany(limit: ClientLimits.cursors)) }
        lastNumber += 1
        names[lastNumber] = name
        return lastNumber
    }

    /// A number for another reader.
    mutating func newReader() -> UInt64 {
        lastReader += 1
        return lastReader
    }

    /// Forgets a cursor; without one of that name, all that are damaged.
    ///
    /// - Returns: the numbers of those that are gone.
    /// - Throws: ``KithError/notFound(_:)``.
    mutating func remove(_ name: CursorName) throws(KithError) -> [UInt64] {
        let gone = number(of: name).map { [$0] } ?? damaged.sorted()
        guard !gone.isEmpty else { throw .notFound(name.text) }
        for number in gone {
            names[number] = nil
            used[number] = nil
            damaged.remove(number)
        }
        return gone
    }
}
