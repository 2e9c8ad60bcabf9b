import KithClient

extension Profile {
    /// Returns the conversations that began after another one, the oldest first. For callers whose events were dropped.
    func conversations(after latest: ConversationID?) throws(KithError) -> [ConversationSummary] {
        try conversations().filter { $0.id > latest ?? ConversationID(rawValue: 0) }.sorted { $0.id < $1.id }
    }
}
