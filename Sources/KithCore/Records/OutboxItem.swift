import KithWire
import TLSCodec

/// A message or proposal of this device that is not in the log yet: its plaintext, and the ciphertext of the last attempt to send
/// it.
package struct OutboxItem: Sendable {
    package let entryID: EntryID
    let sentAt: UInt64
    let replyTo: EntryID?
    /// Time after which all members' devices delete the message, in seconds; `nil` to use the conversation's timer.
    let expiresAfter: UInt32?
    let body: Body
    /// The encrypted form of the item, which is valid in one epoch. All attempts in one epoch send the same bytes.
    var attempt: Attempt?
    /// Whether the item was ever encrypted. If so, the log might have the item although this device does not know it.
    var mayBeInLog = false
    /// The blobs of the item's files.
    var blobs: [OwnBlob] = []

    enum Body: Hashable, Sendable {
        /// A message to the members.
        case content(Content.Body)
        /// A proposal to remove this device.
        case leaveProposal
        /// A private request to the member with the given account.
        case privateRequest(PrivateRequest, to: AccountKey)
    }

    /// Whether the item is a new text. An edit of a text does not count.
    package var isText: Bool { if case .content(.text) = body { true } else { false } }

    /// Whether the item sends this device's address to the other person of a conversation of two.
    var isCard: Bool { if case .content(.contactCard) = body { true } else { false } }

    struct Attempt: Hashable, Sendable {
        let epoch: UInt64
        let payload: [UInt8]
        /// Time after which all members' devices delete the message, in seconds, as stated in the encrypted content; `nil` for
        /// never.
        let expiresAfter: UInt32?
    }

    init(
        entryID: EntryID, sentAt: UInt64, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil, body: Body
    ) {
        self.entryID = entryID
        self.sentAt = sentAt
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
        self.body = body
    }

    private static let version: UInt8 = 3

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 1024)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(sentAt)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
        switch body {
        case .content(let body):
            writer.write(UInt8(1))
            writer.write(body)
        case .leaveProposal: writer.write(UInt8(2))
        case .privateRequest(let request, let account):
            writer.write(UInt8(3))
            writer.write(request)
            writer.write(account)
        }
        writer.write(attempt != nil)
        if let attempt {
            writer.write(attempt.epoch)
            writer.writeOpaque(attempt.payload)
            writer.writeOptional(attempt.expiresAfter)
        }
        writer.write(mayBeInLog)
        writer.writeVector(blobs)
        return writer.bytes
    }

    package init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "OutboxItem.version", value: UInt64(version))
        }
        entryID = try reader.read()
        sentAt = try reader.readUInt64()
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
        switch try reader.readUInt8() {
        case 1: body = .content(try reader.read())
        case 2: body = .leaveProposal
        case 3: body = .privateRequest(try reader.read(), to: try reader.read())
        case let other: throw .unknownValue(field: "OutboxItem.body", value: UInt64(other))
        }
        if try reader.readPresence() {
            let (epoch, payload) = (try reader.readUInt64(), Array(try reader.readOpaque()))
            attempt = Attempt(
                epoch: epoch, payload: payload,
                expiresAfter: version == 1 ? expiresAfter : try reader.readOptional())
        }
        if version >= 3 {
            mayBeInLog = try reader.readPresence()
            blobs = try reader.readVector(maximumCount: ClientLimits.attachments)
        } else {
            mayBeInLog = true
        }
        try reader.expectEnd()
    }
}
