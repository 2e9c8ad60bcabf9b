import Foundation
import Synchronization

/// Where a conversation is shown and lines come from: a terminal with an input line, or streams for scripts.
final class ChatScreen: Sendable {
    private let state = Mutex(State())
    private let watchdog = ExitWatchdog()
    private let leave: AsyncStream<Void>
    private let wantsToLeave: AsyncStream<Void>.Continuation

    private struct State {
        var lines: LineReader?
        var terminal: ChatTerminal?
        var isClosed = false
        /// Set when the program ends by itself: what was typed meanwhile is no command for the shell.
        var dropsInput = false
    }

    init() {
        (leave, wantsToLeave) = AsyncStream.makeStream(of: Void.self)
    }

    /// Begins to show. From here on ctrl-C no longer ends the program by itself.
    ///
    /// - Parameter style: how the input line behaves; `nil` for a program that reads, even if it is on a terminal.
    func open(reading lines: LineReader, style: ChatTerminal.Style?) {
        let wantsToLeave = wantsToLeave
        let signals = StopSignals()
        let terminal = style.flatMap { ChatTerminal.open($0) { wantsToLeave.yield() } }
        Task {
            await signals.wait()
            terminal?.stopFinishing()
            wantsToLeave.yield()
        }
        watchdog.begin { terminal?.restore() }
        state.withLock { state in
            state.lines = lines
            state.terminal = terminal
        }
    }

    /// Whether a person sits at a terminal with an input line.
    var hasTerminal: Bool { state.withLock { $0.terminal != nil } }

    /// Waits until the user has ended a line that is being typed, when something else than the user ends the program.
    func finishLine() async {
        guard let terminal = state.withLock({ $0.terminal }) else { return }
        await terminal.finishLine()
        state.withLock { $0.dropsInput = true }
    }

    /// Takes lines again after the end of the input.
    func takeMore() { state.withLock { $0.terminal }?.takeMore() }

    /// Gives the terminal back as it was. Only the first call counts.
    func close() {
        let dropsInput = state.withLock { $0.dropsInput }
        let terminal = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? nil : state.terminal
        }
        terminal?.close(dropsInput: dropsInput)
        watchdog.done()
    }

    /// Shows lines to a person. A program gets the conversation on standard output, and the rest on standard error.
    func show(_ lines: [ScreenLine]) {
        if let terminal = state.withLock({ $0.terminal }) {
            return terminal.print(lines)
        }
        for line in lines {
            switch line.kind {
            // Whoever reads the output of a script wants the conversation and nothing else.
            case .message, .failure: write(line.text)
            case .notice, .explanation: StandardStream.error.write(line.text + "\n")
            case .own: break
            }
        }
    }

    /// Shows this above the input line from now on, or nothing. Streams have no place for that.
    func setStatus(_ status: String?) {
        state.withLock { $0.terminal }?.setStatus(status)
    }

    /// Writes a line to standard output as it is.
    func write(_ line: String) {
        if !StandardStream.output.write(line + "\n") { wantsToLeave.yield() }
    }

    /// The next line the user entered, or `nil` when there will be no more.
    func nextLine() async -> LineReader.Line? {
        let (terminal, lines) = state.withLock { ($0.terminal, $0.lines) }
        if let terminal { return await terminal.nextLine().map { LineReader.Line($0) } }
        return await lines?.nextLine()
    }

    /// Returns when the user wants to leave, or when nobody waits for that any more; says which.
    func waitForLeave() async -> Bool {
        for await _ in leave { return true }
        return false
    }
}
