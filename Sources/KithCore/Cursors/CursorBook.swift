/// The cursors of a profile. The book has the names of all cursors. It has the places only of the cursors that were used since
/// the profile was opened.
struct CursorBook: Sendable {
    /// The undamaged names, by number.
    private(set) var names: [UInt64: CursorName]
    /// The numbers of cursors with a damaged name.
    private(set) var damaged: Set<UInt64>
    /// The cursors that were used since the profile was opened, by number.
    var used: [UInt64: MessageCursor] = [:]
    private var lastReader: UInt64 = 0
    private var lastNumber: UInt64

    init(names: [UInt64: CursorName], damaged: Set<UInt64>) {
        self.names = names
        self.damaged = damaged
        lastNumber = damaged.union(names.keys).max() ?? 0
    }

    /// The owner under which the table `profile` stores the cursors' names. The places of a cursor have another owner,
    /// ``placesOwner(_:)``, and the conversation as the item.
    static let namesOwner: UInt64 = 1

    /// The key of a cursor's name in the store.
    static func nameKey(_ number: UInt64) -> StoreKey { StoreKey(.profile, owner: namesOwner, item: number) }

    /// The owner under which the table `profile` stores the places of cursor n: the number 1 + n.
    static func placesOwner(_ number: UInt64) -> UInt64 { namesOwner + number }

    /// The key of a cursor's place in a conversation.
    static func placeKey(_ number: UInt64, _ conversation: ConversationID) -> StoreKey {
        StoreKey(.profile, owner: placesOwner(number), item: conversation.rawValue)
    }

    /// The number of the cursor with the given name; `nil` if there is none.
    func number(of name: CursorName) -> UInt64? { names.first { $0.value == name }?.key }

    /// Adds a cursor.
    ///
    /// - Returns: the cursor's number.
    /// - Throws: ``KithError/cursor(_:)`` if there are too many cursors, or if any cursor is damaged. A damaged cursor might
    ///   have had this name. In that case, a new cursor with the name would deliver all messages again.
    mutating func add(_ name: CursorName) throws(KithError) -> UInt64 {
        guard damaged.isEmpty else { throw .cursor(.damaged(name.text)) }
        guard names.count < ClientLimits.cursors else { throw .cursor(.tooMany(limit: ClientLimits.cursors)) }
        lastNumber += 1
        names[lastNumber] = name
        return lastNumber
    }

    /// Returns a number for a new reader.
    mutating func newReader() -> UInt64 {
        lastReader += 1
        return lastReader
    }

    /// Removes the cursor with the given name. If no cursor has the name, removes all damaged cursors: one of the damaged cursors
    /// may have had the name.
    ///
    /// - Returns: the numbers of the removed cursors.
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
