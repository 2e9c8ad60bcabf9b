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
    static func isReaction(_ text: String) -> Bool {
        text.count == 1 && text.utf8.count <= ClientLimits.reaction
            && text.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0.properties.generalCategory != .control
            }
    }
}
