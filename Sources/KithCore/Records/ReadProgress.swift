import TLSCodec

/// The entries that the members of a conversation have confirmed to have read. Known in small conversations only, because members
/// of larger ones send no receipts.
struct ReadProgress: Hashable, Sendable {
    private struct Member: Hashable {
        /// The entry that added the member, who can't read earlier ones; 0 if the member was there before this device, or if an
        /// earlier version of this program has stored the record.
        var joinedAt: UInt64 = 0
        /// The last entry that the member has read.
        var through: UInt64 = 0
    }

    private var members: [ContactID: Member] = [:]

    var isEmpty: Bool { members.isEmpty }

    /// The last entry that a member has read; 0 if there is none.
    subscript(_ contact: ContactID) -> UInt64 { members[contact]?.through ?? 0 }

    /// The members who have read an entry, in the order of their numbers.
    func readers(of seq: UInt64) -> [ContactID] {
        members.filter { $0.value.joinedAt < seq && seq <= $0.value.through }.keys.sorted()
    }

    /// The entry that added a member; 0 if the member was there before this device.
    func joinedAt(_ contact: ContactID) -> UInt64 { members[contact]?.joinedAt ?? 0 }

    /// Called when a member has confirmed that it read everything up to an entry.
    mutating func didRead(_ contact: ContactID, through seq: UInt64) {
        members[contact, default: Member()].through = seq
    }

    /// Called when an entry has added members.
    mutating func didAdd(_ contacts: [ContactID], at seq: UInt64) {
        for contact in contacts { members[contact] = Member(joinedAt: seq, through: seq) }
    }
}

extension ReadProgress: TLSEncodable {
    /// - Parameter hasJoins: whether the record has the entries that added members, which it has since version 5 of
    ///   ``ConversationRecord``.
    init(from reader: inout TLSReader, hasJoins: Bool) throws(TLSCodecError) {
        var nested = try reader.readNested()
        while !nested.isAtEnd {
            let contact = ContactID(rawValue: try nested.readUInt64())
            let through = try nested.readUInt64()
            members[contact] = Member(joinedAt: hasJoins ? try nested.readUInt64() : 0, through: through)
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeNested { writer in
            for (contact, member) in members.sorted(by: { $0.key < $1.key }) {
                writer.write(contact.rawValue)
                writer.write(member.through)
                writer.write(member.joinedAt)
            }
        }
    }
}
