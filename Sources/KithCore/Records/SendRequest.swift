import KithWire
import TLSCodec

/// A text that another process of this user wants to send. It stays in the table of requests until the process that has opened
/// the profile takes it.
struct SendRequest: Hashable, Sendable {
    /// The id of the future message. With this id, the requesting process finds the message.
    let entryID: EntryID
    let conversation: ConversationID
    /// The conversation's channel; `nil` in requests of an earlier version. The channel is needed, because the conversation's
    /// number may belong to another conversation when the request is taken.
    let channel: ChannelID?
    let text: String
    let replyTo: EntryID?
    let expiresAfter: UInt32?

    init(
        entryID: EntryID, conversation: ConversationID, channel: ChannelID?, text: String, replyTo: EntryID?,
        expiresAfter: UInt32?
    ) {
        self.entryID = entryID
        self.conversation = conversation
        self.channel = channel
        self.text = text
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
    }

    private static let version: UInt8 = 2

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: text.utf8.count + 64)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(conversation.rawValue)
        writer.writeText(text)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
        writer.writeOptional(channel)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "SendRequest.version", value: UInt64(version))
        }
        entryID = try reader.read()
        conversation = ConversationID(rawValue: try reader.readUInt64())
        text = try reader.readText(limit: ClientLimits.text)
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        channel = version == 1 ? nil : try reader.readOptional()
        try reader.expectEnd()
    }
}
