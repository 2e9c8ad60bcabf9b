/// Computes the width of text on a terminal, in columns.
///
/// An emoji may consist of several characters. Some terminals show an emoji of several characters as one picture of two columns.
/// Other terminals show each of the characters separately. Layout uses ``of(_:)-(Character)``. Lines that must never be too long
/// use ``atMost(_:)``.
enum DisplayWidth {
    /// Returns the width of a character, in columns, on a terminal that shows the character as one picture.
    static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        guard first.properties.isEmoji, scalars.count > 1 else { return of(first) }
        // A variation selector requests text or a picture. Keycaps, joined sequences, flags and skin tones are pictures too.
        if scalars.contains("\u{FE0E}") { return 1 }
        let isPicture = scalars.dropFirst().contains { scalar in
            scalar == "\u{FE0F}" || scalar == "\u{20E3}" || scalar == "\u{200D}" || isRegional(scalar)
                || scalar.properties.isEmojiModifier
        }
        return isPicture ? 2 : of(first)
    }

    /// Returns the width of a text, in columns.
    static func of(_ text: some Sequence<Character>) -> Int { text.reduce(0) { $0 + of($1) } }

    /// Returns the largest number of columns that a character takes on any terminal. A terminal may show the character as one
    /// picture, or may show each part of the character as a separate picture. A terminal may also know characters that this
    /// program does not know, such as later emoji.
    static func atMost(_ character: Character) -> Int {
        var parts = 0
        var last: (scalar: Unicode.Scalar, width: Int)?
        for scalar in character.unicodeScalars {
            if scalar == "\u{FE0F}", let last, last.scalar.properties.isEmoji { parts += max(0, 2 - last.width) }
            let width = isRegional(scalar) || isUnknown(scalar) ? 2 : of(scalar)
            parts += width
            last = (scalar, width)
        }
        return max(parts, of(character))
    }

    /// Returns the largest number of columns that a text takes on any terminal.
    static func atMost(_ text: String) -> Int { text.reduce(0) { $0 + atMost($1) } }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control, .lineSeparator, .paragraphSeparator: return 0
        default: return isJoinedJamo(scalar) ? 0 : isWide(scalar) ? 2 : 1
        }
    }

    /// Whether the character is a vowel or final consonant of Korean. A vowel or a final consonant takes no columns of its own,
    /// because it shares the columns of the preceding consonant.
    private static func isJoinedJamo(_ scalar: Unicode.Scalar) -> Bool {
        (0x1160...0x11ff).contains(scalar.value) || (0xd7b0...0xd7ff).contains(scalar.value)
    }

    /// Whether the character's meaning, and therefore its width, is unknown to this program.
    private static func isUnknown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .unassigned, .privateUse: true
        default: false
        }
    }

    private static func isRegional(_ scalar: Unicode.Scalar) -> Bool { (0x1f1e6...0x1f1ff).contains(scalar.value) }

    /// Whether a terminal shows the character two columns wide. This holds for East Asian Wide and Fullwidth characters (Unicode
    /// Annex 11, for whole blocks) and for characters that are shown as emoji unless a selector follows.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97c,
            0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1b000...0x1b2ff,
            0x20000...0x3fffd:
            true
        default:
            scalar.properties.isEmojiPresentation && !isRegional(scalar)
        }
    }
}
