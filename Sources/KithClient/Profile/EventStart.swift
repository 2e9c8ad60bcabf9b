import KithCore

/// The first events of a subscriber.
public enum EventStart: Hashable, Sendable {
    /// Events from now on.
    case now
    /// First the unread messages and notices of all conversations, then events from now on.
    case unread
    /// First the unread messages and notices of one conversation, then events of all from now on.
    case unreadIn(ConversationID)
}
