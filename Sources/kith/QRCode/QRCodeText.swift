import Foundation

/// Prints QR codes in addition to a command's output.
enum QRCodeText {
    /// Prints a code on standard error. Scripts can still read standard output.
    ///
    /// If the terminal is too small for a code that the user did not request, prints one line that says how to see the code.
    ///
    /// - Parameters:
    ///   - otherLines: the number of lines that must fit on the terminal together with the code.
    ///   - isRequested: whether the user requested the code. A requested code is printed in any case. If the terminal is too
    ///     small, a line that says so follows the code.
    ///   - remedy: advice to a user whose window is too small.
    static func print(_ code: QRCode, otherLines: Int = 0, isRequested: Bool = false, remedy: String) {
        let stream = StandardStream.error
        let isTerminal = stream.isTerminal
        let size = TerminalMode.size(of: stream)
        let problem = problem(
            of: code, otherLines: otherLines, columns: size.columns ?? .max, lines: size.lines ?? .max)
        if problem == nil || isRequested {
            for line in code.drawn(colours: isTerminal && TerminalMode.isCapable) { stream.write(line + "\n") }
        }
        if let problem { stream.write("[\(problem); \(remedy)]\n") }
    }

    /// Describes why a terminal of the given size can't show the code; `nil` if it can.
    static func problem(of code: QRCode, otherLines: Int, columns: Int, lines: Int) -> String? {
        let needed = code.lines + otherLines
        guard columns < code.columns || lines < needed else { return nil }
        return "the window is too small for the QR code, which needs \(code.columns) columns and \(needed) lines"
    }
}
