import KithWire

/// A message that has to be sent.
struct OutgoingMessage: Hashable, Sendable {
    /// The id that the message will have.
    let id: EntryID
    let body: Content.Body
    /// The message that this one answers; `nil` for none.
    let replyTo: EntryID?
    /// Time after which each device deletes the message, in seconds; `nil` for the conversation's timer.
    let expiresAfter: UInt32?

    init(id: EntryID, _ body: Content.Body, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil) {
        self.id = id
        self.body = body
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
    }
}
