import Dispatch
import Foundation
import KithClient

/// Reads lines from standard input or another descriptor. Each line is read only when a caller requests the line, so a long input
/// does not fill the memory.
final class LineReader: Sendable {
    /// Maximum length of a line in bytes. The end of a longer line is dropped. In JSON, each byte of the longest text can take
    /// six bytes, because it can be escaped. The remaining fields of the request need some bytes too.
    static let longest = 6 * ClientLimits.text + (16 << 10)

    private let queue = DispatchQueue(label: "standard input")
    private let state: State

    /// The reader's state. Only code on `queue` uses the state.
    fileprivate final class State: @unchecked Sendable {
        let descriptor: Int32
        var buffer: [UInt8] = []
        var start = 0
        var isAtEnd = false

        init(descriptor: Int32) { self.descriptor = descriptor }
    }

    init(descriptor: Int32 = STDIN_FILENO) { state = State(descriptor: descriptor) }

    /// A line without its line break.
    struct Line: Hashable, Sendable {
        /// The line as text. A replacement character takes the place of a byte sequence that is not valid UTF-8.
        let text: String
        /// Whether the line is valid UTF-8. The ``text`` of a valid line is exact.
        let isText: Bool

        /// Creates a line of valid text.
        init(_ text: String) { (self.text, isText) = (text, true) }

        fileprivate init(_ bytes: ArraySlice<UInt8>) {
            let valid = String(validating: bytes, as: UTF8.self)
            (text, isText) = (valid ?? String(decoding: bytes, as: UTF8.self), valid != nil)
        }
    }

    /// Returns the next line; `nil` at the end of the input. The last line need not have a line break.
    func nextLine() async -> Line? {
        await withCheckedContinuation { continuation in
            queue.async { [state] in continuation.resume(returning: state.nextLine()) }
        }
    }

    /// Returns the text of the next line. The text may have replacement characters, so use this function only for input that is
    /// validated. For text that will be sent, use ``nextLine()``.
    func next() async -> String? { await nextLine()?.text }
}

extension LineReader.State {
    fileprivate func nextLine() -> LineReader.Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return line(buffer[start..<end])
            }
            searched = buffer.count
            guard !isAtEnd else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return line(buffer[start...])
            }
            let dropped = start
            readMore()
            searched -= dropped
        }
    }

    /// Reads available bytes. The buffer must not contain a line break after `start`.
    private func readMore() {
        buffer.removeFirst(start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            // Bytes over the limit are dropped until the end of their line. Later bytes belong to other lines.
            let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) ?? count
            buffer.append(contentsOf: chunk[..<min(end, LineReader.longest - buffer.count)])
            buffer.append(contentsOf: chunk[end..<count])
        } else if count == 0 || errno != EINTR {
            isAtEnd = true
        }
    }

    private func line(_ bytes: ArraySlice<UInt8>) -> LineReader.Line {
        LineReader.Line(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
    }
}
