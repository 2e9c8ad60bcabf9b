import AsyncAlgorithms
import Foundation
import KithClient

/// Runs a chat. It passes events, lines and answers to the ``ChatModel``, and performs the model's outputs.
struct ChatSession {
    /// Maximum number of messages and other requests that the relay has not answered yet. At this number, the chat stops reading
    /// lines.
    private static let mostWaiting = 256
    /// Delay before shown messages are marked as read. All messages that are shown during the delay share one receipt.
    private static let readDelay = Duration.milliseconds(200)

    /// Delay before a group's online members are reported. All members who answer during the delay are reported in one line.
    private static let arrivalDelay = Duration.milliseconds(700)

    /// Time to wait for answers after the user has asked who is online. The question and an answer each take one way through
    /// the relay.
    private static let answerDelay = Duration.seconds(4)

    /// Input from all sources.
    private enum Arrival: Sendable {
        case event(KithEvent)
        case line(LineReader.Line)
        case endOfInput
        case answered(ChatRequest, Result<ChatAnswer, KithError>)
        /// Mark shown messages as read now.
        case read
        /// Report the members of a group who are online.
        case arrivalsAreDue
        /// Report whether anybody has answered the user's question who is online.
        case answersAreDue
        /// The user has changed the text in the input line.
        case typing
        /// Check presence again: no member has answered, or a member lags.
        case askAgain
        /// The user pressed ctrl-C or ctrl-D, or the output no longer has a reader.
        case leave
        /// The profile was closed.
        case closed
        /// A program's input has ended, and the timeout is over.
        case timeIsOver
    }

    /// Times of further presence checks after the start. If a member is just joining the epoch, the first check does not reach
    /// that member.
    private static let askAgainAfter = [Duration.seconds(1), .seconds(3), .seconds(10)]

    /// Options of a chat.
    struct Options: Sendable {
        /// The number of messages shown first.
        var page = 50
        /// Whether this device sends read receipts to the other members.
        var sendsReceipts = true
        /// Whether the members learn that the user is typing, and the user learns it of them.
        var sharesTyping = true
        /// Maximum time from the end of a program's input until the relay has accepted all of the program's lines; 0 for no
        /// limit.
        var timeout = DurationArgument(seconds: 0)
    }

    private let backend: ChatBackend
    private let screen: ChatScreen
    private let reader: LineReader
    private let options: Options
    /// Whether the output consists of JSON objects for a program.
    private let isJSON: Bool
    private let isForPerson: Bool
    private let events: AsyncStream<KithEvent>
    /// Arrivals other than events and lines. A task that sends an arrival waits until the arrival has been taken.
    private let others = AsyncChannel<Arrival>()
    private var model: ChatModel
    /// The names that Tab completes after `@`: those of the other members when the chat was opened.
    private let mentionable: [String]
    /// The messages that were unread when the chat was opened.
    private let unread: [Message]
    private var readThrough: UInt64?
    /// The seq of the last entry when the chat was opened. The stream of events begins before the chat is opened, so events may
    /// repeat the messages up to this seq.
    private let openedThrough: UInt64
    /// Number of requests that wait for a relay.
    private var pendingRequests = 0
    /// Number of messages with files that are not stored yet. The chat ends only when they are.
    private var pendingFiles = 0
    /// Whether a key or a signal ended the chat.
    private var wasLeft = false
    /// The first error of this chat, which ``run()`` throws at the end. For example, a line of a program did not reach the
    /// relay.
    private var failure: (any Error)?

    /// Opens a conversation. Shows nothing yet.
    init(
        _ conversation: ConversationID, of profile: Profile, reading reader: LineReader, options: Options,
        isJSON: Bool
    ) async throws {
        self.reader = reader
        self.options = options
        self.isJSON = isJSON
        backend = ChatBackend(profile: profile, conversation: conversation, sendsReceipts: options.sendsReceipts)
        screen = ChatScreen()
        isForPerson = !isJSON && StandardStream.output.isTerminal && isatty(STDIN_FILENO) == 1
        // The stream of events has to begin before the first page is read, so that no message is missed in between.
        events = await profile.events()
        // Opening a stranger's conversation accepts it.
        try await profile.accept(conversation)
        let opening = try await backend.opening(page: isForPerson ? options.page : nil)
        // If there is a keyboard, a person uses the chat, even if the output goes into a pipe.
        model = ChatModel(opening, isForPerson: isForPerson, takesCommands: !isJSON && isatty(STDIN_FILENO) == 1)
        mentionable = opening.members.filter { !$0.isMe }.map(\.name)
        unread = opening.unread
        openedThrough = opening.conversation.lastSeq
    }

    /// Runs the chat. For a person, returns when the person has left. For a program, returns when the input has ended and the
    /// relay has all messages, or after an error.
    ///
    /// - Throws: the reason why one of a program's lines did not reach the relay, or the reason why the profile was closed.
    mutating func run() async throws {
        let names = mentionable
        let (typed, didType) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        var style = ChatTerminal.Style(
            prompt: "\(SafeText.name(model.renderer.me)) : ", keepsLineBreaks: true, takesEmptyLines: true,
            pageUp: "/history",
            completion: { TypedPath.completion(of: $0) ?? TypedMention.completion(of: $0, names: names) },
            refusal: ScreenLine(
                .failure,
                "[too long to type; the rest was left out. kith send takes longer texts, and sends them as files]"))
        if options.sharesTyping { style.didType = { if SlashCommand.isText($0) { didType.yield() } } }
        screen.open(reading: reader, style: isForPerson ? style : nil)
        let (screen, others) = (screen, others)
        let tasks = [
            Task { if await screen.waitForLeave() { await others.send(.leave) } },
            Task { for await _ in typed { await others.send(.typing) } },
            Task {
                for delay in Self.askAgainAfter {
                    try? await Task.sleep(for: delay)
                    await others.send(.askAgain)
                }
            },
        ]
        await work()
        for task in tasks { task.cancel() }
        others.finish()
        await markRead()
        if !wasLeft { await screen.finishLine() }
        screen.close()
        if !isForPerson, let farewell = model.farewell { fail(Failure(message: farewell.text, code: .notInTime)) }
        if let failure { throw failure }
        if let farewell = model.farewell { screen.show([farewell]) }
    }

    private mutating func work() async {
        // One line is read for each element of `lineRequests`. An event is taken only when the previous arrival was handled.
        let (lineRequests, requestLine) = AsyncStream.makeStream(of: Void.self)
        let lines = lineRequests.map { [screen] _ in
            await screen.nextLine().map { Arrival.line($0) } ?? .endOfInput
        }
        let arrivals = merge(chain(events.map { Arrival.event($0) }, [Arrival.closed].async), lines, others)
        if isJSON { for message in unread { writeJSON(.message(message)) } }
        var mayLeave = await carryOut(model.open(now: ChatBackend.now))
        var isReading = false
        var inputIsOver = false
        var iterator = arrivals.makeAsyncIterator()
        while !mayLeave || pendingFiles > 0 {
            if !inputIsOver, !isReading, !mayLeave, model.waitingCount + pendingRequests < Self.mostWaiting {
                isReading = true
                requestLine.yield()
            }
            // A person who leaves need not wait, because queued messages are sent when the profile is opened again.
            if inputIsOver, pendingFiles == 0, isForPerson || model.waitingCount + pendingRequests == 0 { break }
            if !model.takesCommands, model.waitingCount > 0, let obstacle = model.conversation.reasonNotToLeave {
                return fail(obstacle)
            }
            // A program cannot react to a refusal, because its input has ended.
            if inputIsOver, !isForPerson, model.waitingCount > 0, let refusal = await refusal() {
                let waiting = model.farewell.map { ". \($0.text)" } ?? ""
                return fail(Failure(message: "\(refusal)\(waiting)", code: KithError.relay(refusal).exitCode))
            }
            switch await iterator.next() {
            case nil: return
            case .leave: (wasLeft, mayLeave) = (true, true)
            case .closed: return fail(await backend.profile.failure ?? KithError.closed)
            case .timeIsOver:
                let reason = model.relayTrouble.map { ": \($0)" } ?? ""
                let waiting = model.farewell.map { ". \($0.text)" } ?? ""
                return fail(
                    Failure(
                        message: "not done within \(options.timeout)\(reason)\(waiting)",
                        code: model.relay == .full ? .noRoom : .notInTime))
            case .event(let event): if await take(event) { mayLeave = true }
            case .line(let line):
                isReading = false
                if line.isText {
                    if await carryOut(model.handle(.line(line.text), now: ChatBackend.now)) { mayLeave = true }
                } else {
                    refuse(ChatRequest.send("", replyTo: nil, expiresAfter: nil), StandardInput.notText)
                }
            case .endOfInput:
                inputIsOver = true
                if !isForPerson { limitWait() }
            case .answered(let request, let result):
                pendingRequests -= 1
                if case .sendFiles = request { pendingFiles -= 1 }
                if await didAnswer(request, result) { mayLeave = true }
            case .read: await markRead()
            case .arrivalsAreDue: _ = await carryOut(model.handle(.arrivalsAreDue, now: ChatBackend.now))
            case .answersAreDue: _ = await carryOut(model.handle(.answersAreDue, now: ChatBackend.now))
            // The answer to a question is not for the members.
            case .typing: if model.question == nil { await backend.tellTyping() }
            case .askAgain: if model.asksAgain { _ = await backend.result(of: .checkPresence) }
            }
        }
    }

    /// Returns the reason why the relay refuses all waiting messages until the user acts; `nil` if there is none.
    private func refusal() async -> RelayConnectionError? {
        guard case .refused(let error) = model.relay else { return nil }
        let address = model.conversation.relay
        let relay = await backend.profile.relays().map(\.relay).first { $0.address == address }
        return relay.flatMap { error.isFinal(for: $0) ? error : nil }
    }

    private mutating func take(_ event: KithEvent) async -> Bool {
        if case .warning(backend.conversation, .longerThanRelayTakes(_, let limit), _) = event, !isForPerson {
            fail(Failure(Warning.longerThanRelayTakes(.random(), limit: limit).sentence))
        }
        if case .typing = event, !options.sharesTyping { return false }
        if isJSON, !wasRead(event) { writeJSON(event) }
        return await carryOut(model.handle(.event(event), now: ChatBackend.now))
    }

    /// Whether the chat has already read the event's message: the message is from another member, and was in the log when the
    /// chat was opened.
    private func wasRead(_ event: KithEvent) -> Bool {
        guard case .message(let message) = event, message.conversation == model.conversation.id,
            case .contact = message.author, let seq = message.seq
        else { return false }
        return seq <= openedThrough
    }

    private func writeJSON(_ event: KithEvent) {
        let conversation = model.conversation
        guard event.conversation == nil || event.conversation == conversation.id,
            let json = JSONEvent(event, naming: { $0 == conversation.id ? conversation.name : "#\($0.rawValue)" })
        else { return }
        screen.write(JSONLine.text(json))
    }

    /// Performs the model's outputs in order. Returns `true` if one of the outputs was `quit`, so that the caller ends the chat.
    private mutating func carryOut(_ outputs: [ChatModel.Output]) async -> Bool {
        for output in outputs {
            switch output {
            case .show(let lines): if !isJSON { screen.show(lines) }
            case .readMarks(let marks, let notice): if !isJSON { screen.show(marks, orPrint: notice) }
            case .clear: screen.clear()
            case .status(let status): screen.setStatus(status?.description)
            case .typing(let forms): screen.setTyping(forms)
            case .request(.markRead(let seq)): scheduleRead(seq)
            case .request(let request) where request.isQuick:
                let result = await backend.result(of: request)
                if await didAnswer(request, result) { return true }
            case .request(let request):
                pendingRequests += 1
                if case .sendFiles = request { pendingFiles += 1 }
                let (backend, others) = (backend, others)
                Task { await others.send(.answered(request, await backend.result(of: request))) }
            case .tellArrivals: send(.arrivalsAreDue, after: Self.arrivalDelay)
            case .awaitAnswers: send(.answersAreDue, after: Self.answerDelay)
            case .quit: return true
            }
        }
        return false
    }

    private func send(_ arrival: Arrival, after delay: Duration) {
        let others = others
        Task {
            try? await Task.sleep(for: delay)
            await others.send(arrival)
        }
    }

    private mutating func didAnswer(_ request: ChatRequest, _ result: Result<ChatAnswer, KithError>) async -> Bool {
        let outputs = model.handle(.answered(request, result), now: ChatBackend.now)
        guard !isForPerson, case .send = request, case .failure(let error) = result else {
            return await carryOut(outputs)
        }
        refuse(request, error)
        return false
    }

    /// Reports that a program's line is not sent. A line of output reports the error now, and the exit code reports the error at
    /// the end.
    private mutating func refuse(_ request: ChatRequest, _ error: any Error) {
        fail(error)
        let message = "\(request.attempt): \(ErrorWords.sentence(for: error))"
        if isJSON {
            screen.write(JSONLine.text(JSONEvent("error", ["message": .text(message)])))
        } else {
            StandardStream.error.write("[\(SafeText.oneLine(message))]\n")
        }
    }

    private mutating func fail(_ error: any Error) { failure = failure ?? error }

    private func limitWait() {
        if options.timeout.seconds > 0 { send(.timeIsOver, after: options.timeout.duration) }
    }

    private mutating func scheduleRead(_ seq: UInt64) {
        defer { readThrough = max(readThrough ?? 0, seq) }
        if readThrough == nil { send(.read, after: Self.readDelay) }
    }

    private mutating func markRead() async {
        guard let seq = readThrough else { return }
        readThrough = nil
        _ = await backend.result(of: .markRead(through: seq))
    }
}
