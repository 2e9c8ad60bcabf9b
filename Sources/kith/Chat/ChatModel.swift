import Foundation
import KithClient
import KithWire

/// A conversation on a screen: what happened and what was typed in, what to show and what to do out. Pure.
///
/// A screen that scrolls can't change what it has shown. So the user's own messages are shown when the relay has them, in
/// the order in which everyone sees them; until then they stand in the status above the input line.
struct ChatModel {
    /// The state of a conversation when it is opened.
    struct Opening: Sendable {
        var me: String
        var conversation: ConversationSummary
        var members: [Member]
        var contacts: [Contact]
        /// The names of the profile's conversations.
        var names: [ConversationID: String]
        /// The last page, the oldest first, with what waits to be sent at its end.
        var history: [Message]

        /// Messages of others that were not marked as read.
        var unread: [Message] {
            history.filter { message in
                guard case .contact = message.author, let seq = message.seq else { return false }
                return seq > conversation.readThrough
            }
        }
    }

    /// Inputs of the model.
    enum Input: Sendable {
        case event(KithEvent)
        /// The user entered a line.
        case line(String)
        case answered(ChatRequest, Result<ChatAnswer, KithError>)
    }

    /// Effects of an input.
    enum Output: Equatable, Sendable {
        case show([ScreenLine])
        /// The line above the input line from now on.
        case status(Sentence?)
        case request(ChatRequest)
        case quit

        /// Whether it tells the user that something was not done.
        var isComplaint: Bool {
            if case .show(let lines) = self { lines.contains { $0.kind == .failure } } else { false }
        }
    }

    /// A question to the user, and what a yes and a no lead to.
    struct Question {
        let text: Sentence
        let yes: ChatRequest
        var no: ChatRequest?
    }

    /// A message as far as later ones refer to it.
    struct Known {
        let seq: UInt64?
        let snippet: String
    }

    /// The shortest time between two notices that a member is here, in milliseconds.
    static let presenceIntervalMs: UInt64 = 60_000
    /// The shortest lag of a member that the user is told of, in milliseconds. Entries on their way are no news.
    static let lagMs: UInt64 = 2_000
    /// Waiting messages that are named. The others are counted.
    private static let namedWaiting = 1

    /// Whether a person reads, and there is a status. Programs get what is said and nothing around it.
    let isForPerson: Bool
    /// Whether a person writes: lines that begin with a slash are commands. Of programs, every line is a text.
    let takesCommands: Bool
    var conversation: ConversationSummary
    var renderer: MessageRenderer
    var contacts: [ContactID: Contact]
    var known: [EntryID: Known] = [:]
    var bySeq: [UInt64: EntryID] = [:]
    var lastFromOthers: EntryID?
    var oldestSeq: UInt64?
    var lastSeq: UInt64 = 0
    var expiresAfter: UInt32?
    var question: Question?
    /// Whether the last line was a command that was not carried out.
    var commandWasRefused = false
    var outputs: [Output] = []
    var day: ChatDay
    private(set) var now: UInt64 = 0

    let opening: Opening
    var names: [ConversationID: String]
    var shown: Set<EntryID> = []
    var waiting: [(id: EntryID, snippet: String)] = []
    var lastOwn: (id: EntryID, readers: Int)?
    var lastIsOwn = false
    var relay: RelayState?
    var wasConnected = false
    private var status: Sentence?
    var presentAt: [ContactID: UInt64] = [:]
    /// The first of the latest answers of each member that was behind this device's log, by ``now``.
    var behindSince: [ContactID: UInt64] = [:]
    var toldElsewhere: [ConversationID: UInt64] = [:]
    var strangers = StrangerNotices()

    init(_ opening: Opening, isForPerson: Bool, takesCommands: Bool, day: ChatDay = ChatDay()) {
        self.opening = opening
        self.isForPerson = isForPerson
        self.takesCommands = takesCommands
        conversation = opening.conversation
        renderer = MessageRenderer(me: opening.me, memberCount: opening.conversation.memberCount)
        contacts = Dictionary(opening.contacts.map { ($0.id, $0) }) { $1 }
        names = opening.names
        self.day = day
    }

    /// The number of the user's messages that are not on the relay yet.
    var waitingCount: Int { waiting.count }

    /// The obstacle between messages and the relay, in a few words.
    var relayTrouble: String? {
        switch relay {
        case nil, .connecting, .connected: nil
        case .waiting(let pause): pause.reason
        case .refused(let error): error.description
        case .full: RelayState.full.fullSentence.description
        }
    }

    /// Whether there is reason to ask again who is here: nobody has answered, or somebody may have caught up since.
    var asksAgain: Bool { presentAt.isEmpty || !behindSince.isEmpty }

    /// The parting line, if there is one.
    var farewell: ScreenLine? {
        switch waiting.count {
        case 0: nil
        case 1: ScreenLine(.notice, "[1 message waits on this device, and goes out when Kith runs again]")
        case let count: ScreenLine(.notice, "[\(count) messages wait on this device, and go out when Kith runs again]")
        }
    }

    /// Returns the first things to do.
    mutating func open(now: UInt64) -> [Output] {
        self.now = now
        showHistory()
        show(headers())
        request(.checkPresence)
        return finish()
    }

    /// Takes what happened; returns what to do, in order.
    ///
    /// - Parameter now: milliseconds since 1970.
    mutating func handle(_ input: Input, now: UInt64) -> [Output] {
        self.now = now
        switch input {
        case .event(let event): handle(event)
        case .line(let line): handleLine(line)
        case .answered(let request, .success(let answer)): handle(answer, to: request)
        case .answered(let request, .failure(let error)): failed(request, error)
        }
        return finish()
    }

    private mutating func finish() -> [Output] {
        let status = isForPerson ? self.statusLine() : nil
        if status != self.status {
            self.status = status
            outputs.append(.status(status))
        }
        defer { outputs = [] }
        return outputs
    }

    mutating func show(_ lines: [ScreenLine]) { if !lines.isEmpty { outputs.append(.show(lines)) } }
    mutating func notice(_ text: Sentence) { show([ScreenLine(.notice, "[\(text)]")]) }
    mutating func complain(_ text: Sentence) { show([ScreenLine(.failure, "[\(text)]")]) }
    mutating func request(_ request: ChatRequest) { outputs.append(.request(request)) }

    // MARK: Status

    private func statusLine() -> Sentence? {
        var parts: [Sentence] = []
        if let question { parts.append(question.text) }
        if let first = waiting.first {
            let more: Sentence =
                waiting.count > Self.namedWaiting ? " and \(waiting.count - Self.namedWaiting) more" : ""
            let isMoving = relay == .connected || relay == nil
            parts.append("\(isMoving ? "sending" : "waiting"): \(quoted: first.snippet)\(more)")
        }
        switch relay {
        case nil, .connected: break
        case .connecting: parts.append("connecting to \(conversation.relay)")
        case .waiting(let pause): parts.append("\(own: pause.reason); trying again")
        case .refused: parts.append("the relay is refused")
        case .full: parts.append("the relay has no room")
        }
        if conversation.status == .preparing { parts.append("not ready yet") }
        if let expiresAfter { parts.append("your messages expire after \(Self.duration(expiresAfter))") }
        return parts.isEmpty ? nil : "[\(parts.joined(separator: " · "))]"
    }

    /// A number of seconds in the largest unit that fits.
    static func duration(_ seconds: UInt32) -> Sentence {
        for (unit, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] as [(UInt32, Sentence)]
        where seconds % unit == 0 {
            return "\(seconds / unit) \(name)\(seconds == unit ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }
}
