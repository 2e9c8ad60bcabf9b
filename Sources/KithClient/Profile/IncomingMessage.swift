import KithWire

/// A message from ``Profile/incomingMessages(as:from:acceptsStrangers:)``.
///
/// If neither this message nor a later message of the conversation is acknowledged, this message is delivered again, in this
/// process or in a later one.
public struct IncomingMessage: Sendable {
    /// The message.
    public let message: Message
    /// Whether the message was already delivered, but not acknowledged. If `true`, the program has ended or stopped reading
    /// since that delivery. The program may already have processed the message, but has not sent a ``reply(_:expiresAfter:)``:
    /// a reply acknowledges the message.
    public let isRepeated: Bool
    private let place: IncomingPlace
    private let profile: Profile

    init(_ entry: IncomingEntry, of profile: Profile) {
        message = entry.message
        isRepeated = entry.isRepeated
        place = entry.place
        self.profile = profile
    }

    /// The text; `nil` if this version does not know the kind of message.
    public var text: String? { message.text }
    /// The conversation of the message.
    public var conversation: ConversationID { message.conversation }
    /// The member who wrote the message.
    public var author: Message.Author { message.author }

    /// Acknowledges this message and all earlier messages of its conversation. Acknowledged messages are not delivered again.
    ///
    /// If a later message was already acknowledged, this has no effect.
    ///
    /// - Throws: ``KithError/notFound(_:)`` if the cursor was deleted, ``KithError/closed`` or ``KithError/store(_:)``.
    public func acknowledge() async throws(KithError) { try await profile.perform(.acknowledge(place)) }

    /// Sends an answer to the conversation and acknowledges the message. Both changes are in one transaction, so each message
    /// gets at most one answer.
    ///
    /// Returns when both changes are on the disk. The answer is sent as soon as the relay can be reached.
    ///
    /// - Parameters:
    ///   - text: the answer.
    ///   - expiresAfter: time after which each device deletes the answer, counted from the answer's arrival on that device, and
    ///     rounded up to whole seconds; `nil` for never.
    /// - Returns: the answer's id.
    /// - Throws: ``KithError``, for example if the conversation does not accept messages or the text is empty. After an error,
    ///   nothing is sent or acknowledged.
    @discardableResult
    public func reply(_ text: String, expiresAfter: Duration? = nil) async throws(KithError) -> EntryID {
        try await profile.perform(
            .reply(text, to: place, replyTo: message.id, expiresAfter: try expiresAfter?.textSeconds()))
    }
}
