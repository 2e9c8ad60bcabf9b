import KithWire
import TLSCodec

/// Something that is to be put into a channel that is not a conversation's: Welcomes into inboxes, and parcels. Its steps are
/// taken in order, and each again until the relay has it.
struct ChannelDelivery: Sendable {
    let relay: RelayID
    let channel: ChannelID
    let appendToken: Token
    /// The access of a channel that is made for it; nil for a channel that is there.
    let access: Access?
    /// What is appended.
    let parts: [Part]
    /// Deliveries that must be done before this one.
    let after: UInt64?
    /// The conversation and intent that wait for it.
    let conversation: ConversationID
    let intent: UInt64
    /// The person whom it invites, for what is said of it; nil for a parcel.
    let account: AccountFingerprint?

    /// Whether it is a parcel, in a channel of its own, and no invitation.
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
