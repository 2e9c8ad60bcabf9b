import KithCore

/// The point at which a subscriber's events begin.
public enum EventStart: Hashable, Sendable {
    /// The subscriber gets events from now on.
    case now
    /// The subscriber first gets the unread messages and notices of all conversations, then events from now on.
    case unread
    /// The subscriber first gets the unread messages and notices of one conversation, then events of the whole profile from now
    /// on.
    case unreadIn(ConversationID)
}
