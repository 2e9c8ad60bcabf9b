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
    /// The number of the entry among its sender's messages in the epoch.
    var generation: UInt32
    /// The time of sending by the sender's clock, in milliseconds since 1970; 0 if the entry has none.
    var sentAtMs: UInt64
    /// The last entry that the sender had seen.
    var sawThrough: UInt64
    var replyTo: EntryID?
    var expiresAfter: UInt32?
    var body: Body
    var warnings: [Warning]

    enum Author: Hashable, Sendable {
        case me
        case contact(ContactID)
        case unknown
    }

    enum Body: Hashable, Sendable {
        /// Text for people.
        case text(String)
        /// Notices, each of which is shown in one line. Empty if the entry is not shown.
        case notices([Notice])
        /// Content of a kind that this version does not know. It is stored for a later version.
        case unknown(kind: UInt16, [UInt8])
        /// A text, or files, that were deleted because they had expired.
        case expired
        /// Files, each with its key if it is in a blob.
        case files(FileMessage)

        /// Whether the body is hidden and erased when it expires.
        var canExpire: Bool {
            switch self {
            case .text, .files: true
            case .notices, .unknown, .expired: false
            }
        }
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

    private static let version: UInt8 = 1

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
        writer.write(generation)
        writer.write(sentAtMs)
        writer.write(sawThrough)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
        writer.write(body)
        writer.writeVector(warnings)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "EntryRecord.version", value: UInt64(version)) }
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
        generation = try reader.readUInt32()
        sentAtMs = try reader.readUInt64()
        sawThrough = try reader.readUInt64()
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        body = try reader.read()
        warnings = try reader.readVector()
        try reader.expectEnd()
    }
}

extension EntryRecord.Body: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .text(try reader.readText(limit: .max))
        case 2: self = .notices(try reader.readVector())
        case 3: self = .unknown(kind: try reader.readUInt16(), Array(try reader.readOpaque()))
        case 4: self = .expired
        case 16: self = .files(try reader.read())
        case let other: throw .unknownValue(field: "EntryRecord.body", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        switch self {
        case .text(let text):
            writer.write(UInt8(1))
            writer.writeText(text)
        case .notices(let notices):
            writer.write(UInt8(2))
            writer.writeVector(notices)
        case .unknown(let kind, let bytes):
            writer.write(UInt8(3))
            writer.write(kind)
            writer.writeOpaque(bytes)
        case .expired: writer.write(UInt8(4))
        case .files(let files):
            writer.write(UInt8(16))
            writer.write(files)
        }
    }
}

extension Notice: TLSCodable {
    /// Reads a stored notice.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .began(by: try reader.readText(limit: .max))
        case 2: self = .added(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 3: self = .removed(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 4: self = .left(try reader.readText(limit: .max))
        case 5: self = .renamed(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 6: self = .renewed(by: try reader.readText(limit: .max))
        case 7:
            self = .unreadable(
                try reader.readEnum("UnreadableReason"),
                from: try reader.readPresence() ? try reader.readText(limit: .max) : nil)
        case 9:
            self = .unreadable(
                try reader.readEnum("UnreadableReason"),
                from: try reader.readPresence() ? try reader.readText(limit: .max) : nil,
                count: Int(try reader.readUInt32()))
        case 8: self = .missed(first: try reader.readUInt64(), last: try reader.readUInt64())
        case 10: self = .declined(by: try reader.readText(limit: .max))
        case let other: throw .unknownValue(field: "Notice", value: UInt64(other))
        }
    }

    /// Writes the notice for the store.
    public func encode(into writer: inout TLSWriter) {
        func write(_ kind: UInt8, _ texts: String...) {
            writer.write(kind)
            for text in texts { writer.writeText(text) }
        }
        switch self {
        case .began(let by): write(1, by)
        case .added(let who, let by): write(2, who, by)
        case .removed(let who, let by): write(3, who, by)
        case .left(let who): write(4, who)
        case .renamed(let title, let by): write(5, title, by)
        case .renewed(let by): write(6, by)
        case .declined(let by): write(10, by)
        case .unreadable(let reason, let from, let count):
            writer.write(UInt8(9))
            writer.write(reason.rawValue)
            writer.write(from != nil)
            if let from { writer.writeText(from) }
            writer.write(UInt32(clamping: count))
        case .missed(let first, let last):
            writer.write(UInt8(8))
            writer.write(first)
            writer.write(last)
        }
    }
}

extension Warning: TLSCodable {
    /// Reads a stored warning.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .differentLogs(first: try reader.readUInt64(), last: try reader.readUInt64())
        case 2: self = .missingBefore(Int(try reader.readUInt32()))
        case 3: self = .notKept(seq: try reader.readUInt64())
        case 4: self = .oldWelcome
        case 5: self = .inviteUsedAgain
        case 6: self = .longerThanRelayTakes(try reader.read(), limit: try reader.readUInt64())
        case 7:
            self = .invitationWaits(
                for: try reader.readText(limit: .max), try reader.readEnum("InvitationObstacle"))
        case 8: self = .heldBack(through: try reader.readUInt64())
        case let other: throw .unknownValue(field: "Warning", value: UInt64(other))
        }
    }

    /// Writes the warning for the store.
    public func encode(into writer: inout TLSWriter) {
        switch self {
        case .differentLogs(let first, let last):
            writer.write(UInt8(1))
            writer.write(first)
            writer.write(last)
        case .missingBefore(let count):
            writer.write(UInt8(2))
            writer.write(UInt32(clamping: count))
        case .notKept(let seq):
            writer.write(UInt8(3))
            writer.write(seq)
        case .oldWelcome: writer.write(UInt8(4))
        case .inviteUsedAgain: writer.write(UInt8(5))
        case .longerThanRelayTakes(let entry, let limit):
            writer.write(UInt8(6))
            writer.write(entry)
            writer.write(limit)
        case .invitationWaits(let name, let obstacle):
            writer.write(UInt8(7))
            writer.writeText(name)
            writer.write(obstacle.rawValue)
        case .heldBack(let seq):
            writer.write(UInt8(8))
            writer.write(seq)
        }
    }
}
