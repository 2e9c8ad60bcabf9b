import TLSCodec

/// The next numbers for relays, contacts, conversations, inboxes and deliveries. They are stored, so that the number of a
/// deleted relay, contact, conversation, inbox or delivery is not used again.
struct NextNumbers: Hashable, Sendable {
    var relay: UInt64 = 1
    var contact: UInt64 = 1
    var conversation: UInt64 = 1
    var inbox: UInt64 = 1
    var delivery: UInt64 = 1

    /// Returns the number for the next relay.
    mutating func nextRelay() -> RelayID {
        defer { relay += 1 }
        return RelayID(rawValue: relay)
    }

    /// Returns the number for the next delivery.
    mutating func nextDelivery() -> UInt64 {
        defer { delivery += 1 }
        return delivery
    }

    /// Returns the number for the next conversation.
    mutating func nextConversation() -> ConversationID {
        defer { conversation += 1 }
        return ConversationID(rawValue: conversation)
    }

    /// Returns the number for the next inbox.
    mutating func nextInbox() -> InboxID {
        defer { inbox += 1 }
        return InboxID(rawValue: inbox)
    }

    /// Returns the number for the next contact.
    mutating func nextContact() -> ContactID {
        defer { contact += 1 }
        return ContactID(rawValue: contact)
    }

    static let key = StoreKey(.profile, item: 1)
    private static let version: UInt8 = 1

    init() {}

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 64)
        writer.write(Self.version)
        for number in [relay, contact, conversation, inbox, delivery] { writer.write(number) }
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "NextNumbers.version", value: UInt64(version))
        }
        relay = try reader.readUInt64()
        contact = try reader.readUInt64()
        conversation = try reader.readUInt64()
        inbox = try reader.readUInt64()
        delivery = try reader.readUInt64()
        try reader.expectEnd()
    }
}
