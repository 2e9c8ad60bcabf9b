/// Text that another person or a relay has written: a name, a title, or the name of a device.
///
/// The sender chooses the characters, so the text may imitate this program: its brackets, its marks, or another person's name. A
/// plain name is shown unchanged. Any other text is shown in curly quotes, without characters that could end the quotation or a
/// line in brackets. Control characters are replaced later, when the text is printed.
package struct ForeignText: Hashable, Sendable, CustomStringConvertible {
    /// The original text.
    package let text: String

    /// Marks a text as foreign.
    package init(_ text: String) { self.text = text }

    /// Names that this program uses for the user, for itself, or for people in general.
    private static let reserved: Set<String> = ["you", "kith", "somebody", "everyone", "nobody"]
    /// Maximum number of characters, and of words, in a name that is shown without quotes. People's names fit, sentences do not.
    private static let mostCharacters = 40
    private static let mostWords = 4

    /// The text as a name, in quotes only if that is necessary.
    package var description: String { isPlain ? text : quoted }

    /// The text in quotes.
    package var quoted: String {
        let inside = text.map { character -> Character in
            switch character {
            case "[": "("
            case "]": ")"
            // A reader could take these characters for the end of the quotation, or for the beginning of another one.
            case "“", "”", "„", "‟", "〝", "〞", "〟", "＂": "\""
            default: character
            }
        }
        return "“\(String(inside))”"
    }

    /// Whether a typed text equals this text as it is shown. In the typed text, the quotes may be missing, or may be those of a
    /// keyboard.
    package func isShown(as typed: String) -> Bool {
        let shown = description
        return typed == shown || Self.unquoted(typed) == (isPlain ? shown : String(shown.dropFirst().dropLast()))
    }

    /// Returns the text between quotes. If there are no quotes, returns the whole text.
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
        // An empty word means that there is a space at an end, or that there are two successive spaces, which can imitate a
        // column.
        guard words.count <= Self.mostWords, !words.contains("") else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            // If two names differ only in an invisible character, they look the same.
            guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
            return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || scalar.properties.generalCategory == .nonspacingMark || " -_.'@+".unicodeScalars.contains(scalar)
        }
    }
}
