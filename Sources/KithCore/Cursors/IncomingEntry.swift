/// A reader of a cursor. Each new reader of a cursor replaces the previous reader.
package struct CursorReader: Hashable, Sendable {
    let cursor: UInt64
    let number: UInt64
    let name: String
}

/// A message that was delivered to the reader of a cursor.
package struct IncomingEntry: Sendable {
    /// The message.
    package let message: Message
    /// Whether the message was already delivered to an earlier reader that did not acknowledge the message.
    package let isRepeated: Bool
    /// The place of the message. The reader needs the place to acknowledge the message.
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
    /// This step has searched some entries and found no message. More entries exist, or will exist when the step is stored.
    case unfinished
    /// There is no undelivered message.
    case none
}
