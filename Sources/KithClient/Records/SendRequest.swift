import KithWire
import TLSCodec

/// A text that another process of this user wants said: what is in the table of requests until the process that has the
/// profile takes it.
struct SendRequest: Hashable, Sendable {
    /// The id that the message will have, so that whoever asked finds it again.
    let entryID: EntryID
    let conversation: ConversationID
    let text: String
    let replyTo: EntryID?
    let expiresAfter: UInt32?

    init(entryID: EntryID, conversation: ConversationID, text: String, replyTo: EntryID?, expiresAfter: UInt32?) {
        self.entryID = entryID
        self.conversation = conversation
        self.text = text
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
    }

    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: text.utf8.count + 64)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(conversation.rawValue)
        writer.writeText(text)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "SendRequest.version", value: UInt64(version)) }
        entryID = try reader.read()
        conversation = ConversationID(rawValue: try reader.readUInt64())
        text = try reader.readText(limit: ClientLimits.text)
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        try reader.expectEnd()
    }
}
