/// A reader of a cursor. Each new reader of a cursor replaces the previous one.
package struct CursorReader: Hashable, Sendable {
    let cursor: UInt64
    let number: UInt64
    let name: String
}

/// A message that was delivered to the reader of a cursor.
package struct IncomingEntry: Sendable {
    /// The message.
    package let message: Message
    /// Whether the message was already delivered to an earlier reader, which did not acknowledge it.
    package let isRepeated: Bool
    /// The place of the message, which is needed for its acknowledgement.
    package let place: IncomingPlace
}

/// The place of a message that was delivered to the reader of a cursor.
package struct IncomingPlace: Hashable, Sendable {
    let reader: CursorReader
    let conversation: ConversationID
    let seq: UInt64
}

/// The result of a search for the next message of a cursor.
package enum Incoming: Sendable {
    /// The next message.
    case message(IncomingEntry)
    /// The entries that this step has searched contain no message. More entries exist, or will exist when the step is stored.
    case unfinished
    /// There is no undelivered message.
    case none
}
