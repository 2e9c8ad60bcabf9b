import KithWire
import TLSCodec

/// One entry of a conversation's log, as this device has understood it. The history and `explain` are made from these records.
struct EntryRecord: Sendable {
    let id: EntryID
    let epoch: UInt64
    let kind: EntryKind
    /// The time at which the relay received the entry, by the relay's clock, in milliseconds since 1970.
    let receivedAtMs: UInt64
    /// The log's hash after this entry.
    let viewHash: [UInt8]
    var author: Author
    /// The account of the author; `nil` for entries without a known author, and for entries that an earlier version stored.
    var account: AccountKey?
    /// The number of the entry among its sender's messages in the epoch, counted from 0.
    var generation: UInt32
    /// The time of sending by the sender's clock, in milliseconds since 1970; 0 if the entry has none.
    var sentAtMs: UInt64
    /// The seq of the last entry that the sender had seen before sending this one.
    var sawThrough: UInt64
    var replyTo: EntryID?
    /// The seq of the message that this message answers; `nil` if this message answers none, or if the answered message was not
    /// among the last entries when this message arrived.
    var replySeq: UInt64?
    var expiresAfter: UInt32?
    var body: Body
    var warnings: [Warning]
    /// The marks on the message. They are stored apart from the entry; see ``MarksRecord``.
    var marks = MarksRecord()
    /// The blobs of the message's files, if this device has uploaded them.
    var blobs: [OwnBlob] = []

    enum Author: Hashable, Sendable {
        case me
        case contact(ContactID)
        case unknown
    }

    enum Body: Hashable, Sendable {
        /// Text for people.
        case text(MessageText)
        /// Notices, each of which is shown in one line. Empty if the entry is not shown.
        case notices([Notice])
        /// Content of a kind that this version does not know. It is stored for a later version; see ``init(kept:_:)``.
        case unknown(kind: UInt16, [UInt8])
        /// A text, or files, that were deleted because they had expired.
        case expired
        /// Files, each with its key if it is in a blob.
        case files(FileMessage)
        /// A message that its author has deleted.
        case deleted
        /// A message that the user has deleted on this device only.
        case deletedHere
        /// A change of another message. The texts of the change are stored with the changed message, and are deleted with that
        /// message.
        case change(ChangeNote)

        /// Whether the body is hidden and erased when it expires.
        var canExpire: Bool {
            switch self {
            // A later version may show the content of an unknown kind.
            case .text, .files, .unknown: true
            case .notices, .expired, .deleted, .deletedHere, .change: false
            }
        }
    }

    /// A change of another message, without the texts of the change, for the explanation of the log.
    struct ChangeNote: Hashable, Sendable {
        enum Kind: UInt8, Sendable { case reaction = 1, edit, deletion, pin, unpin }

        let kind: Kind
        /// The seq of the message that was to be changed.
        let target: UInt64
        /// Whether the change was made. A change is not made if the message does not exist on this device, if the message is
        /// already in the new state, or if the sender may not change it.
        let isApplied: Bool
    }

    init(
        _ entry: Entry, view: LogView, author: Author, generation: UInt32 = 0, sentAtMs: UInt64 = 0,
        sawThrough: UInt64 = 0, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil, body: Body,
        warnings: [Warning] = []
    ) {
        id = entry.id
        epoch = entry.epoch
        kind = entry.kind
        receivedAtMs = entry.receivedAtMs
        viewHash = view.hash
        self.author = author
        self.generation = generation
        self.sentAtMs = sentAtMs
        self.sawThrough = sawThrough
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
        self.body = body
        self.warnings = warnings
    }

    private static let version: UInt8 = 3

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        writer.write(id)
        writer.write(epoch)
        writer.write(kind)
        writer.write(receivedAtMs)
        writer.writeBytes(viewHash)
        switch author {
        case .unknown: writer.write(UInt8(0))
        case .me: writer.write(UInt8(1))
        case .contact(let contact):
            writer.write(UInt8(2))
            writer.write(contact.rawValue)
        }
        writer.writeOptional(account)
        writer.write(generation)
        writer.write(sentAtMs)
        writer.write(sawThrough)
        writer.writeOptional(replyTo)
        writer.writeOptional(replySeq)
        writer.writeOptional(expiresAfter)
        writer.write(body)
        writer.writeVector(warnings)
        writer.writeVector(blobs)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "EntryRecord.version", value: UInt64(version))
        }
        id = try reader.read()
        epoch = try reader.readUInt64()
        kind = try reader.read()
        receivedAtMs = try reader.readUInt64()
        viewHash = Array(try reader.readBytes(32))
        switch try reader.readUInt8() {
        case 0: author = .unknown
        case 1: author = .me
        case 2: author = .contact(ContactID(rawValue: try reader.readUInt64()))
        case let other: throw .unknownValue(field: "EntryRecord.author", value: UInt64(other))
        }
        account = version == 1 ? nil : try reader.readOptional()
        generation = try reader.readUInt32()
        sentAtMs = try reader.readUInt64()
        sawThrough = try reader.readUInt64()
        replyTo = try reader.readOptional()
        replySeq = version == 1 ? nil : try reader.readOptional()
        expiresAfter = try reader.readOptional()
        body = try reader.read()
        warnings = try reader.readVector()
        if version >= 3 { blobs = try reader.readVector(maximumCount: ClientLimits.attachments) }
        try reader.expectEnd()
    }
}
