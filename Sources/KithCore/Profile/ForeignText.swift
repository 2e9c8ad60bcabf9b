/// Text that another person or a relay wrote: a name, a title, the name of a device.
///
/// The sender chooses the characters, so the text may imitate this program: its brackets, its marks, another person's name. A
/// plain name is shown as it is. Any other text is shown in curly quotes, without the characters that could end a quotation or a
/// bracketed row. A terminal's control characters are replaced later, where text is printed.
package struct ForeignText: Hashable, Sendable, CustomStringConvertible {
    /// The original text.
    package let text: String

    /// Marks a text as foreign.
    package init(_ text: String) { self.text = text }

    /// Names that this program uses for the user, for itself, and for people in general.
    private static let reserved: Set<String> = ["you", "kith", "somebody", "everyone", "nobody"]
    /// The most characters and words of a name that is shown without quotes: room for people's names, but not for sentences.
    private static let mostCharacters = 40
    private static let mostWords = 4

    /// The text as a name, with quotes only if it needs them.
    package var description: String { isPlain ? text : quoted }

    /// The text in quotes.
    package var quoted: String {
        let inside = text.map { character -> Character in
            switch character {
            case "[": "("
            case "]": ")"
            // Characters that a reader could take for the end of the quotation or for the beginning of another.
            case "“", "”", "„", "‟", "〝", "〞", "〟", "＂": "\""
            default: character
            }
        }
        return "“\(String(inside))”"
    }

    /// Whether a typed text matches this text as shown, with or without its quotes, or with the quotes of a keyboard.
    package func isShown(as typed: String) -> Bool {
        let shown = description
        return typed == shown || Self.unquoted(typed) == (isPlain ? shown : String(shown.dropFirst().dropLast()))
    }

    /// The text between quotes; the text itself if there are none.
    private static func unquoted(_ typed: String) -> String {
        guard let first = typed.first, let last = typed.last, typed.count > 2,
            [("\"", "\""), ("'", "'"), ("“", "”")].contains(where: { $0 == (first, last) })
        else { return typed }
        return String(typed.dropFirst().dropLast())
    }

    private var isPlain: Bool {
        guard !text.isEmpty, text.count <= Self.mostCharacters, !Self.reserved.contains(text.lowercased()) else {
            return false
        }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        // An empty word means a space at an end or two spaces in a row, which can imitate a column.
        guard words.count <= Self.mostWords, !words.contains("") else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            // Two names that differ only in an invisible character look the same.
            guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
            return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || scalar.properties.generalCategory == .nonspacingMark || " -_.'@+".unicodeScalars.contains(scalar)
        }
    }
}
