import Foundation

/// Prints QR codes in addition to a command's output.
enum QRCodeText {
    /// Prints a code on standard error. Scripts can still read standard output.
    static func print(_ code: QRCode) {
        let stream = StandardStream.error
        let colours = stream.isTerminal && TerminalMode.isCapable
        for line in code.drawn(colours: colours) { stream.write(line + "\n") }
        if stream.isTerminal, TerminalMode.columns(of: stream) < code.columns {
            stream.write("[the window is too narrow for the QR code: it needs \(code.columns) columns]\n")
        }
    }
}
