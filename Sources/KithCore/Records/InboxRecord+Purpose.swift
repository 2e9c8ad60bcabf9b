extension InboxRecord.Purpose {
    /// The number of key packages to deposit, besides the one of last resort.
    var keyPackages: Int {
        switch self {
        case .invite(let isReusable, _): isReusable ? 10 : 1
        case .contact: 2
        case .name: 10
        }
    }

    /// Whether the inbox belongs to an invite.
    var isInvite: Bool { if case .invite = self { true } else { false } }

    /// Whether a name leads to the inbox.
    var isName: Bool { if case .name = self { true } else { false } }

    /// Whether few people have the address. If anybody may have it, a stranger must not make this device connect to a relay of
    /// their choice.
    var hasLimitedAudience: Bool {
        switch self {
        case .invite(let isReusable, _): !isReusable
        case .contact: true
        case .name: false
        }
    }

    /// Whether the inbox is for one person: the first one who uses the invite.
    var isForOne: Bool { if case .invite(isReusable: false, _) = self { true } else { false } }

    /// The reason to believe the key of a person who uses the inbox.
    var trust: Trust { isForOne ? .usedMyInvite : .unverified }
}
