import Foundation
import KithClient
import KithWire

/// The state of a conversation's screen. It receives events and typed lines, and returns lines to show and requests to perform.
/// The type performs no input or output.
///
/// A terminal that scrolls can change few of the lines that it has already shown. Therefore the user's own messages are shown
/// only after they are in the log, in the order that all members see. Only their read marks change later. While a message of
/// the user is not in the log, the status above the input line shows the message.
struct ChatModel {
    /// The state of a conversation when it is opened.
    struct Opening: Sendable {
        var me: String
        var conversation: ConversationSummary
        var members: [Member]
        var contacts: [Contact]
        /// The names of the profile's conversations.
        var names: [ConversationID: String]
        /// The muted conversations of the profile.
        var muted: Set<ConversationID> = []
        /// The last page of messages, the oldest message first. Unsent messages come last.
        var history: [Message]

        /// Unread messages of other members.
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
        /// A moment has passed since a member of a group was found to be online.
        case arrivalsAreDue
        /// The user has asked who is online, and the time for answers is over.
        case answersAreDue
    }

    /// Effects of an input.
    enum Output: Equatable, Sendable {
        case show([ScreenLine])
        /// Changes the marks of the user's messages on the screen. The notice is printed if the mark can't be changed there.
        case readMarks(ReadMarks, ReadMarks.Notice?)
        /// Removes all lines from a terminal, also those that have scrolled out of the window.
        case clear
        /// Replaces the status line above the input line; `nil` removes it.
        case status(Sentence?)
        /// Replaces the words about members who are typing. The first form that has room is shown; an empty list removes the words.
        case typing([String])
        case request(ChatRequest)
        case quit
        /// Pass the input ``Input/arrivalsAreDue`` to the model after a moment.
        case tellArrivals
        /// Pass the input ``Input/answersAreDue`` to the model after some seconds.
        case awaitAnswers

        /// Whether this output tells the user that something was refused.
        var isComplaint: Bool {
            if case .show(let lines) = self { lines.contains { $0.kind == .failure } } else { false }
        }
    }

    /// A question to the user.
    struct Question {
        let text: Sentence
        /// The effect of a yes.
        let yes: ChatRequest
        /// The effect of a no.
        let no: No
        /// Whether the question is the last line on the screen, so that the status need not repeat it.
        var isLastLine = true

        /// The effect of a no.
        enum No {
            /// The request is performed.
            case request(ChatRequest)
            /// Nothing is changed, and the sentence says so.
            case notice(Sentence)
        }
    }

    /// The parts of a message that later messages and commands may need.
    struct Known {
        let seq: UInt64?
        let snippet: String
    }

    /// Minimum time between two notices that a member is online, in milliseconds.
    static let presenceIntervalMs: UInt64 = 60_000
    /// Minimum duration of a member's lag before the user is told, in milliseconds. The network causes shorter lags.
    static let lagMs: UInt64 = 2_000
    /// Number of unsent messages that the status shows with their text. Further unsent messages are only counted.
    private static let namedWaiting = 1

    /// Whether a person reads the output. A person sees a status. A program sees no status, and gets the messages without dates
    /// and numbers.
    let isForPerson: Bool
    /// Whether the input's lines come from a person, not from a program. A person's line that begins with a slash is a command.
    /// Every line from a program is a text.
    let takesCommands: Bool
    var conversation: ConversationSummary
    var renderer: MessageRenderer
    var contacts: [ContactID: Contact]
    var known: [EntryID: Known] = [:]
    var bySeq: [UInt64: EntryID] = [:]
    /// The seqs of the shown messages that people have written, in ascending order.
    var people: [UInt64] = []
    var lastFromOthers: EntryID?
    var oldestSeq: UInt64?
    var lastSeq: UInt64 = 0
    var expiresAfter: UInt32?
    var question: Question?
    /// Whether the last line was a command that the model refused.
    var commandWasRefused = false
    var outputs: [Output] = []
    var day: ChatDay
    private(set) var now: UInt64 = 0

    let opening: Opening
    var names: [ConversationID: String]
    /// The muted conversations, whose messages are not announced.
    var muted: Set<ConversationID>
    var shown: Set<EntryID> = []
    /// The shown notices. One entry may have several, for example about each member that it has added.
    var shownNotices: [EntryID: Set<Notice>] = [:]
    var waiting: [(id: EntryID, snippet: String)] = []
    var lastOwn: (id: EntryID, readers: Int)?
    var reads: ReadMarks
    /// The read marks that the screen shows.
    private var shownReads: ReadMarks
    var readNotice: ReadMarks.Notice?
    var lastIsOwn = false
    var relay: RelayState?
    var wasConnected = false
    private var status: Sentence?
    /// The names of members who have just proved that they are online, and who were not reported yet.
    var arrivals: [Sentence] = []
    var reportedOnlineAt: [ContactID: UInt64] = [:]
    /// The number of presence checks that the user has requested, and whose time for answers is not over yet.
    var openPresenceChecks = 0
    /// The members whose latest answer to a presence check was behind this device's log. The value is the time at which the
    /// member began to lag, in milliseconds since 1970.
    var behindSince: [ContactID: UInt64] = [:]
    var reportedElsewhereAt: [ConversationID: UInt64] = [:]
    var strangers = StrangerNotices()

    init(_ opening: Opening, isForPerson: Bool, takesCommands: Bool, day: ChatDay = ChatDay()) {
        self.opening = opening
        self.isForPerson = isForPerson
        self.takesCommands = takesCommands
        conversation = opening.conversation
        renderer = MessageRenderer(me: opening.me, memberCount: opening.conversation.memberCount)
        contacts = Dictionary(opening.contacts.map { ($0.id, $0) }) { $1 }
        reads = ReadMarks(memberCount: opening.conversation.memberCount)
        shownReads = reads
        names = opening.names
        muted = opening.muted
        self.day = day
    }

    /// The number of the user's messages that are not on the relay yet.
    var waitingCount: Int { waiting.count }

    /// A short reason why messages cannot reach the relay; `nil` if they can.
    var relayTrouble: String? {
        switch relay {
        case nil, .connecting, .connected: nil
        case .waiting(let pause): pause.reason
        case .refused(let error): error.description
        case .full: RelayState.full.fullSentence.description
        }
    }

    /// Whether another presence check may give new information: no member has answered yet, or a member that lagged may have
    /// caught up.
    var asksAgain: Bool { reportedOnlineAt.isEmpty || !behindSince.isEmpty }

    /// The last line of the chat, if unsent messages are left.
    var farewell: ScreenLine? {
        switch waiting.count {
        case 0: nil
        case 1: ScreenLine(.notice, "[1 message waits on this device, and goes out when Kith runs again]")
        case let count: ScreenLine(.notice, "[\(count) messages wait on this device, and go out when Kith runs again]")
        }
    }

    /// Opens the screen. Returns the first outputs.
    mutating func open(now: UInt64) -> [Output] {
        self.now = now
        showHistory()
        show(headers())
        shownReads = reads
        request(.checkPresence)
        return finish()
    }

    /// Handles an input. Returns the outputs in order.
    ///
    /// - Parameter now: milliseconds since 1970.
    mutating func handle(_ input: Input, now: UInt64) -> [Output] {
        self.now = now
        switch input {
        case .event(let event): handle(event)
        case .line(let line): handleLine(line)
        case .answered(let request, .success(let answer)): handle(answer, to: request)
        case .answered(let request, .failure(let error)): failed(request, error)
        case .arrivalsAreDue: tellArrivals()
        case .answersAreDue: tellAbsence()
        }
        return finish()
    }

    private mutating func finish() -> [Output] {
        if isForPerson, reads != shownReads {
            shownReads = reads
            outputs.append(.readMarks(reads, readNotice))
        }
        readNotice = nil
        let status = isForPerson ? self.statusLine() : nil
        if status != self.status {
            self.status = status
            outputs.append(.status(status))
        }
        defer { outputs = [] }
        return outputs
    }

    mutating func show(_ lines: [ScreenLine]) {
        guard !lines.isEmpty else { return }
        outputs.append(.show(lines))
        question?.isLastLine = false
    }

    mutating func notice(_ text: Sentence) { show([ScreenLine(.notice, "[\(text)]")]) }
    mutating func complain(_ text: Sentence) { show([ScreenLine(.failure, "[\(text)]")]) }
    mutating func request(_ request: ChatRequest) { outputs.append(.request(request)) }

    // MARK: Status

    private func statusLine() -> Sentence? {
        var parts: [Sentence] = []
        if let question {
            parts.append(question.isLastLine ? "answer yes or no, or press Enter to decide later" : question.text)
        }
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
        if let expiresAfter {
            parts.append("your messages expire after \(duration: expiresAfter)")
        } else if let timer = conversation.timerSeconds {
            parts.append("messages disappear after \(duration: timer)")
        }
        return parts.isEmpty ? nil : "[\(parts.joined(separator: " · "))]"
    }
}
