import KithClient

/// Text from others, made harmless for a terminal.
///
/// What a terminal would obey (escape sequences, line breaks, anything that moves the cursor) and what would make text read
/// differently from what it says (direction overrides, invisible characters) is shown instead of sent. What emoji and
/// scripts need to be joined stays.
enum SafeText {
    /// A name as it is shown: in quotes if it could pass for something else.
    static func name(_ name: String) -> String { oneLine(ForeignText(name).description) }

    /// `text` on one line, with nothing in it that a terminal obeys.
    static func oneLine(_ text: String) -> String {
        // Nearly all text is fine as it is.
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

    /// What to show instead of a character; `nil` to show itself.
    private static func replacement(for scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x09: return " "
        // Their pictures: ␀ … ␟ and ␡.
        case 0x00...0x1f: return Unicode.Scalar(0x2400 + scalar.value).map(String.init)
        case 0x7f: return "\u{2421}"
        // The zero-width joiner and non-joiner, which emoji and several scripts are written with, and the tags of flags.
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
