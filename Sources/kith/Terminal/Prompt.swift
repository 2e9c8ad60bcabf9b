import ArgumentParser
import Foundation
import KithClient
import Synchronization

/// Asks questions at the terminal. If the answer is secret, hides it. The prompt works even if standard input and output are
/// redirected, as in `kith send bob < file`.
///
/// After the first secret, typed text stays hidden until the prompt is closed. A person may type the next answer while the
/// program still processes the previous answer.
final class Prompt: Sendable {
    private let descriptor: Int32
    private let silence: TerminalSilence
    private let hasAskedSecret = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)

    /// Opens the prompt. `nil` if there is no terminal, or if standard input and standard error are both redirected.
    init?() {
        guard isatty(STDIN_FILENO) == 1 || isatty(STDERR_FILENO) == 1 else { return nil }
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        guard let silence = TerminalSilence(descriptor) else {
            Foundation.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.silence = silence
    }

    deinit { close() }

    /// Ends the prompt. Only the first call has an effect.
    func close() {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        silence.lift()
        Foundation.close(descriptor)
    }

    /// Writes a line to the terminal.
    func say(_ text: Sentence) { write(SafeText.oneLine(text.description) + "\n") }

    /// Tells the user that the program is working. On a slow machine, the derivation of a key from a passphrase takes seconds.
    func sayOneMoment() { say("One moment.") }

    /// Asks for a line.
    ///
    /// - Throws: ``ExitCode/interrupted`` after ctrl-C or ctrl-D, or if the terminal was closed.
    func ask(_ question: Sentence, isShown: Bool = false) async throws -> String {
        let answer = await withCheckedContinuation { continuation in
            // A separate queue is used, because waiting for a person must not block a thread of the task pool.
            DispatchQueue(label: "asking").async {
                continuation.resume(returning: self.read(asking: SafeText.oneLine(question.description), isShown))
            }
        }
        guard let answer else { throw ExitCode.interrupted }
        return answer
    }

    /// Asks until the answer is yes, no or empty.
    ///
    /// - Returns: the answer; `nil` for an empty line.
    func decide(_ question: Sentence) async throws -> YesOrNo? {
        while true {
            let answer = try await ask("\(question) yes or no:", isShown: true)
            if let decision = YesOrNo(answer) { return decision }
            if answer.allSatisfy(\.isWhitespace) { return nil }
            say("Please answer yes or no, or press Enter to skip the question.")
        }
    }

    private func write(_ text: String) { StandardStream(descriptor: descriptor).write(text) }

    private func read(asking question: String, _ isShown: Bool) -> String? {
        if !isShown { hasAskedSecret.store(true, ordering: .relaxed) }
        silence.takeKeys()
        defer { if hasAskedSecret.load(ordering: .relaxed) { silence.holdBack() } else { silence.lift() } }
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
            case ControlByte.enter, ControlByte.lineFeed:
                if let answer = String(validating: bytes, as: UTF8.self) { return answer }
                // An empty answer has a meaning of its own, so an invalid answer must not count as empty.
                stream.write("\nThat is not text: it is not UTF-8.\n\(question) ")
                bytes = []
            case ControlByte.controlC: return nil
            case ControlByte.controlD where bytes.isEmpty: return nil
            case ControlByte.backspace, ControlByte.delete:
                // If the typed bytes are not valid text, this removes all of them.
                guard let text = String(validating: bytes, as: UTF8.self), let last = text.last else {
                    bytes = []
                    continue
                }
                bytes = Array(text.dropLast().utf8)
                if isShown { stream.erase(DisplayWidth.of(last)) }
            case ControlByte.controlU:
                if isShown { stream.erase(DisplayWidth.of(String(decoding: bytes, as: UTF8.self))) }
                bytes = []
            case 0..<0x20: break
            default:
                bytes.append(byte)
                if isShown { stream.write([byte]) }
            }
        }
    }

    private enum ControlByte {
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
    /// Erases the last columns of the current line.
    fileprivate func erase(_ columns: Int) { write(String(repeating: "\u{8} \u{8}", count: columns)) }
}
