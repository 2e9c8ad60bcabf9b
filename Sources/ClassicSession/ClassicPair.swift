/// One of the two users. The first is the user whose id sorts first.
///
/// Both sides compute this from the two ids, so they need not exchange it. Everything that a side signs or authenticates names
/// that side. So a frame that is sent back to its sender is never mistaken for a frame of the other user.
enum Side: UInt8, Hashable, Sendable {
    case first = 1
    case second = 2

    var other: Side { self == .first ? .second : .first }
}

/// The two users of a session, in the order of their ids' bytes. Both sides use this order.
struct ClassicPair: Hashable, Sendable {
    let first: ClassicID
    let second: ClassicID

    /// - Throws: ``ClassicIDError/sameAsPeer`` if the two ids are equal.
    init(_ one: ClassicID, _ other: ClassicID) throws(ClassicIDError) {
        guard one != other else { throw .sameAsPeer }
        let inOrder = one.bytes.lexicographicallyPrecedes(other.bytes)
        first = inOrder ? one : other
        second = inOrder ? other : one
    }

    func side(of id: ClassicID) -> Side { id == first ? .first : .second }
}
