import KithWire
import TLSCodec

/// What is small about a conversation and changes with every entry. Its group, its log and its outbox are elsewhere.
struct ConversationRecord: Sendable {
    let channel: ChannelID
    let relay: RelayID
    /// The group's name; empty for a conversation of two.
    var title: String
    /// The other person of a conversation of two.
    var contact: ContactID?
    var isDirect: Bool
    var status: ConversationStatus = .preparing
    /// Whether the relay has the channel, if this device makes it.
    var isCreated: Bool
    /// The current epoch of channel and group.
    var epoch: UInt64
    /// The log as it was seen so far, in this epoch. Nil until the place of the epoch's first entry is known.
    var view: LogView?
    /// The view at the epoch's begin.
    var epochBegin: LogView?
    /// The inviter's view at the begin of this device's first epoch, until that begins.
    var invitedView: LogView?
    /// The last entry up to which a member stated the same view as this device's.
    var agreedThrough: UInt64 = 0
    /// The value of ``agreedThrough`` when the epoch began.
    var agreedBeforeTurn: UInt64 = 0
    /// The epoch in which the user went on although the relay showed different logs. Views that cover it are not compared.
    var trustedEpoch: UInt64?
    var memberCount: Int
    /// The first entry that this device missed before it was added again.
    var missedFrom: UInt64?
    var readSeq: UInt64 = 0
    var unread = 0
    var lastActivityMs: UInt64 = 0
    /// Up to where the others were told that this device has read.
    var receiptSeq: UInt64 = 0
    /// Up to where members said that they have read. Kept for small conversations only.
    var readBy: [ContactID: UInt64] = [:]
    /// When this device renewed its leaf last, in milliseconds since 1970; 0 if it has not since it joined.
    var renewedAt: UInt64 = 0
    /// Entries since then.
    var entriesSinceRenewal = 0
    /// The relay showed different logs.
    var isSuspect = false
    /// Whether the other side knows where to reach this device for other conversations.
    var cardIsSent = false
    /// Whether the user takes part.
    var consent = Consent.given
    /// Whether another member has written to the log since this device is in the conversation.
    var hasAnswer = false
    /// Whether proposals wait in the group to be committed.
    var hasProposals = false
    var intents: [Intent] = []
    var nextIntent: UInt64 = 1
    var nextOutboxItem: UInt64 = 1

    /// The user's decision about a conversation.
    enum Consent: UInt8, Sendable {
        /// The user began it, was invited by a contact, or accepted it.
        case given = 0
        /// A stranger began it and the user has not accepted it.
        case pending
    }

    /// Whether a change waits that a device makes without having been asked. See ``CommitPolicy``.
    var isChanging: Bool { intents.contains { $0.change == .renew || $0.change == .commitProposals } }

    /// The last entry that was processed; 0 if there is none.
    var lastSeq: UInt64 { view?.seq ?? 0 }

    init(
        channel: ChannelID, relay: RelayID, title: String, contact: ContactID?, isDirect: Bool, isCreated: Bool,
        epoch: UInt64, memberCount: Int
    ) {
        self.channel = channel
        self.relay = relay
        self.title = title
        self.contact = contact
        self.isDirect = isDirect
        self.isCreated = isCreated
        self.epoch = epoch
        self.memberCount = memberCount
    }

    private static let version: UInt8 = 3

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        writer.write(channel)
        writer.write(relay.rawValue)
        writer.writeText(title)
        writer.writeOptional(contact?.rawValue)
        writer.write(isDirect)
        writer.write(status)
        writer.write(isCreated)
        writer.write(epoch)
        writer.writeOptional(view)
        writer.writeOptional(epochBegin)
        writer.write(UInt32(memberCount))
        writer.writeOptional(missedFrom)
        writer.write(readSeq)
        writer.write(UInt32(clamping: unread))
        writer.write(lastActivityMs)
        writer.write(receiptSeq)
        writer.writeNested { writer in
            for (contact, seq) in readBy.sorted(by: { $0.key < $1.key }) {
                writer.write(contact.rawValue)
                writer.write(seq)
            }
        }
        writer.write(renewedAt)
        writer.write(UInt32(clamping: entriesSinceRenewal))
        writer.write(isSuspect)
        writer.write(cardIsSent)
        writer.writeVector(intents)
        writer.write(nextIntent)
        writer.write(nextOutboxItem)
        writer.write(consent.rawValue)
        writer.write(hasAnswer)
        writer.write(hasProposals)
        writer.writeOptional(invitedView)
        writer.write(agreedThrough)
        writer.write(agreedBeforeTurn)
        writer.writeOptional(trustedEpoch)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "ConversationRecord.version", value: UInt64(version))
        }
        channel = try reader.read()
        relay = RelayID(rawValue: try reader.readUInt64())
        title = try reader.readText(limit: .max)
        contact = try reader.readOptional(UInt64.self).map(ContactID.init)
        isDirect = try reader.readPresence()
        status = try reader.read()
        isCreated = try reader.readPresence()
        epoch = try reader.readUInt64()
        if version < 3 {
            (view, epochBegin) = try Self.readViewsBeforeVersion3(&reader)
        } else {
            view = try reader.readOptional()
            epochBegin = try reader.readOptional()
        }
        memberCount = Int(try reader.readUInt32())
        missedFrom = try reader.readOptional()
        readSeq = try reader.readUInt64()
        unread = Int(try reader.readUInt32())
        lastActivityMs = try reader.readUInt64()
        receiptSeq = try reader.readUInt64()
        var nested = try reader.readNested()
        while !nested.isAtEnd { readBy[ContactID(rawValue: try nested.readUInt64())] = try nested.readUInt64() }
        renewedAt = try reader.readUInt64()
        entriesSinceRenewal = Int(try reader.readUInt32())
        isSuspect = try reader.readPresence()
        cardIsSent = try reader.readPresence()
        intents = try reader.readVector()
        nextIntent = try reader.readUInt64()
        nextOutboxItem = try reader.readUInt64()
        // Version 1 knew no pending conversations, and noted neither answers nor proposals.
        consent = version == 1 ? .given : try reader.readEnum("ConversationRecord.consent")
        hasAnswer = version == 1 ? true : try reader.readPresence()
        hasProposals = version == 1 ? true : try reader.readPresence()
        if version < 3 {
            agreedThrough = epochBegin?.seq ?? 0
            agreedBeforeTurn = agreedThrough
        } else {
            invitedView = try reader.readOptional()
            agreedThrough = try reader.readUInt64()
            agreedBeforeTurn = try reader.readUInt64()
            trustedEpoch = try reader.readOptional()
        }
        try reader.expectEnd()
    }

    /// Reads the two views of a record from before views went on over turns. All members of an epoch have its begin's hash, so
    /// that stands for the epoch before.
    private static func readViewsBeforeVersion3(
        _ reader: inout TLSReader
    ) throws(TLSCodecError) -> (view: LogView?, begin: LogView?) {
        func read() throws(TLSCodecError) -> (seq: UInt64, hash: [UInt8])? {
            guard try reader.readPresence() else { return nil }
            return (try reader.readUInt64(), Array(try reader.readBytes(32)))
        }
        let (view, begin) = (try read(), try read())
        let previous = begin?.hash ?? LogView.noPrevious
        func complete(_ old: (seq: UInt64, hash: [UInt8])?) -> LogView? {
            old.map { LogView(seq: $0.seq, hash: $0.hash, previous: previous) }
        }
        return (complete(view), complete(begin))
    }
}

/// A change of a group that this device wants to make, until it is made or has become pointless.
struct Intent: Hashable, Sendable, TLSCodable {
    enum Change: Hashable, Sendable {
        /// Add these people's devices, in place of older devices of theirs.
        case add([AddTarget])
        /// Remove all devices of an account.
        case remove(AccountKey)
        /// Renew this device's keys.
        case renew
        /// Commit what others proposed.
        case commitProposals
        /// Be removed.
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

/// Somebody who is to be added to a group.
struct AddTarget: Hashable, Sendable, TLSCodable {
    /// Where to find a key package, and to put the Welcome.
    let inbox: InboxAddress
    /// What to call the person, if it is a new contact.
    let alias: String?
    /// Why the key is believed, if it is a new contact.
    let trust: Trust

    init(inbox: InboxAddress, alias: String?, trust: Trust) {
        self.inbox = inbox
        self.alias = alias
        self.trust = trust
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        inbox = try reader.read()
        alias = try reader.readPresence() ? try reader.readText(limit: .max) : nil
        trust = try reader.readEnum("Trust")
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(inbox)
        writer.write(alias != nil)
        if let alias { writer.writeText(alias) }
        writer.write(trust.rawValue)
    }
}

extension TLSWriter {
    /// Writes a truth value as a presence octet.
    mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }
}

extension ConversationStatus: TLSCodable {
    /// Reads what was stored.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 0: self = .preparing
        case 1: self = .active
        case 2: self = .removed(by: try reader.readText(limit: .max))
        case 3: self = .left
        case 4: self = .stopped(seq: try reader.readUInt64(), reason: try reader.readEnum("StopReason"))
        case let other: throw .unknownValue(field: "ConversationStatus", value: UInt64(other))
        }
    }

    /// Writes it for the store.
    public func encode(into writer: inout TLSWriter) {
        switch self {
        case .preparing: writer.write(UInt8(0))
        case .active: writer.write(UInt8(1))
        case .removed(let by):
            writer.write(UInt8(2))
            writer.writeText(by)
        case .left: writer.write(UInt8(3))
        case .stopped(let seq, let reason):
            writer.write(UInt8(4))
            writer.write(seq)
            writer.write(reason.rawValue)
        }
    }
}
