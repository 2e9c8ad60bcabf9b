import DequeModule
import Foundation
import Synchronization

/// A terminal that prints lines above an input line, without disturbing the text that is being typed.
final class ChatTerminal: Sendable {
    /// Maximum number of lines that wait to be sent. Only a mistaken paste has more lines.
    private static let mostLines = 10_000
    /// Maximum time between an escape character and the remaining bytes of a key. If no byte follows in this time, the user has
    /// pressed the escape key.
    private static let escapeMs: Int32 = 50

    /// The behaviour of the input line.
    struct Style: Sendable {
        /// The text before the typed text.
        let prompt: String
        /// Whether a paste stays one text with its line breaks. If `false`, each line of the paste is submitted.
        var keepsLineBreaks = false
        /// Whether Enter submits an empty line.
        var takesEmptyLines = false
        /// The text that the page-up key submits; `nil` for none.
        var pageUp: String?
        /// Takes the text before the cursor, and returns the text that the Tab key inserts at the cursor; `nil` to insert a
        /// space.
        var completion: @Sendable (String) -> String? = { _ in nil }
        /// Called with the first characters of the text, after a key has changed the text and has left some of it.
        var didType: (@Sendable (ArraySlice<Character>) -> Void)?
        /// The line that is shown when a text is too long; `nil` if only the bell rings.
        var refusal: ScreenLine?
    }

    private struct State {
        var editor: LineEditor
        var parser = KeyParser()
        var input: InputLine
        var printed: PrintedLines
        var lines: Deque<String> = []
        var waiting: CheckedContinuation<String?, Never>?
        /// The caller that waits until the user has finished the current line. The line is not sent: the program ends after
        /// this wait.
        var finishing: CheckedContinuation<Void, Never>?
        var isAtEnd = false
        var isClosed = false
    }

    private let state: Mutex<State>
    private let mode: TerminalMode
    private let features = TerminalFeatures.ofOutput
    private let style: Style
    private let leave: @Sendable () -> Void
    private let signals = Mutex<[SignalWatch]>([])

    private init(_ style: Style, mode: TerminalMode, leave: @escaping @Sendable () -> Void) {
        state = Mutex(
            State(
                editor: LineEditor(
                    keepsLineBreaks: style.keepsLineBreaks, takesEmptyLines: style.takesEmptyLines,
                    completion: style.completion),
                input: InputLine(
                    prompt: style.prompt, columns: TerminalMode.columns, colours: TerminalMode.wantsColours),
                printed: Self.nothingPrinted))
        self.style = style
        self.mode = mode
        self.leave = leave
    }

    /// Starts to use the terminal. Returns `nil` if standard input or output is not a terminal that understands escape sequences.
    ///
    /// - Parameter leave: called when the user wants to leave.
    static func open(_ style: Style, leave: @escaping @Sendable () -> Void) -> ChatTerminal? {
        guard StandardStream.output.isTerminal, TerminalMode.isCapable, let mode = TerminalMode() else { return nil }
        let terminal = ChatTerminal(style, mode: mode, leave: leave)
        terminal.enterRawMode()
        terminal.watch(SIGWINCH) { $0.resize() }
        terminal.watch(SIGCONT) { $0.enterRawMode() }
        Thread.detachNewThread { terminal.readKeys() }
        return terminal
    }

    /// Restores the terminal's settings at once, even while another thread writes to the terminal.
    func restore() { mode.restore(.atOnce) }

    /// Restores the terminal. Only the first call has an effect.
    ///
    /// - Parameter dropsInput: whether unread input is dropped, so that no other program can read it.
    func close(dropsInput: Bool) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            state.isAtEnd = true
            state.waiting?.resume(returning: nil)
            state.waiting = nil
            leaveRawMode(&state, dropsInput: dropsInput)
        }
        for watch in signals.withLock({ $0 }) { watch.cancel() }
    }

    /// Waits until the user has finished the current line. If the current line is empty, returns at once. Without this wait, the
    /// shell would get the end of the line, and would run it as a command.
    func finishLine() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                guard !state.isClosed, !state.editor.text.isEmpty else { return continuation.resume() }
                state.finishing = continuation
                let note = ScreenLine(.notice, "[the line that you are typing is not sent; Enter ends the program]")
                write(print([note], &state))
            }
        }
    }

    /// Makes ``finishLine()`` return.
    func stopFinishing() {
        state.withLock { state in
            state.finishing?.resume()
            state.finishing = nil
        }
    }

    /// Accepts lines again after the end of the input.
    func takeMore() { state.withLock { $0.isAtEnd = false } }

    /// Removes all lines, also those that have scrolled out of the window, and shows the input line again.
    func clear() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.printed.forget()
            write(state.input.clearAll(state.editor))
        }
    }

    /// Prints lines above the input line.
    func print(_ lines: [ScreenLine]) {
        state.withLock { state in
            if state.isClosed {
                let rows = lines.flatMap { $0.rows(columns: state.input.columns, features) }
                write(rows.map { $0 + "\r\n" }.joined())
            } else {
                write(print(lines, &state))
            }
        }
    }

    /// Returns the text that prints lines above the input line.
    private func print(_ lines: [ScreenLine], _ state: inout State) -> String {
        for line in lines { state.printed.add(line) }
        let rows = lines.flatMap { $0.rows(columns: state.input.columns, features) }
        return state.input.print(rows, state.editor)
    }

    /// Changes the marks of the user's messages that are still in the window.
    ///
    /// - Parameter notice: printed if the message to which it refers is no longer in the window.
    func show(_ marks: ReadMarks, orPrint notice: ReadMarks.Notice?) {
        state.withLock { state in
            guard !state.isClosed else { return }
            // The signal that reports a new size may arrive after this call.
            if !state.printed.fits(columns: TerminalMode.columns, windowRows: TerminalMode.size(of: .output).lines) {
                state.printed.forget()
            }
            let changes = state.printed.change(features) { marks.mark(of: $0) }
            let isVisible = notice.map { state.printed.contains($0.seq) } ?? true
            write(state.input.change(changes, state.editor))
            if let notice, !isVisible { write(print([notice.line], &state)) }
        }
    }

    private static var nothingPrinted: PrintedLines {
        PrintedLines(columns: TerminalMode.columns, windowRows: TerminalMode.size(of: .output).lines)
    }

    /// Shows a status line above the input line until the next call; `nil` removes it.
    func setStatus(_ status: String?) {
        state.withLock { state in
            guard !state.isClosed else { return }
            write(state.input.setStatus(status, state.editor))
        }
    }

    /// Shows words beside the typed text until the next call; see ``InputLine/setTyping(_:_:)``.
    func setTyping(_ forms: [String]) {
        state.withLock { state in
            guard !state.isClosed else { return }
            write(state.input.setTyping(forms, state.editor))
        }
    }

    /// Returns the next line that the user entered; `nil` when the input has ended.
    func nextLine() async -> String? {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if let line = state.lines.popFirst() {
                    continuation.resume(returning: line)
                } else if state.isAtEnd {
                    continuation.resume(returning: nil)
                } else {
                    state.waiting = continuation
                }
            }
        }
    }

    // MARK: Keys

    private func readKeys() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let mayWait = state.withLock { $0.parser.isWaiting } ? Self.escapeMs : -1
            var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let count = poll(&ready, 1, mayWait)
            if count == 0 {
                state.withLock { $0.parser.flush() }
                continue
            }
            if count < 0 {
                guard errno == EINTR else { return leave() }
                continue
            }
            let got = chunk.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR || errno == EAGAIN { continue }
            // No bytes mean that the terminal was closed.
            guard got > 0 else {
                stopFinishing()
                return leave()
            }
            handle(chunk[..<got])
        }
    }

    private func handle(_ bytes: ArraySlice<UInt8>) {
        let (wantsToLeave, wantsToSuspend) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            var leaves = false
            var suspends = false
            var refuses = false
            let before = style.didType == nil ? [] : state.editor.text
            for key in state.parser.feed(bytes) {
                if let finishing = state.finishing {
                    guard [.enter, .interrupt, .endOfInput].contains(key) else { continue }
                    state.finishing = nil
                    finishing.resume()
                    return (false, false)
                }
                for action in state.editor.handle(key) {
                    switch action {
                    case .submit(let line): submit(line, &state)
                    case .interrupt: leaves = true
                    case .endOfInput: leaves = end(&state) || leaves
                    case .suspend: suspends = true
                    case .pageUp: if let pageUp = style.pageUp { submit(pageUp, &state) }
                    case .redraw:
                        state.printed.forget()
                        write("\u{1B}[H\u{1B}[2J")
                    case .refused: refuses = true
                    }
                }
            }
            if let didType = style.didType, state.editor.text != before, !state.editor.text.isEmpty {
                didType(state.editor.text.prefix(2))
            }
            if refuses {
                write("\u{7}" + print(style.refusal.map { [$0] } ?? [], &state))
            } else {
                write(state.input.draw(state.editor))
            }
            return (leaves, suspends)
        }
        if wantsToLeave { leave() }
        if wantsToSuspend { suspend() }
    }

    private func submit(_ line: String, _ state: inout State) {
        guard !state.isAtEnd else { return }
        if let waiting = state.waiting {
            state.waiting = nil
            waiting.resume(returning: line)
        } else if state.lines.count < Self.mostLines {
            state.lines.append(line)
        } else {
            write("\u{7}")
        }
    }

    /// Handles ctrl-D. After ctrl-D, no more lines are accepted. Returns `true` if the caller has to leave at once: ctrl-D was
    /// pressed before, or no line is queued and the program is not waiting for a line.
    private func end(_ state: inout State) -> Bool {
        defer { state.isAtEnd = true }
        if state.isAtEnd || (state.waiting == nil && state.lines.isEmpty) { return true }
        state.waiting?.resume(returning: nil)
        state.waiting = nil
        return false
    }

    // MARK: The terminal itself

    private func enterRawMode() {
        state.withLock { state in
            guard !state.isClosed else { return }
            mode.makeRaw()
            // With bracketed paste, the program can distinguish a paste from typed text.
            state.printed = Self.nothingPrinted
            write("\u{1B}[?2004h" + state.input.resize(to: TerminalMode.columns, state.editor))
        }
    }

    private func leaveRawMode(_ state: inout State, dropsInput: Bool = false) {
        write(state.input.erase() + "\u{1B}[?2004l")
        mode.restore(dropsInput ? .droppingInput : .waitingForOutput)
    }

    private func resize() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.printed = Self.nothingPrinted
            write(state.input.resize(to: TerminalMode.columns, state.editor))
        }
    }

    /// Suspends this process. The shell gets the terminal back. When the shell continues the process, the process uses the
    /// terminal again.
    private func suspend() {
        state.withLock { leaveRawMode(&$0) }
        // The whole process group is stopped, as it is when the terminal itself handles the key. Otherwise a program that waits
        // for this one would keep the shell waiting.
        let action = signal(SIGTSTP, SIG_IGN)
        kill(0, SIGTSTP)
        signal(SIGTSTP, action)
        // This process stops inside `raise`. If the signal arrived at another time, the process could already have taken the
        // terminal back. The signal has to be unblocked, because the thread may have inherited a mask. Without job control, the
        // system stops nothing, and execution continues at once.
        var stops = sigset_t()
        sigemptyset(&stops)
        sigaddset(&stops, SIGTSTP)
        pthread_sigmask(SIG_UNBLOCK, &stops, nil)
        raise(SIGTSTP)
        enterRawMode()
    }

    private func watch(_ number: Int32, _ handler: @escaping @Sendable (ChatTerminal) -> Void) {
        let watch = SignalWatch(number) { [weak self] in
            if let self { handler(self) }
        }
        signals.withLock { $0.append(watch) }
    }

    private func write(_ text: String) {
        if !StandardStream.output.write(text) { leave() }
    }
}
