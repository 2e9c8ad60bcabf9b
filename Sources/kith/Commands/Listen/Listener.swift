import Foundation
import KithClient

/// Prints what comes, once each, and says that it was read.
struct Listener {
    /// Forms of the output.
    enum Output: Sendable {
        /// For people.
        case text
        /// For programs.
        case json
    }

    /// Reasons to end.
    enum Ending: Sendable {
        /// One message was asked for, and printed.
        case gotOne
        /// The time was over.
        case timeIsOver
        /// The output's reader is gone.
        case nobodyReads
        /// Ctrl-C, or SIGTERM.
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

    /// The choice of conversations, and what the listener does by itself.
    struct Options: Sendable {
        /// The only conversation whose messages are printed.
        var only: ConversationID?
        /// Whether one message is enough.
        var endsAfterFirst = false
        /// Whether the others are told what was read.
        var sendsReceipts = true
        /// Whether it accepts every conversation that a stranger begins.
        var acceptsStrangers = false
    }

    private let profile: Profile
    private let output: Output
    private let options: Options
    private var only: ConversationID? { options.only }
    private var strangers = StrangerNotices()
    /// The last entry that was printed of each conversation, and the part of it: one entry can be several notices.
    private var printed: [ConversationID: (seq: UInt64, bodies: [Message.Body])] = [:]
    /// Conversations with printed messages that are not marked as read yet.
    private var unmarked: Set<ConversationID> = []
    private var names: [ConversationID: String] = [:]
    /// The user's name.
    private var me = ""
    /// The last state told of each relay.
    private var relayStates: [KnownRelay: RelayState] = [:]

    /// Time for which printed messages are collected, so that one transaction marks many as read.
    private static let flush = Duration.milliseconds(200)
    /// Time between two looks at whether anybody still reads the output.
    private static let look = Duration.seconds(1)
    /// Lines that are taken from the vault at once.
    private static let page = 500

    init(_ profile: Profile, output: Output, options: Options) {
        self.profile = profile
        self.output = output
        self.options = options
    }

    /// Listens until something ends it.
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
        // A command that waits for something gives up then.
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
                guard JSONLine.print(answer) else { return .nobodyReads }
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
                // A bot that died must not leave a process that keeps the profile from the next one.
                while !StandardStream.output.isAbandoned {
                    do { try await Task.sleep(for: Self.look) } catch { return }
                }
                put.yield(.end(.nobodyReads))
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
        // The order in which people would look: what came last, last.
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

    /// Prints a message unless it was printed.
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
            switch output {
            case .json: [JSONLine.text(JSONEvent(.message(message)) { _ in name })]
            case .text:
                MessageRenderer(me: me, layout: .record(conversation: only == nil ? name : nil)).lines(message)
                    .map { $0.painted(colours: TerminalMode.wantsColours) }
            }
        // A line that could not be written does not count as printed, and so not as read.
        for line in lines where !StandardStream.output.write(line + "\n") { return .nobodyReads }
        didPrint()
        unmarked.insert(message.conversation)
        guard options.endsAfterFirst, case .contact = message.author else { return nil }
        return .gotOne
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
        if output == .text, case .relay(let relay, let state) = event {
            // Each try would say the same again.
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
            switch output {
            case .json: guard JSONLine.print(JSONEvent(event, naming: name)) else { return .nobodyReads }
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

    /// Accepts a conversation that a stranger began, or says how to. For a program, the event itself says that it is pending.
    private mutating func meet(_ conversation: ConversationSummary) async throws -> Ending? {
        if options.acceptsStrangers {
            try await profile.accept(conversation.id)
        } else if output == .text, only == nil,
            let line = strangers.line(for: conversation, at: ChatBackend.now),
            !StandardStream.error.write("[\(line)]\n")
        {
            return .nobodyReads
        }
        return nil
    }

    // MARK: Commands

    /// Does what the lines of standard input ask for, one after the other, each when the answer to the one before is printed.
    ///
    /// Commands run beside the listener: one that waits must not keep it from printing what comes, or from ending.
    private func carryOutCommands(_ turns: AsyncStream<Void>, _ put: AsyncStream<Input>.Continuation) -> Task<
        Void, Never
    > {
        let profile = profile
        return Task { [output] in
            guard output == .json else { return }
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
