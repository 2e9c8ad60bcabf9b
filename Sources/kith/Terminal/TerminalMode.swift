import Foundation

/// The original settings of the terminal on standard input. In raw mode, every key arrives at once, and the system handles no
/// key.
struct TerminalMode: @unchecked Sendable {
    // Sendable without a check, because `termios` is a plain structure of numbers.
    private let original: termios

    /// Reads the settings; `nil` if standard input is not a terminal.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        original = settings
    }

    func makeRaw() {
        var raw = original
        raw.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
        // Output processing stays on, so that a line break of another writer still begins a new line.
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    }

    /// Decides when the settings take effect, and what happens to unread input.
    enum Restoring {
        /// The settings are restored after the output was written. If nobody reads from the terminal, the restoring call blocks
        /// for ever.
        case waitingForOutput
        /// The settings are restored after the output was written. Unread input is dropped.
        case droppingInput
        case atOnce
    }

    /// Restores the original settings.
    func restore(_ how: Restoring) {
        var settings = original
        let action =
            switch how {
            case .waitingForOutput: TCSADRAIN
            case .droppingInput: TCSAFLUSH
            case .atOnce: TCSANOW
            }
        tcsetattr(STDIN_FILENO, action, &settings)
    }

    /// The width of the terminal on standard output; 80 if it is unknown.
    static var columns: Int { columns(of: .output) }

    /// The width of the terminal of a stream; 80 if it is unknown.
    static func columns(of stream: StandardStream) -> Int { size(of: stream).columns ?? 80 }

    /// The size of the terminal of a stream; `nil` for a dimension that is unknown.
    static func size(of stream: StandardStream) -> (columns: Int?, lines: Int?) {
        var size = winsize()
        guard ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (nil, nil) }
        return (size.ws_col > 0 ? Int(size.ws_col) : nil, size.ws_row > 0 ? Int(size.ws_row) : nil)
    }

    /// Whether the terminal understands escape sequences.
    static var isCapable: Bool {
        let type = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return !type.isEmpty && type != "dumb"
    }

    /// Whether the user wants colours on standard output (https://no-color.org).
    static var wantsColours: Bool {
        let noColour = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return StandardStream.output.isTerminal && isCapable && noColour.isEmpty
    }
}
