import Dispatch
import Foundation
import KithClient

/// Lines from standard input, one at a time and only when asked for, so that a long input is never all in memory.
final class LineReader: Sendable {
    /// Where a longer line is cut, in bytes. The longest text is shorter also as JSON, where each of its bytes may be written
    /// as an escape of six; the rest is room for the command around it.
    static let longest = 6 * ClientLimits.text + (16 << 10)

    private let queue = DispatchQueue(label: "standard input")
    private let state: State

    /// Touched on `queue` only.
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
        /// The line as text, in which each byte sequence that is no UTF-8 has a replacement character.
        let text: String
        /// Whether the line is UTF-8, so that ``text`` says what was read.
        let isText: Bool

        /// A line that is text.
        init(_ text: String) { (self.text, isText) = (text, true) }

        fileprivate init(_ bytes: ArraySlice<UInt8>) {
            let valid = String(validating: bytes, as: UTF8.self)
            (text, isText) = (valid ?? String(decoding: bytes, as: UTF8.self), valid != nil)
        }
    }

    /// The next line, or `nil` at the end of the input. A last line without a line break counts.
    func nextLine() async -> Line? {
        await withCheckedContinuation { continuation in
            queue.async { [state] in continuation.resume(returning: state.nextLine()) }
        }
    }

    /// The text of the next line. For input that is checked before it has an effect; what is sent comes from ``nextLine()``.
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

    /// Reads what there is. No line break is left in the buffer from `start` on when this is called.
    private func readMore() {
        buffer.removeFirst(start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            // What is over the limit is dropped up to the line's own end. Whatever is behind that belongs to other lines.
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
