/// One of the two users. The first user is the one whose id sorts first.
///
/// Both programs compute the sides from the two ids, so they need not exchange the sides. If a side signs or authenticates a
/// content, the content names that side. A program therefore never mistakes its own frame for a frame of the other user, even if
/// somebody sends the frame back.
enum Side: UInt8, Hashable, Sendable {
    case first = 1
    case second = 2

    var other: Side { self == .first ? .second : .first }
}

/// The two users of a session, in the order of their ids' bytes. Both programs use this order.
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
