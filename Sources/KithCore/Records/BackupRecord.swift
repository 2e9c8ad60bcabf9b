import KithWire
import MLS
import TLSCodec

/// One record of a backup. A backup contains the permanent part of a profile, but nothing that belongs to a device or opens a
/// channel: no ratchets, no tokens, no device keys.
enum BackupRecord: Sendable {
    /// The account, and the user's name.
    case identity(account: AccountPrivateKey, name: String)
    /// A relay, with its pass. A backup may contain the pass, because the pass gives access to the relay, but to no channel. A
    /// user who got the pass in an invite has it nowhere else.
    case relay(RelayID, RelayPoint)
    /// A contact, without the inbox address.
    case contact(Contact)
    /// A conversation in its last state.
    case conversation(ConversationID, ConversationRecord)
    /// An entry of a conversation, in its stored form.
    case entry(EntryPlace, [UInt8])
    /// The marks on the message of an entry.
    case marks(EntryPlace, MarksRecord)
    /// The time at which an entry is hidden, and the time at which it is erased.
    case expiry(EntryPlace, Expiry)
    /// A cursor, so that a program on the new device does not answer messages again.
    case cursor(number: UInt64, CursorName)
    /// A cursor's place in a conversation.
    case cursorPlace(number: UInt64, ConversationID, CursorPlace)

    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        switch self {
        case .identity(let account, let name):
            writer.write(UInt8(1))
            account.bytes.withUnsafeBytes { writer.writeOpaque($0) }
            writer.writeText(name)
        case .relay(let id, let point):
            writer.write(UInt8(2))
            writer.write(id.rawValue)
            writer.write(point)
        case .contact(var contact):
            contact.inbox = nil
            contact.groupRequest = nil
            contact.waitingText = nil
            writer.write(UInt8(3))
            writer.write(contact.id.rawValue)
            writer.writeOpaque(contact.stored)
        case .conversation(let id, let record):
            writer.write(UInt8(4))
            writer.write(id.rawValue)
            writer.writeOpaque(record.restored.encoded)
        case .entry(let place, let bytes):
            writer.write(UInt8(5))
            writer.write(place.conversation.rawValue)
            writer.write(place.seq)
            writer.writeOpaque(bytes)
        case .marks(let place, let marks):
            writer.write(UInt8(10))
            writer.write(place.conversation.rawValue)
            writer.write(place.seq)
            writer.writeOpaque(marks.encoded)
        case .expiry(let place, let expiry):
            writer.write(UInt8(7))
            writer.write(place.conversation.rawValue)
            writer.write(place.seq)
            writer.write(expiry)
        case .cursor(let number, let name):
            writer.write(UInt8(8))
            writer.write(number)
            writer.writeOpaque(name.encoded)
        case .cursorPlace(let number, let conversation, let place):
            writer.write(UInt8(9))
            writer.write(number)
            writer.write(conversation.rawValue)
            writer.writeOpaque(place.encoded)
        }
        return writer.bytes
    }

    /// Reads a record.
    ///
    /// - Returns: the record; `nil` if its version or kind is unknown. The caller ignores a record of an unknown version or kind,
    ///   because a newer Kith has written the record.
    /// - Throws: `TLSCodecError` if the record cannot be parsed, `MLSError` if the account key is invalid.
    static func decode(_ bytes: [UInt8]) throws -> BackupRecord? {
        var reader = TLSReader(bytes)
        let version = try reader.readUInt8()
        guard version == Self.version else { return nil }
        let record: BackupRecord
        switch try reader.readUInt8() {
        case 1:
            record = .identity(
                account: try AccountPrivateKey(SecretBytes(try reader.readOpaque())),
                name: try reader.readText(limit: ClientLimits.personName))
        case 2: record = .relay(RelayID(rawValue: try reader.readUInt64()), try reader.read())
        case 3:
            let id = ContactID(rawValue: try reader.readUInt64())
            record = .contact(try Contact(id: id, stored: Array(try reader.readOpaque())))
        case 4:
            let id = ConversationID(rawValue: try reader.readUInt64())
            record = .conversation(id, try ConversationRecord(stored: Array(try reader.readOpaque())).restored)
        case 5:
            let place = try place(&reader)
            let stored = Array(try reader.readOpaque())
            _ = try EntryRecord(stored: stored)
            record = .entry(place, stored)
        // Backups of earlier versions contain a single time for both clocks.
        case 6: record = .expiry(try place(&reader), Expiry(at: try reader.readUInt64()))
        case 7: record = .expiry(try place(&reader), try reader.read())
        case 8:
            record = .cursor(
                number: try cursorNumber(&reader), try CursorName(stored: Array(try reader.readOpaque())))
        case 9:
            record = .cursorPlace(
                number: try cursorNumber(&reader), ConversationID(rawValue: try reader.readUInt64()),
                try CursorPlace(stored: Array(try reader.readOpaque())))
        case 10: record = .marks(try place(&reader), try MarksRecord(stored: Array(try reader.readOpaque())))
        default: return nil
        }
        try reader.expectEnd()
        return record
    }

    /// Reads the number of a cursor. Accepts only numbers from 1 to ``ClientLimits/highestCursor``, which fit into a key of the
    /// store.
    private static func cursorNumber(_ reader: inout TLSReader) throws(TLSCodecError) -> UInt64 {
        let number = try reader.readUInt64()
        guard (1...ClientLimits.highestCursor).contains(number) else {
            throw .unknownValue(field: "BackupRecord.cursor", value: number)
        }
        return number
    }

    private static func place(_ reader: inout TLSReader) throws(TLSCodecError) -> EntryPlace {
        EntryPlace(conversation: ConversationID(rawValue: try reader.readUInt64()), seq: try reader.readUInt64())
    }
}
