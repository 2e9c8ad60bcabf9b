import Foundation
import Synchronization

/// A terminal that does not show typed text, from the first secret until ``lift()``. If a signal ends or stops the process, the
/// settings are restored first.
///
/// A process has one terminal, so only one silence exists at a time.
struct TerminalSilence: @unchecked Sendable {
    // Sendable without a check, because `termios` is a plain structure of numbers.
    private let original: termios

    /// Reads the settings; `nil` if the descriptor is not a terminal.
    init?(_ descriptor: Int32) {
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        original = settings
        SilencedTerminal.begin(descriptor, settings)
    }

    /// Prepares for a question. Keys arrive one by one, ctrl-C is a key, and unread input is dropped.
    func takeKeys() {
        var settings = original
        settings.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        SilencedTerminal.set(settings)
    }

    /// Prepares for the time between two questions. Typed text is not shown, and ctrl-C ends the process.
    func holdBack() {
        var settings = original
        settings.c_lflag &= ~tcflag_t(ECHO)
        SilencedTerminal.set(settings)
    }

    /// Restores the terminal, and drops unread input.
    func lift() { SilencedTerminal.end() }
}

/// The state for signal handlers. A signal handler may call only functions that are safe in handlers.
private enum SilencedTerminal {
    private struct Settings {
        var descriptor: Int32 = -1
        var original = termios()
        var silent = termios()
    }

    private nonisolated(unsafe) static let settings = {
        let settings = UnsafeMutablePointer<Settings>.allocate(capacity: 1)
        settings.initialize(to: Settings())
        return settings
    }()
    private static let isSilent = Atomic<Bool>(false)
    private static let leavesAtExit: Void = { _ = atexit { SilencedTerminal.end() } }()
    /// The signals with which users and sessions end a process. ``all`` also contains the signals that stop and continue a
    /// process.
    private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
    private static let all = ending + [SIGTSTP, SIGCONT]

    static func begin(_ descriptor: Int32, _ original: termios) {
        _ = leavesAtExit
        settings.pointee = Settings(descriptor: descriptor, original: original, silent: original)
    }

    static func set(_ silent: termios) {
        settings.pointee.silent = silent
        tcsetattr(settings.pointee.descriptor, TCSAFLUSH, &settings.pointee.silent)
        guard !isSilent.exchange(true, ordering: .sequentiallyConsistent) else { return }
        for number in all { handle(number) }
    }

    static func end() {
        guard isSilent.exchange(false, ordering: .sequentiallyConsistent) else { return }
        for number in all {
            let before = signal(number, SIG_DFL)
            if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(number, SIG_IGN) }
        }
        tcsetattr(settings.pointee.descriptor, TCSAFLUSH, &settings.pointee.original)
    }

    /// Installs the handler for a signal. If the process was started with that signal ignored, does nothing.
    private static func handle(_ number: Int32) {
        let before = signal(number) { SilencedTerminal.didReceive($0) }
        if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(number, SIG_IGN) }
    }

    private static func didReceive(_ number: Int32) {
        let code = errno
        defer { errno = code }
        guard isSilent.load(ordering: .sequentiallyConsistent) else { return }
        if number == SIGCONT {
            tcsetattr(settings.pointee.descriptor, TCSANOW, &settings.pointee.silent)
            signal(SIGTSTP) { SilencedTerminal.didReceive($0) }
            return
        }
        tcsetattr(settings.pointee.descriptor, TCSANOW, &settings.pointee.original)
        tcflush(settings.pointee.descriptor, TCIFLUSH)
        // The default action follows when the handler returns.
        signal(number, SIG_DFL)
        raise(number)
    }
}
