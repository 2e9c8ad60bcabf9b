import KithWire
import TLSCodec

/// A pending change of a group. An intent is stored until its change is made or is no longer useful.
struct Intent: Hashable, Sendable, TLSCodable {
    enum Change: Hashable, Sendable {
        /// Adds the devices of the given people, and removes older devices of the same people.
        case add([AddTarget])
        /// Removes all devices of an account.
        case remove(AccountKey)
        /// Renews this device's keys.
        case renew
        /// Commits the proposals of other members.
        case commitProposals
        /// Leaves the group.
        case leave
    }

    let id: UInt64
    var change: Change

    init(id: UInt64, change: Change) {
        self.id = id
        self.change = change
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        id = try reader.readUInt64()
        switch try reader.readUInt8() {
        case 1: change = .add(try reader.readVector())
        case 2: change = .remove(try reader.read())
        case 3: change = .renew
        case 4: change = .commitProposals
        case 5: change = .leave
        case let other: throw .unknownValue(field: "Intent.change", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(id)
        switch change {
        case .add(let targets):
            writer.write(UInt8(1))
            writer.writeVector(targets)
        case .remove(let account):
            writer.write(UInt8(2))
            writer.write(account)
        case .renew: writer.write(UInt8(3))
        case .commitProposals: writer.write(UInt8(4))
        case .leave: writer.write(UInt8(5))
        }
    }
}

/// A person who will be added to a group.
struct AddTarget: Hashable, Sendable, TLSCodable {
    /// The inbox that has the person's key packages and gets the Welcome.
    let inbox: InboxAddress
    /// The name under which the person becomes a contact, if the person is not a contact yet; `nil` to use the name in the
    /// person's certificate.
    let alias: String?
    /// The reason why the person's key is believed, if the person is not a contact yet.
    let trust: Trust
    /// Whether the device is still a member, and is added again because it has lost the conversation.
    let isAgain: Bool

    init(inbox: InboxAddress, alias: String?, trust: Trust, isAgain: Bool = false) {
        self.inbox = inbox
        self.alias = alias
        self.trust = trust
        self.isAgain = isAgain
    }

    /// The bits of the first byte after the inbox. Earlier versions wrote only the first bit.
    private enum Flag {
        static let alias: UInt8 = 1
        static let isAgain: UInt8 = 2
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        inbox = try reader.read()
        let flags = try reader.readUInt8()
        guard flags <= Flag.alias | Flag.isAgain else {
            throw .unknownValue(field: "AddTarget.flags", value: UInt64(flags))
        }
        alias = flags & Flag.alias != 0 ? try reader.readText(limit: .max) : nil
        isAgain = flags & Flag.isAgain != 0
        trust = try reader.readEnum("Trust")
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(inbox)
        writer.write((alias == nil ? 0 : Flag.alias) | (isAgain ? Flag.isAgain : 0))
        if let alias { writer.writeText(alias) }
        writer.write(trust.rawValue)
    }
}
