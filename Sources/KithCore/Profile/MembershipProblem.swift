/// A rule of membership that a request breaks.
public enum MembershipProblem: Hashable, Sendable {
    /// All other members have left, so nobody would receive anything.
    case leftAlone
    /// The contact with this name is not a member.
    case noMember(String)
    /// The contact with this name is already a member, with the device that has the name `device`.
    case alreadyMember(String, device: String)
    /// No other person can be added to a conversation of two.
    case addingToTwo
    /// Nobody can be removed from a conversation of two.
    case removingFromTwo
    /// A conversation of two has no name that could be changed.
    case namingTwo
    /// The conversation can't be deleted, because it has not ended.
    case notEnded
    /// The contact with the first name can't be deleted, because the contact is a member of the conversation with the second
    /// name.
    case stillMember(String, of: String)

    /// The problem in words, without a full stop.
    package var sentence: Sentence {
        switch self {
        case .leftAlone: "all other members have left"
        case .noMember(let name): "\(name: name) is not a member"
        case .alreadyMember(let name, let device): "\(name: name)'s device \(name: device) is a member already"
        case .addingToTwo: "nobody can be added to a conversation of two; make a group instead"
        case .removingFromTwo: "nobody can be removed from a conversation of two; leave it instead"
        case .namingTwo: "a conversation of two can't be renamed; rename the contact instead"
        case .notEnded: "the conversation has not ended; leave it first"
        case .stillMember(let name, let conversation):
            "\(name: name) is a member of \(quoted: conversation); leave that conversation first"
        }
    }
}
