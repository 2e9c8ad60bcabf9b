import KithClient

/// Makes foreign text safe for a terminal.
///
/// A character that a terminal would obey (escape sequences, line breaks, cursor movement) or that would make text read
/// differently from what it says (direction overrides, invisible characters) is replaced by a visible code. Joiners
/// that emoji and scripts need stay.
enum SafeText {
    /// Returns a name as it is shown: in quotes if it could be mistaken for something else.
    static func name(_ name: String) -> String { oneLine(ForeignText(name).description) }

    /// Returns the text on one line, without characters that a terminal obeys.
    static func oneLine(_ text: String) -> String {
        // Nearly all text is safe already.
        guard text.unicodeScalars.contains(where: { replacement(for: $0) != nil }) else { return text }
        var safe = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let replacement = replacement(for: scalar) {
                safe.append(contentsOf: replacement.unicodeScalars)
            } else {
                safe.append(scalar)
            }
        }
        return String(safe)
    }

    /// Returns the text to show instead of a character; `nil` to show the character.
    private static func replacement(for scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x09: return " "
        // The pictures of control characters: ␀ … ␟ and ␡.
        case 0x00...0x1f: return Unicode.Scalar(0x2400 + scalar.value).map(String.init)
        case 0x7f: return "\u{2421}"
        // Emoji and several scripts use the zero-width joiner and non-joiner; flags use the tags.
        case 0x200c, 0x200d, 0xe0020...0xe007f: return nil
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                return "<U+\(String(scalar.value, radix: 16, uppercase: true))>"
            default:
                return nil
            }
        }
    }
}
