import KithClient

/// Makes other people's text safe for a terminal.
///
/// Two kinds of characters are replaced by visible codes. Characters of the first kind control a terminal: escape sequences, line
/// breaks, cursor movements. Characters of the second kind make a text look different from its content: direction overrides,
/// invisible characters. Joiners that emoji and scripts need are kept.
enum SafeText {
    /// Returns a name in the form in which it is shown. A name that could be mistaken for something else is in quotes.
    static func name(_ name: String) -> String { oneLine(ForeignText(name).description) }

    /// Returns the text in one line, without characters that control a terminal.
    static func oneLine(_ text: String) -> String {
        // Most texts are already safe.
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
        // These are the symbols of control characters: ␀ … ␟ and ␡.
        case 0x00...0x1f: return Unicode.Scalar(0x2400 + scalar.value).map(String.init)
        case 0x7f: return "\u{2421}"
        // Emoji and several scripts use the zero-width joiner and non-joiner, and flags use the tags.
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
