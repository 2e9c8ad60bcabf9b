import KithWire
import TLSCodec

/// A message that another process of this user wants to send. It stays in the table of requests until the process that has opened
/// the profile takes it.
struct SendRequest: Hashable, Sendable {
    /// The id of the future message. With this id, the requesting process finds the message.
    let entryID: EntryID
    let conversation: ConversationID
    /// The conversation's channel; `nil` in requests of an earlier version. The channel is needed, because the conversation's
    /// number may belong to another conversation when the request is taken.
    let channel: ChannelID?
    let body: Content.Body
    let replyTo: EntryID?
    let expiresAfter: UInt32?

    init(
        _ message: OutgoingMessage, to conversation: ConversationID, channel: ChannelID?
    ) {
        entryID = message.id
        self.conversation = conversation
        self.channel = channel
        body = message.body
        replyTo = message.replyTo
        expiresAfter = message.expiresAfter
    }

    var message: OutgoingMessage {
        OutgoingMessage(id: entryID, body, replyTo: replyTo, expiresAfter: expiresAfter)
    }

    private static let version: UInt8 = 3

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(conversation.rawValue)
        writer.write(body)
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
        // Before version 3, there were requests for texts only.
        if version < 3 {
            let text = try reader.readText(limit: ClientLimits.text)
            guard TextRules.problem(with: text) == nil else {
                throw .unknownValue(field: "SendRequest.text", value: UInt64(text.utf8.count))
            }
            body = .text(MessageText(text))
        } else {
            body = try reader.read()
        }
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        channel = version == 1 ? nil : try reader.readOptional()
        try reader.expectEnd()
    }
}
