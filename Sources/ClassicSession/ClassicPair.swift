/// One of the two users: the one whose id sorts first, or the other.
///
/// Both sides compute it from the two ids, so it needs no agreement. Everything signed or authenticated names the side that
/// made it, so a frame sent back to its sender is never mistaken for one from the other user.
enum Side: UInt8, Hashable, Sendable {
    case first = 1
    case second = 2

    var other: Side { self == .first ? .second : .first }
}

/// The two users of a session, in the order that both sides agree on: the order of their ids' bytes.
struct ClassicPair: Hashable, Sendable {
    let first: ClassicID
    let second: ClassicID

    /// - Throws: ``ClassicIDError/sameAsPeer`` if the two are one.
    init(_ one: ClassicID, _ other: ClassicID) throws(ClassicIDError) {
        guard one != other else { throw .sameAsPeer }
        let inOrder = one.bytes.lexicographicallyPrecedes(other.bytes)
        first = inOrder ? one : other
        second = inOrder ? other : one
    }

    func side(of id: ClassicID) -> Side { id == first ? .first : .second }
}
