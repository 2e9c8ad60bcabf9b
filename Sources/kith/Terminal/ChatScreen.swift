import Foundation
import Synchronization

/// The input and output of a chat: a terminal with an input line for people, or streams for scripts.
final class ChatScreen: Sendable {
    private let state = Mutex(State())
    private let watchdog = ExitWatchdog()
    private let leave: AsyncStream<Void>
    private let wantsToLeave: AsyncStream<Void>.Continuation

    private struct State {
        var lines: LineReader?
        var terminal: ChatTerminal?
        var isClosed = false
        /// Whether typed text is dropped. When the program ends by itself, typed text is dropped, so that the shell does not run
        /// it as a command.
        var dropsInput = false
    }

    init() {
        (leave, wantsToLeave) = AsyncStream.makeStream(of: Void.self)
    }

    /// Starts the input and output. From this call on, ctrl-C no longer ends the program by itself.
    ///
    /// - Parameter style: the behaviour of the input line. `nil` if a program reads the output, even if the output is a terminal.
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

    /// Whether there is a terminal with an input line.
    var hasTerminal: Bool { state.withLock { $0.terminal != nil } }

    /// Waits until the user has finished the current line. Text that is typed after that line is dropped. The program calls this
    /// function when it ends by itself.
    func finishLine() async {
        guard let terminal = state.withLock({ $0.terminal }) else { return }
        await terminal.finishLine()
        state.withLock { $0.dropsInput = true }
    }

    /// Accepts lines again after the end of the input.
    func takeMore() { state.withLock { $0.terminal }?.takeMore() }

    /// Restores the terminal. Only the first call has an effect.
    func close() {
        let dropsInput = state.withLock { $0.dropsInput }
        let terminal = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? nil : state.terminal
        }
        terminal?.close(dropsInput: dropsInput)
        watchdog.done()
    }

    /// Shows lines to a person. For a program, writes messages and errors to standard output, and notices and explanations to
    /// standard error. A program does not get the user's own messages.
    func show(_ lines: [ScreenLine]) {
        if let terminal = state.withLock({ $0.terminal }) {
            return terminal.print(lines)
        }
        for line in lines {
            switch line.kind {
            // A script expects only the conversation on standard output.
            case .message, .failure: write(line.text)
            case .notice, .explanation: StandardStream.error.write(line.text + "\n")
            case .own: break
            }
        }
    }

    /// Changes the read marks of the user's messages on the screen. If the message to which `notice` refers is no longer in the
    /// window, or if the terminal can't change printed lines, prints `notice`.
    func show(_ marks: ReadMarks, orPrint notice: ReadMarks.Notice?) {
        if let terminal = state.withLock({ $0.terminal }) {
            terminal.show(marks, orPrint: notice)
        } else if let notice {
            show([notice.line])
        }
    }

    /// Removes all lines from the terminal, also those that have scrolled out of the window. On streams, this has no effect.
    func clear() { state.withLock { $0.terminal }?.clear() }

    /// Shows a line above the input line from now on; `nil` removes the line. On streams, this has no effect.
    func setStatus(_ status: String?) {
        state.withLock { $0.terminal }?.setStatus(status)
    }

    /// Shows words beside the typed text; see ``InputLine/setTyping(_:_:)``. On streams, this has no effect.
    func setTyping(_ forms: [String]) {
        state.withLock { $0.terminal }?.setTyping(forms)
    }

    /// Writes a line to standard output without a change.
    func write(_ line: String) {
        if !StandardStream.output.write(line + "\n") { wantsToLeave.yield() }
    }

    /// Returns the next line that the user entered; `nil` when the input has ended.
    func nextLine() async -> LineReader.Line? {
        let (terminal, lines) = state.withLock { ($0.terminal, $0.lines) }
        if let terminal { return await terminal.nextLine().map { LineReader.Line($0) } }
        return await lines?.nextLine()
    }

    /// Returns `true` when the user wants to leave, or `false` when the task is cancelled.
    func waitForLeave() async -> Bool {
        for await _ in leave { return true }
        return false
    }
}
