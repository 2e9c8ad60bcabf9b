extension InboxRecord.Purpose {
    /// The number of key packages that are deposited, without the one of last resort.
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

    /// Whether only a few people have the address. If everyone may have the address, a stranger must not be able to make this
    /// device connect to a relay of the stranger's choice.
    var hasLimitedAudience: Bool {
        switch self {
        case .invite(let isReusable, _): !isReusable
        case .contact: true
        case .name: false
        }
    }

    /// Whether the inbox belongs to an invite that admits only one person, the first who uses it.
    var isForOne: Bool { if case .invite(isReusable: false, _) = self { true } else { false } }

    /// The reason why the key of a person who uses the inbox is believed.
    var trust: Trust { isForOne ? .usedMyInvite : .unverified }
}
