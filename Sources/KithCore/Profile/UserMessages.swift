import KithWire

// Sentences for users. They have no full stop, so that they can be a part of a longer line.

extension Notice {
    /// The event in a few words.
    package var sentence: Sentence { sentence(for: nil) }

    /// The event in a few words. The person with the name `me` is called "you".
    package func sentence(for me: String?) -> Sentence {
        func someone(_ name: String) -> Sentence { name == me ? "you" : "\(name: name)" }
        return switch self {
        case .began(let by):
            by.isEmpty ? "the conversation begins here" : "the conversation with \(name: by) begins here"
        case .added(let who, let by): "\(someone(by)) added \(someone(who))"
        case .removed(let who, let by): "\(someone(by)) removed \(someone(who))"
        case .left(let who): "\(someone(who)) left"
        case .declined(let by): "\(someone(by)) declined; somebody else has probably used the invite before"
        case .renamed(let title, let by): "\(someone(by)) named the conversation \(quoted: title)"
        case .calledNow(let before, let now): "\(name: before) is now called \(name: now)"
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
        case .pinned(let seq, let by): "\(someone(by)) pinned message \(seq)"
        case .unpinned(let seq, let by): "\(someone(by)) removed the pin of message \(seq)"
        case .timer(let seconds?, let by): "\(someone(by)) set new messages to disappear after \(duration: seconds)"
        case .timer(nil, let by): "\(someone(by)) set new messages to stay"
        }
    }
}

extension UnreadableReason {
    /// The reason in a few words.
    package var sentence: Sentence {
        switch self {
        case .notGenuine: "it could not be decrypted, or no member signed it; it was dropped"
        case .repeated: "it repeats an earlier entry; the repeat was dropped"
        case .tooFarAhead: "too many messages before it are missing"
        case .malformed: "its content can't be parsed"
        case .wrongID: "its id is not the one that its sender gave it; it was dropped"
        case .invalidCommit: "it is a change of the group that breaks the rules"
        case .damaged: "it is damaged on this device's disk"
        }
    }
}

extension Warning {
    /// The problem in a few words.
    package var sentence: Sentence {
        switch self {
        case .differentLogs(let first, let last):
            "the relay may be showing members different histories (entries \(first) to \(last)), or the sender's report is false"
        case .missingBefore(let count):
            count == 1
                ? "an earlier message from the sender has not arrived"
                : "\(count) earlier messages from the sender have not arrived"
        case .notKept(let seq): "the relay acknowledged entry \(seq) but does not show it"
        case .oldWelcome: "an old invitation to the conversation came again; it was ignored"
        case .inviteUsedAgain:
            "this person used an invite that somebody else had used before; you are leaving the conversation"
        case .longerThanRelayTakes(_, let limit):
            "a message was too long for the relay and was not sent or kept; the limit is \(limit) bytes, sealed and padded"
        case .invitationWaits(let name, let obstacle):
            "\(obstacle.sentence(name)); the invitation waits and will be retried"
        case .notSentToBlocked: "a message that waited was not sent and is not kept, because you blocked this person"
        case .heldBack(let seq):
            "the relay may be withholding entries up to \(seq) that a member has, or the member's report is false"
        }
    }
}

extension Warning {
    /// Returns the warning, with the number of its repetitions if there were any.
    package func sentence(times: Int) -> Sentence { times > 1 ? "\(sentence) (\(times) times so far)" : sentence }
}

extension KnownRelay {
    /// The relay's address, and the contact who named the relay.
    package var sentence: Sentence {
        namedBy.map { "the relay that \(name: $0) named, \(address)" } ?? "\(address)"
    }
}

extension RelayState {
    /// Whether the relay cannot be reached, refuses the connection, or has no room.
    package var isTrouble: Bool {
        switch self {
        case .connecting, .connected: false
        case .waiting, .refused, .full: true
        }
    }

    /// The state without the time of the next attempt, which differs from one event to the next.
    package var withoutTime: RelayState {
        if case .waiting(let pause) = self { .waiting(RelayPause(reason: pause.reason, untilMs: 0)) } else { self }
    }
}

extension LogComparison {
    /// The result of a live check, in words that follow the member's name.
    package var sentence: Sentence {
        switch self {
        case .same: "sees the same messages"
        case .ahead(let count): "sees the same group; the relay has shown them \(Self.entries(count)) more than you"
        case .behind(let count): "sees the same group; the relay has shown them \(Self.entries(count)) fewer than you"
        case .differs: "sees the same group, but the relay shows them a different log"
        }
    }

    private static func entries(_ count: UInt64) -> Sentence { count == 1 ? "1 entry" : "\(count) entries" }
}

extension RelayAddress {
    /// The sentence about a dropped invitation to a conversation at this relay, with advice.
    package var invitationSentence: Sentence {
        "an invitation to a conversation at the relay \(self) came through an address at another relay; it was ignored. To accept invitations to that relay, make an invite there (kith invite --relay \(self)) and send it to the inviter"
    }
}

extension InvitationObstacle {
    /// Returns the reason why a person's invitation waits, in a few words.
    package func sentence(_ name: String) -> Sentence {
        switch self {
        case .inboxFull: "\(name: name)'s inbox is full"
        case .relayFull: "the relay with \(name: name)'s inbox has no room"
        case .tooFast: "the relay with \(name: name)'s inbox accepts nothing more from here for a while"
        case .unavailable: "the relay with \(name: name)'s inbox can't store anything now"
        }
    }
}

extension KithEvent {
    /// The sentence about strangers' letters that stay at the relay, with advice.
    package static let tooManyPendingSentence: Sentence =
        "\(ClientLimits.pendingConversations) requests are waiting; to let more in, accept or ignore some (kith requests)"

    /// Returns the sentence about a name that now belongs to another person.
    package static func nameLostSentence(_ lost: Name, _ relay: RelayAddress) -> Sentence {
        "the name \(own: lost.text) at the relay \(relay) belongs to another person now; people who look it up no longer find you"
    }
}

extension ConversationStatus {
    /// The state in a few words.
    package var sentence: Sentence {
        switch self {
        case .preparing: "the conversation is not ready yet"
        case .active: "the conversation is active"
        case .removed(let by):
            by.isEmpty ? "you were removed from this conversation" : "\(name: by) removed you from this conversation"
        case .replaced(let by, let device, let seq):
            "this device was removed: \(name: by) added your other device, \(name: device), in its place (entry \(seq)); to bring this one back, give a member an invite"
        case .left: "you left this conversation"
        case .stopped(let seq, let reason): "this conversation stopped at entry \(seq): \(reason.sentence)"
        }
    }
}

extension StopReason {
    /// The reason in a few words, with advice.
    package var sentence: Sentence {
        switch self {
        case .invalidCommit:
            "a member made a change that breaks the group's rules; ask a member to add this device again, or leave"
        case .trimmed:
            "this device was offline longer than the relay keeps entries; ask a member to add it again"
        case .denied: "the relay does not know the conversation or does not let this device in"
        case .closed: "the conversation was closed at the relay"
        case .brokenLog: "the relay's log has a gap"
        case .restored: "this device is new; a member has to add it again"
        case .notReachable: "their address no longer works; ask for a new invite"
        case .wrongAccount: "the relay has another person's key at their address"
        }
    }
}

extension Trust {
    /// The trust in the key, in words that can follow a name and "is". All parts of the program use these words.
    package var sentence: Sentence {
        switch self {
        case .unverified: "unverified: the key came from a relay or a group"
        case .usedMyInvite: "verified: from your invite"
        case .invite: "verified: from their invite"
        case .compared: "verified: you compared safety numbers"
        }
    }
}
