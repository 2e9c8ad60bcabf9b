extension Notice: CustomStringConvertible {
    /// One sentence for the user, without a full stop. Names in it are those that members gave: show them as such.
    public var description: String {
        switch self {
        case .began(let name): "\(name) began the conversation"
        case .added(let name, let by): "\(by) added \(name)"
        case .removed(let name, let by): "\(by) removed \(name)"
        case .left(let name): "\(name) left"
        case .renamed(let title, let by): "\(by) named the conversation \(title)"
        case .renewed(let by): "\(by) renewed their keys"
        case .unreadable(let reason, let from):
            "an entry" + (from.map { " from \($0)" } ?? "") + " can't be read: \(reason)"
        case .missed(let first, let last):
            first == last
                ? "this device missed entry \(first), which the relay no longer has"
                : "this device missed entries \(first) to \(last), which the relay no longer has"
        }
    }
}

extension UnreadableReason: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .notGenuine: "it is not genuine"
        case .repeated: "it was said before"
        case .tooFarAhead: "it is too far ahead of the sender's others"
        case .malformed: "what it holds makes no sense"
        case .wrongID: "it says that it is another entry than it is"
        case .invalidCommit: "it makes a change that breaks the rules"
        }
    }
}

extension Warning: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .differentLogs(let first, let last):
            "the relay showed the sender another log than this device, in entries \(first) to \(last)"
        case .missingBefore(1): "1 message of the sender has not arrived"
        case .missingBefore(let count): "\(count) messages of the sender have not arrived"
        case .notKept(let seq): "the relay said that it has entry \(seq), and shows another in its place"
        }
    }
}

extension Trust: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .unverified: "unverified"
        case .usedMyInvite: "from your invite"
        case .invite: "from their invite"
        case .compared: "compared"
        }
    }
}
