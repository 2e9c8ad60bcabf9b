import KithClient
import KithWire

/// What a conversation's screen asks of the profile.
enum ChatRequest: Hashable, Sendable {
    case send(String, replyTo: EntryID?, expiresAfter: UInt32?)
    case markRead(through: UInt64)
    case checkPresence
    case history(before: UInt64?, limit: Int)
    case search(String)
    case explain(UInt64)
    case members
    case safetyNumber(ContactID)
    case setVerified(ContactID, Bool)
    case decideKey(ContactID, accept: Bool)
    case add([ContactID])
    case remove(ContactID)
    case rename(String)
    case leave
    case invite
    case trustLog

    /// Whether it is over at once: what comes after it waits, so that what is sent keeps its order. The others wait for a
    /// relay, and typing goes on.
    var isQuick: Bool {
        switch self {
        case .send, .markRead, .checkPresence, .history, .search, .explain, .members, .safetyNumber, .setVerified,
            .decideKey, .trustLog:
            true
        case .add, .remove, .rename, .leave, .invite: false
        }
    }

    /// What was tried, for who is told that it failed.
    var attempt: Sentence {
        switch self {
        case .send: "not sent"
        case .add: "not added"
        case .remove: "not removed"
        case .rename: "not renamed"
        case .leave: "you did not leave"
        case .invite: "no invite"
        default: "that failed"
        }
    }
}

/// What comes back.
enum ChatAnswer: Hashable, Sendable {
    case done
    /// A message is stored; events tell the rest.
    case sent(EntryID)
    case messages([Message])
    case members([Member])
    case sentences([Sentence])
    case safetyNumber(SafetyNumber)
    case invite(String)
}
