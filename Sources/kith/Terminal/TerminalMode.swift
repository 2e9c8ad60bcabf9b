import Foundation

/// The settings of the terminal on standard input: as they were, and raw, where every key arrives at once and none means
/// anything to the system.
struct TerminalMode: @unchecked Sendable {
    // `termios` is a plain structure of numbers.
    private let original: termios

    /// `nil` if there is no terminal on standard input.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        original = settings
    }

    func makeRaw() {
        var raw = original
        raw.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
        // Output stays as it is: a line break still begins a new line for whatever else writes here.
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    }

    /// When the settings take effect, and what becomes of what was typed.
    enum Restoring {
        /// When the output is written. A terminal that nobody reads makes this wait for ever.
        case waitingForOutput
        /// The same, and what was typed and not read is dropped.
        case droppingInput
        case atOnce
    }

    /// Puts the settings back.
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

    /// How many columns the terminal on standard output has; 80 if it does not say.
    static var columns: Int { columns(of: .output) }

    /// How many columns the terminal behind a stream has; 80 if it does not say.
    static func columns(of stream: StandardStream) -> Int {
        var size = winsize()
        guard ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether the terminal understands more than letters.
    static var isCapable: Bool {
        let type = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return !type.isEmpty && type != "dumb"
    }

    /// Whether colours are welcome on standard output (https://no-color.org).
    static var wantsColours: Bool {
        let noColour = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return StandardStream.output.isTerminal && isCapable && noColour.isEmpty
    }
}
