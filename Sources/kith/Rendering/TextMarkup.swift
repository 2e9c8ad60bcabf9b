/// Finds code and web addresses in a person's text. No character of the text is changed, added or left out.
///
/// A line that begins with three or more backticks begins a block of code. The block ends with the next line that consists of
/// the same number of backticks. Within a line, code stands between equally long runs of backticks. Backticks without a
/// counterpart mean nothing.
enum TextMarkup {
    /// Minimum number of backticks around a block of code.
    private static let leastBlock = 3

    /// Returns the lines of a text, safe for a terminal.
    static func lines(of text: String) -> [TextLine] {
        // These are the line breaks that terminals and editors know. Any other character that looks like a line break is shown as
        // a code.
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
            .map { SafeText.oneLine(String($0)) }
        let fences = lines.map(Fence.init)
        var lastEnd: [Int: Int] = [:]
        for (index, fence) in fences.enumerated() {
            if let fence, fence.isBare { lastEnd[fence.length] = index }
        }
        var open: Int?
        return lines.indices.map { index in
            let fence = fences[index]
            if let length = open {
                guard let fence, fence.isBare, fence.length == length else {
                    return TextLine([TextLine.Piece(lines[index], .code)], isCode: true)
                }
                open = nil
            } else if let fence, let end = lastEnd[fence.length], end > index {
                open = fence.length
            } else {
                return TextLine(pieces(of: lines[index]))
            }
            return TextLine([TextLine.Piece(lines[index], .fence)], isCode: true)
        }
    }

    /// A line that can begin or end a block of code.
    private struct Fence {
        /// The number of backticks.
        let length: Int
        /// Whether nothing follows the backticks. Only such a line ends a block.
        let isBare: Bool

        init?(_ line: String) {
            let rest = line.drop { $0 == " " }
            let label = rest.drop { $0 == "`" }
            length = rest.prefix { $0 == "`" }.count
            guard length >= TextMarkup.leastBlock, !label.contains("`") else { return nil }
            isBare = label.allSatisfy { $0 == " " }
        }
    }

    private static func pieces(of line: String) -> [TextLine.Piece] {
        let characters = Array(line)
        let runs = runs(in: characters)
        // Without this table, a line with many runs that have no counterpart would take quadratic time.
        let lastRun = Dictionary(runs.enumerated().map { ($1.count, $0) }) { $1 }
        var pieces: [TextLine.Piece] = []
        var position = 0
        var index = 0
        while index < runs.count {
            let run = runs[index]
            guard let last = lastRun[run.count], last > index,
                let end = runs[(index + 1)...].firstIndex(where: { $0.count == run.count })
            else {
                index += 1
                continue
            }
            pieces += WebAddress.pieces(of: characters[position..<run.lowerBound])
            pieces.append(TextLine.Piece(String(characters[run]), .fence))
            pieces.append(TextLine.Piece(String(characters[run.upperBound..<runs[end].lowerBound]), .code))
            pieces.append(TextLine.Piece(String(characters[runs[end]]), .fence))
            position = runs[end].upperBound
            index = end + 1
        }
        return pieces + WebAddress.pieces(of: characters[position...])
    }

    /// Returns the places of the backticks in a line, as runs.
    private static func runs(in characters: [Character]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, character) in characters.enumerated() where character == "`" {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }
}
