import Foundation
import Synchronization

/// Where a conversation is shown and lines come from: a terminal with an input line, or streams for scripts.
final class ChatScreen: Sendable {
    private let wording: ChatWording
    private let json: ChatJSON?
    private let state = Mutex(State())
    private let leave: AsyncStream<Void>
    private let wantsToLeave: AsyncStream<Void>.Continuation

    private struct State {
        var lines: LineReader?
        var terminal: ChatTerminal?
        var isClosed = false
    }

    init(wording: ChatWording, json: ChatJSON?) {
        self.wording = wording
        self.json = json
        (leave, wantsToLeave) = AsyncStream.makeStream(of: Void.self)
    }

    /// Begins to show. From here on ctrl-C no longer ends the program by itself.
    func open(reading lines: LineReader) throws {
        let wantsToLeave = wantsToLeave
        Task {
            let signals = StopSignals()
            await signals.wait()
            wantsToLeave.yield()
        }
        let terminal =
            json == nil ? try ChatTerminal.open(prompt: "\(wording.me) : ") { wantsToLeave.yield() } : nil
        state.withLock { state in
            state.lines = lines
            state.terminal = terminal
        }
        if json == nil { show(wording.opening) }
    }

    /// Gives the terminal back as it was. Only the first call counts.
    func close() {
        let terminal = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? nil : state.terminal
        }
        terminal?.close()
    }

    func show(_ event: ChatEvent) {
        if let json {
            if let line = json.line(event) { write(line + "\n") }
        } else {
            show(wording.lines(event))
        }
    }

    private func show(_ lines: [ChatWording.Line]) {
        if let terminal = state.withLock({ $0.terminal }) {
            return terminal.print(lines)
        }
        for line in lines {
            switch line.kind {
            // Whoever reads the output of a script wants the conversation and nothing else.
            case .message, .failure: write(line.text + "\n")
            case .notice, .explanation: StandardStream.error.write(line.text + "\n")
            case .own: break
            }
        }
    }

    private func write(_ text: String) {
        if !StandardStream.output.write(text) { wantsToLeave.yield() }
    }

    /// The next line the user entered, or `nil` when there will be no more.
    func nextLine() async -> String? {
        let (terminal, lines) = state.withLock { ($0.terminal, $0.lines) }
        if let terminal { return await terminal.nextLine() }
        return await lines?.next()
    }

    /// Returns when the user wants to leave, or when nobody waits for that any more; says which.
    func waitForLeave() async -> Bool {
        for await _ in leave { return true }
        return false
    }
}
