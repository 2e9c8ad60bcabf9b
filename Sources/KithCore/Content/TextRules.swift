/// The rules for a message's text. They hold for every command that sends one and for every text that is received.
///
/// It is judged by Unicode scalars. A character in Swift's sense may be a control character or a space with marks on it, and
/// hide what it begins with.
package enum TextRules {
    /// A fault of a text.
    package enum Problem: Hashable, Sendable {
        /// There is nothing in it but white space.
        case blank
        /// It has a NUL in it, as files have that are not text.
        case notText
        /// It is longer than this, in bytes.
        case tooLong(limit: Int)
    }

    /// Returns the fault that keeps a text from being a message; `nil` if there is none.
    ///
    /// - Parameter limit: the longest text that is taken, in bytes.
    package static func problem(with text: String, limit: Int = ClientLimits.text) -> Problem? {
        if text.utf8.contains(0) { return .notText }
        if isBlank(text) { return .blank }
        return text.utf8.count > limit ? .tooLong(limit: limit) : nil
    }

    /// Whether there is nothing in a text but white space.
    package static func isBlank(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }
}

extension TextRules.Problem {
    /// The error for whoever wanted to send it.
    var error: KithError {
        switch self {
        case .blank: .blankText
        case .notText: .notText
        case .tooLong(let limit): .tooLong(limit: limit)
        }
    }
}
