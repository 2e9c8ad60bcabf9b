import KithWire
import TLSCodec

/// What another process of this user wants sent by the one that has the profile.
///
/// ```text
/// struct {
///     uint8 version = 1;
///     uint64 conversation;
///     opaque text<V>;
///     optional<opaque[16]> reply_to;
///     optional<uint32> expires_after;
/// } HandedOver;
/// ```
struct HandedOver: Hashable, Sendable, TLSCodable {
    let conversation: ConversationID
    let text: String
    let replyTo: EntryID?
    let expiresAfter: UInt32?

    private static let version: UInt8 = 1

    init(conversation: ConversationID, text: String, replyTo: EntryID?, expiresAfter: UInt32?) {
        self.conversation = conversation
        self.text = text
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "HandedOver.version", value: UInt64(version)) }
        conversation = ConversationID(rawValue: try reader.readUInt64())
        text = try reader.readText(limit: ClientLimits.text)
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(conversation.rawValue)
        writer.writeText(text)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
    }

    var command: Command { .send(conversation, text: text, replyTo: replyTo, expiresAfter: expiresAfter) }
}

extension Kith {
    /// Leaves a text for the process that has the profile open: it sends it, or the next one that opens the profile does. For
    /// profiles that were opened for reading.
    ///
    /// - Throws: ``KithError``: what sending would throw at once.
    public func handOver(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil
    ) throws(KithError) {
        guard text.utf8.count <= ClientLimits.text else { throw .tooLong(limit: ClientLimits.text) }
        let summary = try messenger.conversationSummary(conversation)
        switch summary.status {
        case .preparing, .active: break
        case .removed, .left, .stopped: throw .conversation(summary.status)
        }
        if summary.isSuspect { throw .suspect }
        if let contact = messenger.contactList.first(where: { $0.id == summary.contact }),
            let other = contact.conflictingKey
        {
            throw .keyChanged(
                contact: contact.name, pinned: contact.accountKey.fingerprint, found: other.fingerprint)
        }
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let request = HandedOver(
            conversation: conversation, text: text, replyTo: replyTo, expiresAfter: expiresAfter)
        try reading { () throws(StoreError) in _ = try vault.handOver(request.encoded) }
    }
}
