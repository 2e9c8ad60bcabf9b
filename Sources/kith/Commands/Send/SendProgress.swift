import KithClient
import KithWire

/// Messages on their way to the relay.
struct SendProgress {
    /// The messages, as far as they have come.
    private(set) var messages: [Message]
    private let conversation: ConversationSummary
    private var waiting: Set<EntryID>
    /// Where a person watches, and there is something to watch.
    private let isShown: Bool

    init(_ messages: [Message], in conversation: ConversationSummary) {
        self.messages = messages
        self.conversation = conversation
        waiting = Set(messages.filter { $0.seq == nil }.map(\.id))
        isShown = messages.count > 1 && StandardStream.error.isTerminal && TerminalMode.isCapable
    }

    /// Returns when the relay has them all.
    ///
    /// - Throws: ``Failure`` if the conversation takes nothing any more.
    mutating func wait(for events: AsyncStream<KithEvent>, of kith: Profile) async throws {
        defer { if isShown { StandardStream.error.write("\r\u{1B}[K") } }
        show()
        if try await isDone(kith) { return }
        for await event in events {
            switch event {
            case .message(let message) where message.conversation == conversation.id && message.seq != nil:
                didArrive(message)
                if try await isDone(kith) { return }
            case .missed:
                try await lookAgain(in: kith)
                if try await isDone(kith) { return }
                try check(try await kith.conversation(conversation.id))
            case .conversation(let now) where now.id == conversation.id && waiting.isEmpty:
                if try await isDone(kith) { return }
                try check(now)
            case .conversation(let now) where now.id == conversation.id: try check(now)
            case .warning(conversation.id, .longerThanRelayTakes(let id, let limit), _) where waiting.contains(id):
                throw Failure(Warning.longerThanRelayTakes(id, limit: limit).sentence)
            default: continue
            }
        }
        throw KithError.closed
    }

    /// Whether the relay has the messages and, in a conversation of two, the invitation without which nobody would read them.
    private func isDone(_ kith: Profile) async throws -> Bool {
        guard waiting.isEmpty else { return false }
        guard conversation.isDirect else { return true }
        let now = try await kith.conversation(conversation.id)
        return !now.isInviting
    }

    /// Whether what waits still can be sent.
    private func check(_ now: ConversationSummary) throws {
        if let obstacle = now.obstacle { throw obstacle }
        if now.isSuspect { throw KithError.suspect }
    }

    private mutating func didArrive(_ message: Message) {
        guard waiting.remove(message.id) != nil else { return }
        if let index = messages.firstIndex(where: { $0.id == message.id }) { messages[index] = message }
        show()
    }

    /// How many lines are taken from the vault at once.
    private static let page = 500

    private mutating func lookAgain(in kith: Profile) async throws {
        var seq = conversation.lastSeq
        while true {
            let page = try await kith.messages(in: conversation.id, after: seq, limit: Self.page)
            for message in page { didArrive(message) }
            guard page.count == Self.page, let last = page.last?.seq else { return }
            seq = last
        }
    }

    private func show() {
        guard isShown else { return }
        StandardStream.error.write("\r\u{1B}[K[\(messages.count - waiting.count) of \(messages.count) sent]")
    }
}
