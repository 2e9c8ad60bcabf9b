import KithClient
import KithWire

/// A request from a conversation's screen to the profile.
enum ChatRequest: Hashable, Sendable {
    case send(String, replyTo: EntryID?, expiresAfter: UInt32?)
    /// Sends the files at these paths, as the user typed them.
    case sendFiles(String, expiresAfter: UInt32?)
    case files
    /// Downloads files and saves them in the current folder.
    case get(FileNumber)
    case change(UInt64, RequestedChange)
    case setTimer(UInt32?)
    case pinned
    /// Reads the last messages again, after a message on the screen has disappeared.
    case lastPage(limit: Int)
    case markRead(through: UInt64)
    case checkPresence
    case history(before: UInt64?, limit: Int)
    case search(MessageSearch)
    case explain(UInt64)
    case members
    case safetyNumber(ContactID)
    case setVerified(ContactID, Bool)
    case decideKey(ContactID, accept: Bool)
    case setBlocked(ContactID, Bool)
    case add([ContactID])
    case remove(ContactID)
    case rename(String)
    case leave
    case invite
    case trustLog

    /// Whether the request finishes at once. Later input waits for a quick request, so messages keep their order. All other
    /// requests wait for a relay, or for the previews of pictures, while the user continues to type.
    var isQuick: Bool {
        switch self {
        case .send, .files, .change, .setTimer, .pinned, .lastPage, .markRead, .checkPresence, .history,
            .search, .explain, .members, .safetyNumber, .setVerified,
            .decideKey, .setBlocked, .trustLog:
            true
        case .sendFiles, .get, .add, .remove, .rename, .leave, .invite: false
        }
    }

    /// The beginning of the message that reports the failure of the request.
    var attempt: Sentence {
        switch self {
        case .send, .sendFiles: "not sent"
        case .get: "not saved"
        case .change, .setTimer: "not changed"
        case .add: "not added"
        case .remove: "not removed"
        case .rename: "not renamed"
        case .leave: "you did not leave"
        case .invite: "no invite"
        default: "that failed"
        }
    }
}

/// The answer to a ``ChatRequest``.
enum ChatAnswer: Hashable, Sendable {
    case done
    /// A message was stored. Events report the later states of the message.
    case sent(EntryID)
    case messages([Message])
    /// Files were stored to be sent.
    case sentFiles(EntryID, names: [String])
    case files([ListedFile], [FileProgress])
    /// Files were saved under the given paths.
    case saved([String])
    case members([Member])
    case sentences([Sentence])
    case safetyNumber(SafetyNumber)
    case invite(String)
}
