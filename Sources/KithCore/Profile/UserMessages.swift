import KithWire

// Sentences for users, without a full stop, so that they fit into a line.

extension Notice {
    /// The event, in a few words.
    package var sentence: Sentence { sentence(for: nil) }

    /// The event, in a few words. The person with this name is "you".
    package func sentence(for me: String?) -> Sentence {
        func someone(_ name: String) -> Sentence { name == me ? "you" : "\(name: name)" }
        return switch self {
        case .began(let by):
            by.isEmpty ? "the conversation begins here" : "the conversation with \(name: by) begins here"
        case .added(let who, let by): "\(someone(by)) added \(someone(who))"
        case .removed(let who, let by): "\(someone(by)) removed \(someone(who))"
        case .left(let who): "\(someone(who)) left"
        case .renamed(let title, let by): "\(someone(by)) named the conversation \(quoted: title)"
        case .renewed(let by): "\(someone(by)) renewed the keys"
        case .unreadable(let reason, let from, let count):
            if count > 1, let from {
                "\(count) entries of \(name: from) could not be read: \(reason.sentence)"
            } else if count > 1 {
                "\(count) entries could not be read: \(reason.sentence)"
            } else if let from {
                "an entry of \(name: from) could not be read: \(reason.sentence)"
            } else {
                "an entry could not be read: \(reason.sentence)"
            }
        case .missed(let first, let last):
            first == last
                ? "this device was away from the conversation and missed entry \(first)"
                : "this device was away from the conversation and missed entries \(first) to \(last)"
        }
    }
}

extension UnreadableReason {
    /// The reason, in a few words.
    package var sentence: Sentence {
        switch self {
        case .notGenuine: "it does not decrypt, or nobody of the members signed it; it was dropped"
        case .repeated: "it was said before; the repeat was dropped"
        case .tooFarAhead: "too many messages before it are missing"
        case .malformed: "what it holds makes no sense"
        case .wrongID: "it stands under another id than its sender gave it; it was dropped"
        case .invalidCommit: "it would change the group against the rules"
        case .damaged: "it is damaged on this device's disk"
        }
    }
}

extension Warning {
    /// The problem, in a few words.
    package var sentence: Sentence {
        switch self {
        case .differentLogs(let first, let last):
            "the relay shows members different logs (entries \(first) to \(last)): something was left out, put in or exchanged; or the sender says so falsely"
        case .missingBefore(let count):
            count == 1 ? "a message of the sender has not arrived" : "\(count) messages of the sender have not arrived"
        case .notKept(let seq): "the relay said that it has entry \(seq) and does not show it"
        case .oldWelcome: "an old invitation to the conversation was put into an inbox again; it was not taken"
        case .inviteUsedAgain:
            "this person came with an invite for one person that somebody else had used before; you are leaving the conversation again"
        case .longerThanRelayTakes(_, let limit):
            "a message was not sent and is not kept: the relay takes at most \(limit) bytes, sealed and padded"
        case .invitationWaits(let name, let obstacle):
            "\(obstacle.sentence(name)); the invitation waits and is tried again"
        case .heldBack(let seq):
            "the relay holds back entries up to \(seq), which a member has; or the member says so falsely"
        }
    }
}

extension Warning {
    /// The warning, and its count if it came repeatedly.
    package func sentence(times: Int) -> Sentence { times > 1 ? "\(sentence) (\(times) times by now)" : sentence }
}

extension KnownRelay {
    /// The relay, and the contact who named it.
    package var sentence: Sentence {
        namedBy.map { "the relay that \(name: $0) named, \(address)" } ?? "\(address)"
    }
}

extension RelayState {
    /// Whether the relay can't be used.
    package var isTrouble: Bool {
        switch self {
        case .connecting, .connected: false
        case .waiting, .refused, .full: true
        }
    }

    /// The state without the time of the next attempt, which differs each time.
    package var withoutTime: RelayState {
        if case .waiting(let pause) = self { .waiting(RelayPause(reason: pause.reason, untilMs: 0)) } else { self }
    }
}

extension LogComparison {
    /// The result of a live check, as the end of a sentence that names the member.
    package var sentence: Sentence {
        switch self {
        case .same: "sees the same group and log"
        case .ahead(let count): "sees the same group; the relay has shown them \(Self.entries(count)) more than you"
        case .behind(let count): "sees the same group; the relay has shown them \(Self.entries(count)) less than you"
        case .differs: "sees the same group, but the relay shows them another log"
        }
    }

    private static func entries(_ count: UInt64) -> Sentence { count == 1 ? "1 entry" : "\(count) entries" }
}

extension RelayAddress {
    /// The sentence about a dropped invitation to a conversation at this relay, with a remedy.
    package var invitationSentence: Sentence {
        "somebody invited you to a conversation at the relay \(self), by an address at another relay; it was not taken. To be reached there, make an invite at that relay (kith invite --relay \(self)), and let them use it"
    }
}

extension InvitationObstacle {
    /// The reason why a person's invitation waits, in a few words.
    package func sentence(_ name: String) -> Sentence {
        switch self {
        case .inboxFull: "\(name: name)'s inbox is full"
        case .relayFull: "the relay with \(name: name)'s inbox has no room"
        case .tooFast: "the relay with \(name: name)'s inbox takes no more from here for a while"
        case .unavailable: "the relay with \(name: name)'s inbox can't store anything now"
        }
    }
}

extension KithEvent {
    /// The sentence about letters from strangers that stay at the relay, with a remedy.
    package static let tooManyPendingSentence: Sentence =
        "\(ClientLimits.pendingConversations) conversations that strangers began wait for you; more letters wait at the relay until you accept (kith chat NAME) or decline (kith group leave NAME) some"

    /// The sentence about a name that another person holds now.
    package static func nameLostSentence(_ lost: Name, _ relay: RelayAddress) -> Sentence {
        "the name \(own: lost.text) at the relay \(relay) belongs to another person now; people who ask for it do not find you"
    }
}

extension ConversationStatus {
    /// The state, in a few words.
    package var sentence: Sentence {
        switch self {
        case .preparing: "the conversation is not ready yet"
        case .active: "the conversation can be used"
        case .removed(let by): by.isEmpty ? "you were removed from it" : "\(name: by) removed you from it"
        case .left: "you left it"
        case .stopped(let seq, let reason): "it stopped at entry \(seq): \(reason.sentence)"
        }
    }
}

extension StopReason {
    /// The reason in a few words, with a remedy.
    package var sentence: Sentence {
        switch self {
        case .invalidCommit:
            "somebody changed the group against the rules; a member can add this device again, or you can leave"
        case .trimmed:
            "this device was away longer than the relay keeps entries; a member can add it again"
        case .denied: "the relay does not know the conversation, or does not let this device in"
        case .closed: "the conversation was closed at the relay"
        case .brokenLog: "the relay's log does not go on where it stopped"
        case .restored: "this device is new; a member has to add it again"
        case .notReachable: "the address that they gave leads nowhere any more; ask for an invite"
        case .wrongAccount: "the relay has somebody else's key at their address"
        }
    }
}

extension Trust {
    /// The trust in the key, in the words used everywhere. They follow a name and "is".
    package var sentence: Sentence {
        switch self {
        case .unverified: "unverified: the key came from a relay or a group"
        case .usedMyInvite: "verified: from your invite"
        case .invite: "verified: from their invite"
        case .compared: "verified: you compared safety numbers"
        }
    }
}
