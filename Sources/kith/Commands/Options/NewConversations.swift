import KithClient

extension Profile {
    /// The conversations that are newer than one, the oldest first: what is looked at when events were dropped that would have
    /// told of them.
    func conversations(after latest: ConversationID?) throws(KithError) -> [ConversationSummary] {
        try conversations().filter { $0.id > latest ?? ConversationID(rawValue: 0) }.sorted { $0.id < $1.id }
    }
}
