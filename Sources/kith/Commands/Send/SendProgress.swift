import KithClient
import KithWire

/// Tracks whether one command's messages have reached the relay.
struct SendProgress {
    private let conversation: ConversationSummary
    /// The ids of the messages, in the order in which the messages are sent.
    private let ids: [EntryID]
    /// The messages that the relay does not have yet.
    private var waiting: Set<EntryID>
    /// The latest report of each message.
    private var reports: [EntryID: Message] = [:]
    /// The first file that was left out of its message.
    private var leftOut: FileNotice?
    /// Whether progress is shown to a person.
    private let isShown: Bool

    init(_ ids: [EntryID], in conversation: ConversationSummary) {
        self.conversation = conversation
        self.ids = ids
        waiting = Set(ids)
        isShown = ids.count > 1 && StandardStream.error.isTerminal && TerminalMode.isCapable
    }

    /// The messages that were reported so far, in their latest states.
    var messages: [Message] { ids.compactMap { reports[$0] } }

    /// Returns when the relay has all messages. In a conversation of two, the relay must also have the invitation, because the
    /// other person needs it to read the messages.
    ///
    /// - Throws: ``KithError`` if the conversation no longer accepts messages or the profile is closed. ``Failure`` if a message
    ///   is longer than the relay accepts, or if a file was left out.
    mutating func wait(for events: AsyncStream<KithEvent>, of profile: Profile) async throws {
        try await waitForRelay(events, of: profile)
        if let leftOut { throw Failure(message: leftOut.sentence.description) }
    }

    private mutating func waitForRelay(_ events: AsyncStream<KithEvent>, of profile: Profile) async throws {
        defer { if isShown { StandardStream.error.write("\r\u{1B}[K") } }
        show()
        if try await isDone(profile) { return }
        for await event in events {
            switch event {
            case .message(let message) where message.conversation == conversation.id:
                note(message)
                if try await isDone(profile) { return }
            case .conversation(let now) where now.id == conversation.id && waiting.isEmpty:
                if try await isDone(profile) { return }
                try check(now)
            case .conversation(let now) where now.id == conversation.id: try check(now)
            case .warning(conversation.id, .longerThanRelayTakes(let id, let limit), _) where waiting.contains(id):
                throw Failure(Warning.longerThanRelayTakes(id, limit: limit).sentence)
            case .file(conversation.id, let id, let notice) where waiting.contains(id):
                switch notice {
                case .notSent: throw Failure(message: notice.sentence.description)
                case .leftOut: leftOut = leftOut ?? notice
                case .delayed, .restarted, .fetched, .notFetched:
                    StandardStream.error.write("\r[\(SafeText.oneLine(notice.sentence.description))]\n")
                }
            default: continue
            }
        }
        throw KithError.closed
    }

    /// Whether the relay has the messages. In a conversation of two, the relay must also have the invitation, because the other
    /// person needs it to read the messages.
    private func isDone(_ profile: Profile) async throws -> Bool {
        guard waiting.isEmpty else { return false }
        guard conversation.isDirect else { return true }
        let now = try await profile.conversation(conversation.id)
        return !now.isInviting
    }

    /// Checks that waiting messages can still be sent.
    private func check(_ now: ConversationSummary) throws {
        if let obstacle = now.obstacle { throw obstacle }
        if now.isSuspect { throw KithError.suspect }
    }

    private mutating func note(_ message: Message) {
        guard ids.contains(message.id) else { return }
        reports[message.id] = message
        if message.seq != nil, waiting.remove(message.id) != nil { show() }
    }

    /// Reads the current state of the messages from the profile, without a relay.
    mutating func reload(from profile: Profile) async throws {
        for message in try await profile.history(of: conversation.id, limit: ids.count) { note(message) }
        // The last messages of the conversation may include messages of other members, so some messages of this command may not
        // be among them.
        let logged = try await profile.messages(in: conversation.id, after: conversation.lastSeq, limit: .max)
        for message in logged { note(message) }
    }

    private func show() {
        guard isShown else { return }
        StandardStream.error.write("\r\u{1B}[K[\(ids.count - waiting.count) of \(ids.count) sent]")
    }
}
