extension ConversationRecord {
    /// The user's decision about a conversation.
    enum Consent: UInt8, Sendable {
        /// The user has begun the conversation, was invited by a contact, or has accepted the conversation.
        case given = 0
        /// A stranger has begun the conversation, and the user has not accepted it.
        case pending
    }

    /// Whether this is a conversation of two with a person whom the user has blocked.
    func isBlocked(_ contacts: ContactBook) -> Bool { contact.flatMap { contacts[$0] }?.isBlocked == true }
}
