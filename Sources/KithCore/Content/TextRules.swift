/// The rules for a message's text. Every command that sends a text observes the rules, and every received text is checked.
///
/// Texts are checked by Unicode scalars and not by Swift `Character`s. A space or a control character forms one `Character` with
/// a mark that follows, so a check of `Character`s would not find the space or the control character.
package enum TextRules {
    /// A fault of a text.
    package enum Problem: Hashable, Sendable {
        /// The text is empty or only white space.
        case blank
        /// The text contains a NUL, as binary files do.
        case notText
        /// The text is longer than the limit, in bytes.
        case tooLong(limit: Int)
    }

    /// Returns the reason why a text cannot be a message; `nil` if it can.
    ///
    /// - Parameter limit: the longest allowed text, in bytes.
    package static func problem(with text: String, limit: Int = ClientLimits.text) -> Problem? {
        if text.utf8.contains(0) { return .notText }
        if isBlank(text) { return .blank }
        return text.utf8.count > limit ? .tooLong(limit: limit) : nil
    }

    /// Whether a text is empty or only white space.
    package static func isBlank(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }
}

extension TextRules.Problem {
    /// The error for the command that tries to send the text.
    var error: KithError {
        switch self {
        case .blank: .blankText
        case .notText: .notText
        case .tooLong(let limit): .tooLong(limit: limit)
        }
    }
}
