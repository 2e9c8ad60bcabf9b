import KithWire
import TLSCodec

/// A delivery to a channel that is not a conversation's: a Welcome for an inbox, or a parcel. Its steps are performed in order,
/// and each step is retried until the relay has accepted it.
struct ChannelDelivery: Sendable {
    let relay: RelayID
    let channel: ChannelID
    let appendToken: Token
    /// The access of the channel that is created for the delivery; `nil` if the channel already exists.
    let access: Access?
    /// The entries that are appended.
    let parts: [Part]
    /// The number of the delivery that must end before this one begins.
    let after: UInt64?
    /// The conversation for which the delivery is made. Its intent with the number ``intent`` waits for the delivery.
    let conversation: ConversationID
    let intent: UInt64
    /// The account of the invited person, for messages to the user; `nil` for a parcel.
    let account: AccountFingerprint?

    /// Whether the delivery is a parcel in a separate channel, and not an invitation.
    var isParcel: Bool { access != nil }

    struct Part: Sendable, TLSCodable {
        let id: EntryID
        let payload: [UInt8]

        init(id: EntryID, payload: [UInt8]) {
            self.id = id
            self.payload = payload
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            id = try reader.read()
            payload = Array(try reader.readOpaque())
        }

        func encode(into writer: inout TLSWriter) {
            writer.write(id)
            writer.writeOpaque(payload)
        }
    }

    init(
        relay: RelayID, channel: ChannelID, appendToken: Token, access: Access?, parts: [Part], after: UInt64?,
        conversation: ConversationID, intent: UInt64, account: AccountFingerprint? = nil
    ) {
        self.relay = relay
        self.channel = channel
        self.appendToken = appendToken
        self.access = access
        self.parts = parts
        self.after = after
        self.conversation = conversation
        self.intent = intent
        self.account = account
    }

    private static let version: UInt8 = 2

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 8 << 10)
        writer.write(Self.version)
        writer.write(relay.rawValue)
        writer.write(channel)
        writer.write(appendToken)
        writer.writeOptional(access)
        writer.writeVector(parts)
        writer.writeOptional(after)
        writer.write(conversation.rawValue)
        writer.write(intent)
        writer.writeOptional(account)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "ChannelDelivery.version", value: UInt64(version))
        }
        relay = RelayID(rawValue: try reader.readUInt64())
        channel = try reader.read()
        appendToken = try reader.read()
        access = try reader.readOptional()
        parts = try reader.readVector()
        after = try reader.readOptional()
        conversation = ConversationID(rawValue: try reader.readUInt64())
        intent = try reader.readUInt64()
        account = version == 1 ? nil : try reader.readOptional()
        try reader.expectEnd()
    }
}
