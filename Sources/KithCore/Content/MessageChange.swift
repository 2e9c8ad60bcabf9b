import TLSCodec

/// A change of a message that is already in the log.
///
/// Only the account that has written a message may edit or delete it. Every member may react to a message, and may pin the
/// message.
enum MessageChange: Hashable, Sendable {
    /// Sets the sender's reaction, which is one grapheme cluster. `nil` removes it.
    case reaction(String?)
    /// Replaces the text.
    case edit(MessageText)
    case deletion
    case pin(Bool)

    /// Whether a text is one grapheme cluster that can be a reaction.
    static func isReaction(_ text: String) -> Bool { text.count == 1 && mayBeReaction(text) }

    /// Whether a received text is accepted as a reaction. A text that is one grapheme cluster in the sender's version of
    /// Unicode can be several in this device's version, so up to four are accepted.
    static func mayBeReaction(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return text.count <= 4 && text.utf8.count <= ClientLimits.reaction && scalars.contains(where: isVisible)
            && scalars.count { $0.properties.generalCategory == .nonspacingMark } <= 8
            && scalars.allSatisfy {
                !$0.properties.isWhitespace && $0.properties.generalCategory != .control && !isDirectionMark($0)
            }
    }

    /// Whether a scalar shows something by itself.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark, .format, .control, .unassigned, .surrogate, .privateUse,
            .lineSeparator, .paragraphSeparator, .spaceSeparator:
            false
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// Whether a scalar changes the direction of the text around it.
    private static func isDirectionMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
