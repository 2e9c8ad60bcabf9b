import KithClient

/// Splits a long text into several messages.
enum TextPieces {
    /// Splits a text into pieces of at most `limit` bytes. The text is split at line breaks. If a line is too long, the line is
    /// split between characters. The line break between two pieces is lost. Blank pieces are left out.
    static func of(_ text: String, limit: Int) -> [String] {
        guard text.utf8.count > limit else { return [text] }
        var pieces: [String] = []
        var piece = ""
        // Whether the piece already has a line, which may be empty.
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
        // Blank pieces are removed, because empty messages are not sent.
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
                // A character may have any number of combining marks, so it can be longer than a piece.
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
