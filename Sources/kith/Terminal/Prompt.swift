import ArgumentParser
import Foundation

/// Asks the person at the terminal, without showing the answer if it is secret. Standard input and output may be something
/// else: `kith send bob < file` asks too.
struct Prompt {
    private let descriptor: Int32

    /// `nil` if nobody sits there: there is no terminal, or all that belongs to one was redirected.
    init?() {
        guard isatty(STDIN_FILENO) == 1 || isatty(STDERR_FILENO) == 1 else { return nil }
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
    }

    /// Ends the asking.
    func close() { Foundation.close(descriptor) }

    /// Says something to the user.
    func say(_ text: String) { StandardStream(descriptor: descriptor).write(text + "\n") }

    /// What was typed or pasted, up to the Enter.
    ///
    /// - Throws: ``ExitCode/interrupted`` after ctrl-C, or ctrl-D, or when the terminal is gone.
    func ask(_ question: String, isShown: Bool = false) async throws -> String {
        let answer = await withCheckedContinuation { continuation in
            // It waits for a person, so it must not hold one of the threads that everything else runs on.
            DispatchQueue(label: "asking").async { continuation.resume(returning: read(asking: question, isShown)) }
        }
        guard let answer else { throw ExitCode.interrupted }
        return answer
    }

    private func read(asking question: String, _ isShown: Bool) -> String? {
        var original = termios()
        guard tcgetattr(descriptor, &original) == 0 else { return nil }
        var silent = original
        // Keys come one by one, and ctrl-C as a key: whatever ends this, the terminal is put right again.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        tcsetattr(descriptor, TCSAFLUSH, &silent)
        defer { tcsetattr(descriptor, TCSAFLUSH, &original) }
        let stream = StandardStream(descriptor: descriptor)
        stream.write("\(question) ")
        defer { stream.write("\n") }
        var bytes: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            let count = Foundation.read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            switch byte {
            case Key.enter, Key.lineFeed: return String(validating: bytes, as: UTF8.self) ?? ""
            case Key.controlC: return nil
            case Key.controlD where bytes.isEmpty: return nil
            case Key.backspace, Key.delete:
                let text = String(decoding: bytes, as: UTF8.self)
                guard let last = text.last else { continue }
                bytes = Array(text.dropLast().utf8)
                if isShown { stream.erase(DisplayWidth.of(last)) }
            case Key.controlU:
                if isShown { stream.erase(DisplayWidth.of(String(decoding: bytes, as: UTF8.self))) }
                bytes = []
            case 0..<0x20: break
            default:
                bytes.append(byte)
                if isShown { stream.write([byte]) }
            }
        }
    }

    private enum Key {
        static let controlC: UInt8 = 3
        static let controlD: UInt8 = 4
        static let backspace: UInt8 = 8
        static let lineFeed: UInt8 = 10
        static let enter: UInt8 = 13
        static let controlU: UInt8 = 21
        static let delete: UInt8 = 127
    }
}

extension StandardStream {
    /// Takes back what was written last on this line.
    fileprivate func erase(_ columns: Int) { write(String(repeating: "\u{8} \u{8}", count: columns)) }
}
