import TLSCodec

/// The request of a stranger who began a conversation. It is stored until the user decides.
struct ContactRequest: Hashable, Sendable {
    /// The stranger; `nil` if the Welcome was signed with a key that belongs to no person.
    let inviter: ContactID?
    let firstLines: FirstLines
}

extension ContactRequest: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        inviter = try reader.readOptional(UInt64.self).map(ContactID.init)
        firstLines = FirstLines([try reader.readText(limit: ClientLimits.firstLines)])
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOptional(inviter?.rawValue)
        writer.writeText(firstLines.text)
    }
}
