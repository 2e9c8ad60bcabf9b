/// The reader of a cursor. A later one takes the cursor over.
package struct CursorReader: Hashable, Sendable {
    let cursor: UInt64
    let number: UInt64
    let name: String
}

/// A message that was handed to the reader of a cursor.
package struct IncomingEntry: Sendable {
    /// The message.
    package let message: Message
    /// Whether it was handed out before and not acknowledged.
    package let isRepeated: Bool
    /// Its place, to be acknowledged.
    package let place: IncomingPlace
}

/// The place of a message that was handed to the reader of a cursor.
package struct IncomingPlace: Hashable, Sendable {
    let reader: CursorReader
    let conversation: ConversationID
    let seq: UInt64
}

/// The result of a look for the next message of a cursor.
package enum Incoming: Sendable {
    /// A message.
    case message(IncomingEntry)
    /// No message among the entries that were looked at in this step; there are more, or there will be once the step is stored.
    case unfinished
    /// No message that was not handed out.
    case none
}
