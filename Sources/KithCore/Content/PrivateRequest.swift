import KithWire
import MLS
import TLSCodec

/// A first text to a member of a group with whom the sender has no conversation of two. The request travels through the group,
/// and only the recipient can read it. If the recipient accepts, a conversation of two begins through the sender's inbox.
///
/// ```text
/// struct { uint8 version = 1; InboxAddress inbox; opaque text<V>; } PrivateRequest;     padded with zeros to 2,048 bytes
/// ```
struct PrivateRequest: Hashable, Sendable {
    /// An inbox that the sender has made for the recipient.
    let inbox: InboxAddress
    let text: String

    private static let version: UInt8 = 1
    private static let label: StaticString = "Kith PrivateRequest"

    /// Encrypts the request to a member's leaf.
    ///
    /// - Parameter message: the id of the message that contains the request.
    /// - Throws: ``KithError/tooLong(limit:)`` or ``KithError/mls(_:)``.
    func sealed(
        to leaf: LeafNode, in message: EntryID, of group: Group, random: RandomSource
    ) throws(KithError) -> HPKECiphertext {
        var bytes = encoded
        guard bytes.count <= ClientLimits.privateRequest else { throw .tooLong(limit: ClientLimits.privateRequest) }
        bytes += [UInt8](repeating: 0, count: ClientLimits.privateRequest - bytes.count)
        let padded = bytes
        return try callingMLS { () throws(MLSError) in
            try leaf.encrypt(
                padded, label: Self.label, context: group.groupID + message.bytes, suite: group.cipherSuite,
                random: random)
        }
    }

    /// Opens a request to this member; `nil` if the request is for another member or is not valid.
    init?(opening sealed: HPKECiphertext, in message: EntryID, of group: Group) {
        guard
            let bytes = try? group.decrypt(sealed, label: Self.label, context: group.groupID + message.bytes),
            bytes.count == ClientLimits.privateRequest
        else { return nil }
        var reader = TLSReader(bytes.copyBytes())
        guard let request = try? PrivateRequest(from: &reader),
            let padding = try? reader.readBytes(reader.remaining), padding.allSatisfy({ $0 == 0 }),
            TextRules.problem(with: request.text) == nil
        else { return nil }
        self = request
    }

    init(inbox: InboxAddress, text: String) { (self.inbox, self.text) = (inbox, text) }
}

extension PrivateRequest: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "PrivateRequest.version", value: UInt64(version))
        }
        inbox = try reader.read()
        text = try reader.readText(limit: ClientLimits.firstLines)
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(inbox)
        writer.writeText(text)
    }
}
