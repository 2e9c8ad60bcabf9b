import KithClient

/// A long text as several messages.
enum TextPieces {
    /// The text in pieces of at most `limit` bytes: broken at line ends, or where a line is longer, between characters.
    /// What is between two pieces is at most the line break that they were broken at.
    static func of(_ text: String, limit: Int) -> [String] {
        guard text.utf8.count > limit else { return [text] }
        var pieces: [String] = []
        var piece = ""
        // Whether the piece has a line: an empty one counts.
        var hasLines = false
        func finish() {
            if hasLines { pieces.append(piece) }
            piece = ""
            hasLines = false
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if hasLines, piece.utf8.count + 1 + line.utf8.count > limit { finish() }
            if line.utf8.count > limit {
                let parts = parts(of: line, limit: limit)
                pieces += parts.dropLast()
                piece = parts.last ?? ""
            } else {
                piece += hasLines ? "\n" + line : line
            }
            hasLines = true
        }
        finish()
        // Nobody sends an empty message.
        return pieces.filter { !TextRules.isBlank($0) }
    }

    private static func parts(of line: Substring, limit: Int) -> [String] {
        var parts: [String] = []
        var part = ""
        for character in line {
            let size = character.utf8.count
            if part.utf8.count + size > limit, !part.isEmpty {
                parts.append(part)
                part = ""
            }
            if size <= limit {
                part.append(character)
            } else {
                // A character may have any number of marks on it.
                for scalar in String(character).unicodeScalars {
                    if part.utf8.count + scalar.utf8.count > limit {
                        parts.append(part)
                        part = ""
                    }
                    part.unicodeScalars.append(scalar)
                }
            }
        }
        return part.isEmpty ? parts : parts + [part]
    }
}
