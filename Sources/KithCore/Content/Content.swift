import KithWire
import MLS
import TLSCodec

/// The plaintext of an application message.
///
/// ```text
/// struct {
///     uint8 version = 2;
///     opaque message_id[16];          equals the id of the message's entry in the channel
///     uint64 sent_at;                 milliseconds since 1970, by the sender's clock
///     LogView view;                   the sender's view of the log
///     optional<opaque[16]> reply_to;
///     optional<uint32> expires_after; seconds
///     uint16 kind;
///     opaque body<V>;
/// } Content;
/// ```
///
/// Before encryption, zeros are added: see ``ContentPadding``.
struct Content: Hashable, Sendable, TLSCodable {
    /// The id of the message's entry in the channel. The content repeats the id, so that members detect a relay that changes
    /// the id of an entry.
    var messageID: EntryID
    /// The time at which the message was sent, by the sender's clock, in milliseconds since 1970.
    var sentAt: UInt64
    /// The sender's view of the log at the time of encryption.
    var view: LogView
    /// The message that this message answers.
    var replyTo: EntryID?
    /// Time after which the message is deleted, in seconds.
    var expiresAfter: UInt32?
    var body: Body

    /// The body of the content. Unknown kinds are stored unchanged, so that a newer Kith can show them later.
    enum Body: Hashable, Sendable {
        /// Text for people. Kind 1, or kind 11 if it mentions somebody.
        case text(MessageText)
        /// A receipt: the sender has read everything up to this seq. Kind 2.
        case receipt(readThrough: UInt64)
        /// The sender's address for other conversations. Kind 3.
        case contactCard(InboxAddress)
        /// The new name of the conversation. Kind 4.
        case title(String)
        /// Files. Kind 5.
        case files(FileMessage)
        /// A change of an earlier message. Kinds 6 to 9.
        case change(MessageChange, of: MessageReference)
        /// The time after which the conversation's later messages expire, in seconds; `nil` for never. Kind 10.
        case timer(UInt32?)
        /// A first text to one member, which no other member can read. Kind 12.
        case privateRequest(HPKECiphertext)
        /// A kind that this version does not know.
        case unknown(kind: UInt16, [UInt8])
    }

    private static let version: UInt8 = 2

    init(
        messageID: EntryID, sentAt: UInt64, view: LogView, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil,
        body: Body
    ) {
        self.messageID = messageID
        self.sentAt = sentAt
        self.view = view
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
        self.body = body
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "Content.version", value: UInt64(version)) }
        messageID = try reader.read()
        sentAt = try reader.readUInt64()
        view = try reader.read()
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        body = try Body(from: &reader)
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(messageID)
        writer.write(sentAt)
        writer.write(view)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
        writer.write(body)
    }
}
