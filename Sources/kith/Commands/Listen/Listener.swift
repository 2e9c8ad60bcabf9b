import AsyncAlgorithms
import Foundation
import KithClient

/// Prints each new message, and marks it as read.
///
/// A message is marked only after its whole line was written, so a killed listener loses no message. Printed messages are marked
/// before the next write that could block. After a kill, the next listener therefore repeats at most the messages of the last
/// moment (``flush``).
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
        /// The only conversation whose messages are printed; `nil` for all conversations.
        var only: ConversationID?
        /// Whether the listener ends after one message.
        var endsAfterFirst = false
        /// Whether this device sends read receipts to the other members.
        var sendsReceipts = true
        /// Whether the listener accepts every conversation that a stranger begins.
        var acceptsStrangers = false
    }

    private let profile: Profile
    private let format: Format
    private let options: Options
    private var only: ConversationID? { options.only }
    private var strangers = StrangerNotices()
    /// For each conversation, the last printed entry that is not marked as read yet.
    private var unmarked: [ConversationID: UInt64] = [:]
    private var names: [ConversationID: String] = [:]
    /// The muted conversations, whose messages are not printed for people, and stay unread.
    private var muted: Set<ConversationID> = []
    /// The user's name.
    private var me = ""
    /// The last printed state of each relay.
    private var relayStates: [KnownRelay: RelayState] = [:]
    /// Inputs other than events and answers. A sender waits until its input has been taken.
    private let others = AsyncChannel<Input>()

    /// Delay before printed messages are marked as read. Because of the delay, one transaction marks many messages.
    private static let flush = Duration.milliseconds(200)
    /// Interval between checks for a reader of the output.
    private static let look = Duration.seconds(1)

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
        // An event is taken, and a request performed, only when the previous input was printed.
        let events = await profile.events(from: only.map { .unreadIn($0) } ?? .unread).map { Input.event($0) }
        let inputs = merge(chain(events, [Input.end(.closed)].async), answers(), others)
        let watches = watch(signals, for: time)
        defer {
            for watch in watches { watch.cancel() }
            others.finish()
        }
        for conversation in try await profile.conversations() where only == nil || only == conversation.id {
            note(conversation)
            if conversation.isPending, let ending = try await meet(conversation) { return ending }
        }
        for await input in inputs {
            switch input {
            case .event(let event): if let ending = try await take(event) { return ending }
            case .answer(let answer): guard try await write(answer) else { return .outputIsClosed }
            case .flush: try await markRead()
            case .end(let ending): return ending
            }
        }
        return .closed
    }

    /// Starts the tasks that watch for a reason to end: a signal, an output without a reader, or the time limit.
    private func watch(_ signals: StopSignals, for time: Duration?) -> [Task<Void, Never>] {
        let others = others
        var tasks = [
            Task {
                await signals.wait()
                await others.send(.end(.stopped))
            },
            Task {
                // If the reader has died, the listener must end, so that the profile is free for the next listener.
                while !StandardStream.output.isAbandoned {
                    do { try await Task.sleep(for: Self.look) } catch { return }
                }
                await others.send(.end(.outputIsClosed))
            },
        ]
        if let time {
            tasks.append(
                Task {
                    try? await Task.sleep(for: time)
                    await others.send(.end(.timeIsOver))
                })
        }
        return tasks
    }

    // MARK: Messages

    private mutating func print(_ message: Message) async throws -> Ending? {
        guard only == nil || only == message.conversation, let seq = message.seq, message.isShown else { return nil }
        if format == .text, only == nil, muted.contains(message.conversation) { return nil }
        let name = name(message.conversation)
        let lines =
            switch format {
            case .json: [JSONLine.text(JSONEvent(.message(message)) { _ in name })]
            case .text:
                MessageRenderer(me: me, layout: .record(conversation: only == nil ? name : nil)).lines(message)
                    .map { $0.painted(.ofOutput) }
            }
        // A line that could not be written does not count as read.
        for line in lines { guard try await write(line) else { return .outputIsClosed } }
        if unmarked.isEmpty {
            let others = others
            Task {
                try? await Task.sleep(for: Self.flush)
                await others.send(.flush)
            }
        }
        unmarked[message.conversation] = max(unmarked[message.conversation] ?? 0, seq)
        guard options.endsAfterFirst, case .contact = message.author else { return nil }
        return .receivedOne
    }

    /// Writes a line. If the write could block, first marks the printed messages as read. A blocked write can last until the
    /// program is killed. Returns `false` if the write failed or the reader has gone.
    private mutating func write(_ line: String, to stream: StandardStream = .output) async throws -> Bool {
        let bytes = Array((line + "\n").utf8)
        if !stream.takes(bytes.count) { try await markRead() }
        return stream.write(bytes)
    }

    private mutating func write(_ event: JSONEvent) async throws -> Bool { try await write(JSONLine.text(event)) }

    private mutating func markRead() async throws {
        for (conversation, seq) in unmarked {
            try await profile.markRead(conversation, through: seq, sendsReceipt: options.sendsReceipts)
        }
        unmarked = [:]
    }

    // MARK: Events

    private mutating func take(_ event: KithEvent) async throws -> Ending? {
        switch event {
        case .conversation(let summary): note(summary)
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
        if case .conversation(let summary) = event, summary.isPending, let ending = try await meet(summary) {
            return ending
        }
        if case .message(let message) = event, message.author != .me { return try await print(message) }
        if event.conversation == nil || only == nil || event.conversation == only {
            switch format {
            case .json:
                guard let line = JSONEvent(event, naming: name) else { return nil }
                guard try await write(line) else { return .outputIsClosed }
            case .text: if let sentence = sentence(event) { _ = try await write(sentence.inBrackets, to: .error) }
            }
        }
        return nil
    }

    private mutating func sentence(_ event: KithEvent) -> Sentence? {
        guard case .inviteUsed(_, let id) = event else { return event.sentence(naming: name) }
        return strangers.line(forUseLeadingTo: names[id], at: ChatBackend.now)
    }

    private mutating func note(_ conversation: ConversationSummary) {
        names[conversation.id] = conversation.name
        if conversation.isMuted { muted.insert(conversation.id) } else { muted.remove(conversation.id) }
    }

    private func name(_ id: ConversationID) -> String { names[id] ?? "#\(id.rawValue)" }

    /// Handles a conversation that a stranger began. If the options accept strangers, accepts the conversation. If the options
    /// do not accept strangers, prints the commands that accept the conversation. In the JSON format, prints nothing, because a
    /// program gets the conversation's event.
    private mutating func meet(_ conversation: ConversationSummary) async throws -> Ending? {
        if options.acceptsStrangers {
            try await profile.accept(conversation.id)
        } else if format == .text, only == nil, let line = strangers.line(for: conversation, at: ChatBackend.now) {
            guard try await write(line.inBrackets, to: .error) else { return .outputIsClosed }
        }
        return nil
    }

    // MARK: Commands

    /// Performs the requests on standard input in order, and returns their answers. Each request begins after the answer to the
    /// previous request has been printed. While a request waits, the listener goes on printing messages, and can end. If the
    /// output is text, there are no requests.
    private func answers() -> AsyncStream<Input> {
        let lines = LineReader()
        return AsyncStream { [format, profile] in
            guard format == .json else { return nil }
            var line = await lines.nextLine()
            while let blank = line, TextRules.isBlank(blank.text) { line = await lines.nextLine() }
            guard let line else { return nil }
            return .answer(await ListenRequest.carryOut(line, with: profile))
        }
    }
}
