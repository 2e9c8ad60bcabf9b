/// The conditions of a search for messages. A message is found if the message meets all conditions.
package struct MessageSearch: Hashable, Sendable {
    /// The person who has written a message.
    package enum Author: Hashable, Sendable {
        /// The user.
        case me
        case contact(ContactID)
    }

    /// Words that the text, the caption or the names of files contain. Upper and lower case are not distinguished.
    package var words: [String]
    package var conversation: ConversationID?
    package var author: Author?
    /// The message was sent at this time or later, in milliseconds since 1970.
    package var fromMs: UInt64?
    /// The message was sent before this time, in milliseconds since 1970.
    package var beforeMs: UInt64?
    /// If the value is `true`, only messages with files are found.
    package var hasFile = false

    package init(_ words: [String] = [], in conversation: ConversationID? = nil) {
        self.words = words
        self.conversation = conversation
    }

    /// Whether the search has no condition other than ``conversation``, so that it would find every message there.
    package var isEmpty: Bool {
        words.isEmpty && author == nil && fromMs == nil && beforeMs == nil && !hasFile
    }

    /// Whether a message meets all conditions except ``conversation``, which the caller checks.
    ///
    /// - Parameter lowerWords: ``words`` in lower case.
    func finds(_ record: EntryRecord, _ lowerWords: [String]) -> Bool {
        guard let text = record.body.searchText else { return false }
        if hasFile {
            guard case .files = record.body else { return false }
        }
        switch (author, record.author) {
        case (nil, _), (.me, .me): break
        case (.contact(let wanted), .contact(let id)) where wanted == id: break
        default: return false
        }
        let sentAt = record.sentAtMs > 0 ? record.sentAtMs : record.receivedAtMs
        guard sentAt >= fromMs ?? 0, sentAt < beforeMs ?? .max else { return false }
        guard !lowerWords.isEmpty else { return true }
        let lower = text.lowercased()
        return lowerWords.allSatisfy { lower.contains($0) }
    }
}
