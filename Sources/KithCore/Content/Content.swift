import KithWire
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
    /// The id of the message's entry in the channel. The content repeats the id, so that a relay that exchanges ids is detected.
    var messageID: EntryID
    /// The time of sending by the sender's clock, in milliseconds since 1970.
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
        /// Text for people. Kind 1.
        case text(String)
        /// A receipt: the sender has read everything up to this seq. Kind 2.
        case receipt(readThrough: UInt64)
        /// The sender's address for other conversations. Kind 3.
        case contactCard(InboxAddress)
        /// The new name of the conversation. Kind 4.
        case title(String)
        /// Files. Kind 5.
        case files(FileMessage)
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

extension Content.Body: TLSCodable {
    private enum Kind: UInt16 { case text = 1, receipt, contactCard, title, files }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt16()
        var body = try reader.readNested()
        switch Kind(rawValue: value) {
        case .text:
            let text = try body.readText(limit: ClientLimits.text)
            guard TextRules.problem(with: text) == nil else {
                throw .unknownValue(field: "Content.text", value: UInt64(value))
            }
            self = .text(text)
        case .receipt: self = .receipt(readThrough: try body.readUInt64())
        case .contactCard: self = .contactCard(try body.read())
        case .title: self = .title(try body.readText(limit: ClientLimits.title))
        case .files: self = .files(try body.read())
        case nil: self = .unknown(kind: value, Array(try body.readBytes(body.remaining)))
        }
        try body.expectEnd()
    }

    func encode(into writer: inout TLSWriter) {
        func write(_ kind: Kind, _ body: (inout TLSWriter) -> Void) {
            writer.write(kind.rawValue)
            writer.writeNested(body)
        }
        switch self {
        case .text(let text): write(.text) { $0.writeText(text) }
        case .receipt(let seq): write(.receipt) { $0.write(seq) }
        case .contactCard(let address): write(.contactCard) { $0.write(address) }
        case .title(let title): write(.title) { $0.writeText(title) }
        case .files(let files): write(.files) { $0.write(files) }
        case .unknown(let kind, let bytes):
            writer.write(kind)
            writer.writeOpaque(bytes)
        }
    }
}
