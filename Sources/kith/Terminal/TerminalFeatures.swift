import Foundation

/// The features of a terminal that printed lines may use.
struct TerminalFeatures: Sendable, Equatable {
    let colours: Bool
    /// Whether web addresses become hyperlinks (OSC 8).
    let links: Bool

    /// No features: for a pipe, a file, or a terminal without escape sequences.
    static let plain = TerminalFeatures(colours: false, links: false)

    /// The features that printed lines may use on standard output. They depend on the terminal and on the user's wishes.
    static var ofOutput: TerminalFeatures {
        guard StandardStream.output.isTerminal else { return .plain }
        return TerminalFeatures(
            colours: TerminalMode.wantsColours, links: wantsLinks(ProcessInfo.processInfo.environment))
    }

    /// Whether a terminal with this environment shows hyperlinks. Asking the terminal is impossible, because most terminals do
    /// not answer. A terminal that is not known here gets no hyperlinks, because some terminals print the sequence as text.
    ///
    /// `KITH_LINKS=always` and `KITH_LINKS=never` override the decision, except that a terminal without escape sequences never
    /// gets links. With `NO_COLOR`, the user wants plain text, so only `KITH_LINKS=always` brings links.
    static func wantsLinks(_ environment: [String: String]) -> Bool {
        let value = { (name: String) in environment[name] ?? "" }
        let term = value("TERM")
        guard !term.isEmpty, term != "dumb" else { return false }
        switch value("KITH_LINKS") {
        case "always": return true
        case "never": return false
        default: break
        }
        guard value("NO_COLOR").isEmpty else { return false }
        let program = value("TERM_PROGRAM")
        // Inside tmux and screen, the other variables are those of the terminal in which tmux or screen was started.
        if !value("TMUX").isEmpty || term.hasPrefix("tmux") || term.hasPrefix("screen") {
            return program == "tmux" && isAtLeast(3, 4, value("TERM_PROGRAM_VERSION"))
        }
        switch program {
        case "iTerm.app": return isAtLeast(3, 1, value("TERM_PROGRAM_VERSION"))
        case "vscode": return isAtLeast(1, 72, value("TERM_PROGRAM_VERSION"))
        case "WezTerm", "ghostty", "mintty", "rio": return true
        default: break
        }
        if ["xterm-kitty", "xterm-ghostty", "foot", "foot-extra", "alacritty", "wezterm", "contour"].contains(term) {
            return true
        }
        // Version 0.50.0 of VTE crashes at some links.
        return (Int(value("VTE_VERSION")) ?? 0) > 5_000 || (Int(value("KONSOLE_VERSION")) ?? 0) >= 201_200
            || ["KITTY_WINDOW_ID", "WT_SESSION", "DOMTERM"].contains { !value($0).isEmpty }
    }

    /// Whether a version such as `3.4a` is a given version or a later one.
    private static func isAtLeast(_ major: Int, _ minor: Int, _ version: String) -> Bool {
        let numbers = version.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        return (numbers.first ?? 0, numbers.dropFirst().first ?? 0) >= (major, minor)
    }
}
