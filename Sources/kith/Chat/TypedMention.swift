/// Mentions that a person types: `@`, and the beginning of a member's name.
enum TypedMention {
    /// Completes the name at the end of a typed text.
    ///
    /// - Parameters:
    ///   - text: the text before the cursor.
    ///   - names: the names of the people who can be mentioned.
    /// - Returns: the characters to insert; `nil` if the text does not end with a mention, or if no single continuation exists.
    static func completion(of text: String, names: [String]) -> String? {
        guard let at = text.lastIndex(of: "@") else { return nil }
        if at > text.startIndex {
            let before = text[text.index(before: at)]
            guard !before.isLetter, !before.isNumber else { return nil }
        }
        let start = String(text[text.index(after: at)...])
        guard let common = names.filter({ $0.hasPrefix(start) }).commonBeginning else { return nil }
        let rest = common.dropFirst(start.count)
        return rest.isEmpty ? nil : String(rest)
    }
}

extension Collection<String> {
    /// The longest text with which all texts begin; `nil` if there are no texts.
    var commonBeginning: String? {
        guard let first = self.min(), let last = self.max() else { return nil }
        // All texts are between the first and the last one, so they begin with what these two have in common.
        return String(zip(first, last).prefix { $0 == $1 }.map(\.0))
    }
}
