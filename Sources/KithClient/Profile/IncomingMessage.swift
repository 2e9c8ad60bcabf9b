import KithWire

/// A message that a program was given by ``Profile/incomingMessages(as:from:acceptsStrangers:)``.
///
/// It comes again, in this process or a later one, until it or a later message of its conversation is acknowledged.
public struct IncomingMessage: Sendable {
    /// The message.
    public let message: Message
    /// Whether the message was handed out before and not acknowledged: the program ended, or stopped reading, in between. What it
    /// does with a message may have been done then, except for a reply.
    public let isRepeated: Bool
    private let place: IncomingPlace
    private let profile: Profile

    init(_ entry: IncomingEntry, of profile: Profile) {
        message = entry.message
        isRepeated = entry.isRepeated
        place = entry.place
        self.profile = profile
    }

    /// The text; `nil` for a kind of message that this version does not know.
    public var text: String? { message.text }
    /// The conversation that the message is from.
    public var conversation: ConversationID { message.conversation }
    /// The member who wrote the message.
    public var author: Message.Author { message.author }

    /// Notes that the program is done with this message and with all before it in the conversation. They do not come again.
    ///
    /// To acknowledge a message after a later one does nothing.
    ///
    /// - Throws: ``KithError/notFound(_:)`` if the cursor was deleted; ``KithError/closed``; ``KithError/store(_:)``.
    public func acknowledge() async throws(KithError) { try await profile.perform(.acknowledge(place)) }

    /// Sends an answer to the conversation and acknowledges the message, in one transaction: whatever happens, either both are done or
    /// neither is, so an answer is never given twice.
    ///
    /// Returns when both are on the disk. The relay gets the answer as soon as it is reached.
    ///
    /// - Parameters:
    ///   - text: the answer.
    ///   - expiresAfter: time after which everyone deletes the answer, in whole seconds.
    /// - Returns: the answer's id.
    /// - Throws: ``KithError``, if nothing can be said in the conversation or the text is none; then nothing is acknowledged.
    @discardableResult
    public func reply(_ text: String, expiresAfter: Duration? = nil) async throws(KithError) -> EntryID {
        try await profile.perform(
            .reply(text, to: place, replyTo: message.id, expiresAfter: try expiresAfter?.textSeconds()))
    }
}
