import KithWire
import MLS
import TLSCodec

/// A commit of this device that is not in the log yet. It is stored before it is sent.
struct PendingTurn: Sendable {
    let entryID: EntryID
    let commit: PendingCommit
    /// The number of the intent that the commit carries out.
    let intent: UInt64
    /// The recipients of the Welcome, in the order in which the commit adds them.
    let recipients: [Recipient]
    /// Whether the tree is in the Welcome's GroupInfo.
    let hasTreeInWelcome: Bool
    /// The reference to the commit's parcel; `nil` if the commit fits into an entry.
    let parcel: TurnReference?

    /// The payload of the turn.
    var payload: [UInt8] { parcel?.encoded ?? commit.message.encoded }

    struct Recipient: Sendable, TLSCodable {
        let inbox: InboxAddress
        let keyPackage: KeyPackage

        init(inbox: InboxAddress, keyPackage: KeyPackage) {
            self.inbox = inbox
            self.keyPackage = keyPackage
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            inbox = try reader.read()
            keyPackage = try reader.read()
        }

        func encode(into writer: inout TLSWriter) {
            writer.write(inbox)
            writer.write(keyPackage)
        }
    }

    init(
        entryID: EntryID, commit: PendingCommit, intent: UInt64, recipients: [Recipient], hasTreeInWelcome: Bool,
        parcel: TurnReference?
    ) {
        self.entryID = entryID
        self.commit = commit
        self.intent = intent
        self.recipients = recipients
        self.hasTreeInWelcome = hasTreeInWelcome
        self.parcel = parcel
    }

    private static let version: UInt8 = 2

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 16 << 10)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(intent)
        writer.writeVector(recipients)
        writer.write(hasTreeInWelcome)
        writer.writeOptional(parcel)
        commit.stored.withUnsafeBytes { writer.writeOpaque($0) }
        return writer.bytes
    }

    init(stored: [UInt8]) throws {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw TLSCodecError.unknownValue(field: "PendingTurn.version", value: UInt64(version))
        }
        entryID = try reader.read()
        intent = try reader.readUInt64()
        recipients = try reader.readVector()
        hasTreeInWelcome = try reader.readPresence()
        parcel = try reader.readOptional()
        // In version 1, the number of the parcel's delivery followed here. That number is not used any more.
        if version == 1, parcel != nil { _ = try reader.readUInt64() }
        commit = try PendingCommit(restoring: SecretBytes(try reader.readOpaque()))
        try reader.expectEnd()
    }
}
