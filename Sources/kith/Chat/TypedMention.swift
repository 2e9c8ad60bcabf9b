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
        let matching = names.filter { $0.hasPrefix(start) }.sorted()
        guard let first = matching.first, let last = matching.last else { return nil }
        // The names are sorted, so all of them have the beginning that the first and the last name have in common.
        let common = String(zip(first, last).prefix { $0 == $1 }.map(\.0))
        let rest = common.dropFirst(start.count)
        return rest.isEmpty ? nil : String(rest)
    }
}
