import KithWire

/// A message of the sequence ``Profile/incomingMessages(as:from:acceptsStrangers:)``.
///
/// The message comes again, in this process or a later one, until it or a later message of its conversation is acknowledged.
public struct IncomingMessage: Sendable {
    /// The message.
    public let message: Message
    /// Whether the message was delivered before and not acknowledged, because the program ended or stopped reading. The program
    /// may have processed the message then, except for a reply.
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

    /// Acknowledges this message and all earlier ones of the conversation. They do not come again.
    ///
    /// Has no effect after a later message was acknowledged.
    ///
    /// - Throws: ``KithError/notFound(_:)`` if the cursor was deleted; ``KithError/closed``; ``KithError/store(_:)``.
    public func acknowledge() async throws(KithError) { try await profile.perform(.acknowledge(place)) }

    /// Sends an answer to the conversation and acknowledges the message, in one transaction: either both happen or neither, so
    /// an answer is never given twice.
    ///
    /// Returns when both are on the disk. The relay gets the answer as soon as it is reached.
    ///
    /// - Parameters:
    ///   - text: the answer.
    ///   - expiresAfter: time after which everyone deletes the answer, in whole seconds.
    /// - Returns: the answer's id.
    /// - Throws: ``KithError``, if the conversation does not take messages or the text is empty; then nothing is acknowledged.
    @discardableResult
    public func reply(_ text: String, expiresAfter: Duration? = nil) async throws(KithError) -> EntryID {
        try await profile.perform(
            .reply(text, to: place, replyTo: message.id, expiresAfter: try expiresAfter?.textSeconds()))
    }
}
