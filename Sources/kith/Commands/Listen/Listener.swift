import Foundation
import KithClient

/// Prints each new message once, and marks it as read.
struct Listener {
    /// The form of the output.
    enum Format: Sendable {
        /// Text for people.
        case text
        /// JSON for programs.
        case json
    }

    /// The reason why the listener ended.
    enum Ending: Sendable {
        /// One message was requested and has been printed.
        case receivedOne
        /// The time limit has been reached.
        case timeIsOver
        /// The output no longer has a reader.
        case outputIsClosed
        /// Ctrl-C or SIGTERM arrived.
        case stopped
        /// The profile was closed.
        case closed
    }

    private enum Input: Sendable {
        case event(KithEvent)
        case answer(JSONEvent)
        case flush
        case end(Ending)
    }

    /// Options of the listener.
    struct Options: Sendable {
        /// The only conversation whose messages are printed.
        var only: ConversationID?
        /// Whether the listener ends after one message.
        var endsAfterFirst = false
        /// Whether read receipts are sent to the other members.
        var sendsReceipts = true
        /// Whether the listener accepts every conversation that a stranger begins.
        var acceptsStrangers = false
    }

    private let profile: Profile
    private let format: Format
    private let options: Options
    private var only: ConversationID? { options.only }
    private var strangers = StrangerNotices()
    /// For each conversation, the last printed entry and its printed messages. One entry can contain several notices.
    private var printed: [ConversationID: (seq: UInt64, bodies: [Message.Body])] = [:]
    /// Conversations whose printed messages are not marked as read yet.
    private var unmarked: Set<ConversationID> = []
    private var names: [ConversationID: String] = [:]
    /// The user's name.
    private var me = ""
    /// The last printed state of each relay.
    private var relayStates: [KnownRelay: RelayState] = [:]

    /// Delay before printed messages are marked as read, so that one transaction marks many messages.
    private static let flush = Duration.milliseconds(200)
    /// Interval between checks whether the output still has a reader.
    private static let look = Duration.seconds(1)
    /// Maximum number of messages that are read from the vault at once.
    private static let page = 500

    init(_ profile: Profile, format: Format, options: Options) {
        self.profile = profile
        self.format = format
        self.options = options
    }

    /// Listens until one of the ``Ending`` reasons occurs.
    func run(for time: Duration?) async throws -> Ending {
        let signals = StopSignals()
        let watchdog = ExitWatchdog()
        watchdog.begin()
        defer { watchdog.done() }
        var listener = self
        listener.me = await profile.identity().name
        let ending = try await listener.listen(for: time, until: signals)
        try await listener.markRead()
        return ending
    }

    private mutating func listen(for time: Duration?, until signals: StopSignals) async throws -> Ending {
        let (inputs, put) = AsyncStream.makeStream(of: Input.self)
        let (turns, nextEvent) = AsyncStream.makeStream(of: Void.self)
        let (commandTurns, nextCommand) = AsyncStream.makeStream(of: Void.self)
        let tasks = await feed(put, turns, for: time, until: signals) + [carryOutCommands(commandTurns, put)]
        // Cancelling also ends a command that is waiting.
        defer { for task in tasks { task.cancel() } }
        if let ending = try await printUnread() { return ending }
        nextEvent.yield()
        nextCommand.yield()
        for await input in inputs {
            switch input {
            case .event(let event):
                if let ending = try await take(event, put) { return ending }
                nextEvent.yield()
            case .answer(let answer):
                guard JSONLine.print(answer) else { return .outputIsClosed }
                nextCommand.yield()
            case .flush: try await markRead()
            case .end(let ending): return ending
            }
        }
        return .closed
    }

    private func feed(
        _ put: AsyncStream<Input>.Continuation, _ turns: AsyncStream<Void>, for time: Duration?,
        until signals: StopSignals
    ) async -> [Task<Void, Never>] {
        let events = await profile.events()
        var tasks = [
            Task {
                await events.handOn(at: turns) { put.yield(.event($0)) }
                put.yield(.end(.closed))
            },
            Task {
                await signals.wait()
                put.yield(.end(.stopped))
            },
        ]
        tasks.append(
            Task {
                // If the reader has died, the listener must end, so that the profile is free for the next listener.
                while !StandardStream.output.isAbandoned {
                    do { try await Task.sleep(for: Self.look) } catch { return }
                }
                put.yield(.end(.outputIsClosed))
            })
        if let time {
            tasks.append(
                Task {
                    try? await Task.sleep(for: time)
                    put.yield(.end(.timeIsOver))
                })
        }
        return tasks
    }

    // MARK: Messages

    private mutating func printUnread() async throws -> Ending? {
        // The most recent conversation is handled last.
        for conversation in try await profile.conversations().reversed() where only == nil || only == conversation.id {
            names[conversation.id] = conversation.name
            if conversation.isPending, let ending = try await meet(conversation) { return ending }
            if let ending = try await printNew(in: conversation.id, after: conversation.readThrough) { return ending }
        }
        try await markRead()
        return nil
    }

    private mutating func printNew(in conversation: ConversationID, after seq: UInt64) async throws -> Ending? {
        var seq = seq
        while true {
            let messages = try await profile.messages(in: conversation, after: seq, limit: Self.page)
            for message in messages {
                seq = message.seq ?? seq
                if let ending = print(message) { return ending }
            }
            if messages.count < Self.page { return nil }
        }
    }

    /// Prints a message, unless it was already printed.
    private mutating func print(_ message: Message) -> Ending? {
        guard only == nil || only == message.conversation, let seq = message.seq else { return nil }
        let last = printed[message.conversation] ?? (0, [])
        guard seq > last.seq || seq == last.seq && !last.bodies.contains(message.body) else { return nil }
        func didPrint() {
            printed[message.conversation] = (seq, seq == last.seq ? last.bodies + [message.body] : [message.body])
        }
        guard message.author != .me, message.isShown else {
            didPrint()
            return nil
        }
        let name = name(message.conversation)
        let lines =
            switch format {
            case .json: [JSONLine.text(JSONEvent(.message(message)) { _ in name })]
            case .text:
                MessageRenderer(me: me, layout: .record(conversation: only == nil ? name : nil)).lines(message)
                    .map { $0.painted(colours: TerminalMode.wantsColours) }
            }
        // A line that could not be written does not count as printed or as read.
        for line in lines where !StandardStream.output.write(line + "\n") { return .outputIsClosed }
        didPrint()
        unmarked.insert(message.conversation)
        guard options.endsAfterFirst, case .contact = message.author else { return nil }
        return .receivedOne
    }

    private mutating func markRead() async throws {
        for conversation in unmarked {
            guard let seq = printed[conversation]?.seq else { continue }
            try await profile.markRead(conversation, through: seq, sendsReceipt: options.sendsReceipts)
        }
        unmarked = []
    }

    // MARK: Events

    private mutating func take(_ event: KithEvent, _ put: AsyncStream<Input>.Continuation) async throws -> Ending? {
        switch event {
        case .conversation(let summary): names[summary.id] = summary.name
        case .message(let message) where names[message.conversation] == nil:
            names[message.conversation] = try await profile.conversation(message.conversation).name
        case .inviteUsed(_, let id), .warning(let id, _, _): names[id] = try await profile.conversation(id).name
        default: break
        }
        if format == .text, case .relay(let relay, let state) = event {
            // The state of a new attempt is not printed, because every attempt would print the same line again.
            if case .connecting = state { return nil }
            guard relayStates.updateValue(state.withoutTime, forKey: relay) != state.withoutTime else { return nil }
        }
        if case .missed = event, let ending = try await printUnread() { return ending }
        if case .conversation(let summary) = event, summary.isPending, let ending = try await meet(summary) {
            return ending
        }
        let before = unmarked
        if case .message(let message) = event, message.author != .me {
            if let ending = print(message) { return ending }
        } else if event.conversation == nil || only == nil || event.conversation == only {
            switch format {
            case .json: guard JSONLine.print(JSONEvent(event, naming: name)) else { return .outputIsClosed }
            case .text: if let sentence = sentence(event) { StandardStream.error.say(sentence) }
            }
        }
        if before.isEmpty, !unmarked.isEmpty {
            Task {
                try? await Task.sleep(for: Self.flush)
                put.yield(.flush)
            }
        }
        return nil
    }

    private mutating func sentence(_ event: KithEvent) -> Sentence? {
        guard case .inviteUsed(_, let id) = event else { return event.sentence(naming: name) }
        return strangers.line(forUseLeadingTo: names[id], at: ChatBackend.now)
    }

    private func name(_ id: ConversationID) -> String { names[id] ?? "#\(id.rawValue)" }

    /// Accepts a conversation that a stranger began, or prints the commands that accept it. A program gets only the event.
    private mutating func meet(_ conversation: ConversationSummary) async throws -> Ending? {
        if options.acceptsStrangers {
            try await profile.accept(conversation.id)
        } else if format == .text, only == nil,
            let line = strangers.line(for: conversation, at: ChatBackend.now),
            !StandardStream.error.write("[\(line)]\n")
        {
            return .outputIsClosed
        }
        return nil
    }

    // MARK: Commands

    /// Performs the requests on standard input in order. Each begins after the answer to the previous one was printed.
    ///
    /// This runs in its own task, so that a request that waits does not keep the listener from printing messages or from ending.
    private func carryOutCommands(_ turns: AsyncStream<Void>, _ put: AsyncStream<Input>.Continuation) -> Task<
        Void, Never
    > {
        let profile = profile
        return Task { [format] in
            guard format == .json else { return }
            let lines = LineReader()
            for await _ in turns {
                var line = await lines.nextLine()
                while let blank = line, TextRules.isBlank(blank.text) { line = await lines.nextLine() }
                guard let line else { return }
                put.yield(.answer(await ListenRequest.carryOut(line, with: profile)))
            }
        }
    }
}
