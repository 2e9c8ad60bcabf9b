/// The reason for which the members of a conversation do not allow what was asked for.
public enum MembershipProblem: Hashable, Sendable {
    /// All others have left: nobody would receive anything.
    case leftAlone
    /// The contact with this name is no member.
    case noMember(String)
    /// Others can't be added to a conversation of two.
    case addingToTwo
    /// Nobody can be removed from a conversation of two.
    case removingFromTwo
    /// A conversation of two has no name but the contact's.
    case namingTwo

    /// The problem, without a full stop.
    package var sentence: Sentence {
        switch self {
        case .leftAlone: "nobody else is in it any more"
        case .noMember(let name): "\(name: name) is no member"
        case .addingToTwo: "a conversation of two stays one; make a group instead"
        case .removingFromTwo: "nobody can be removed from a conversation of two; leave it instead"
        case .namingTwo: "a conversation of two goes by the contact's name"
        }
    }
}
