/// A reader of a cursor. A later reader takes the cursor over.
package struct CursorReader: Hashable, Sendable {
    let cursor: UInt64
    let number: UInt64
    let name: String
}

/// A message delivered to the reader of a cursor.
package struct IncomingEntry: Sendable {
    /// The message.
    package let message: Message
    /// Whether it was delivered to an earlier reader and not acknowledged.
    package let isRepeated: Bool
    /// Its place, to acknowledge it with.
    package let place: IncomingPlace
}

/// The place of a message delivered to the reader of a cursor.
package struct IncomingPlace: Hashable, Sendable {
    let reader: CursorReader
    let conversation: ConversationID
    let seq: UInt64
}

/// The result of a search for the next message of a cursor.
package enum Incoming: Sendable {
    /// A message.
    case message(IncomingEntry)
    /// No message among the entries searched in this step. There are more entries, or will be once the step is stored.
    case unfinished
    /// No undelivered message.
    case none
}
