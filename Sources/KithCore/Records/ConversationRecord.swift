import KithWire
import TLSCodec

/// The small part of a conversation, which changes with every entry. Its group, its log and its outbox are elsewhere. It changes only by
/// what happens to the conversation: the methods below.
struct ConversationRecord: Sendable {
    let channel: ChannelID
    let relay: RelayID
    /// The group's name; empty for a conversation of two.
    private(set) var title: String
    /// The other person of a conversation of two.
    private(set) var contact: ContactID?
    private(set) var isDirect: Bool
    private(set) var status: ConversationStatus = .preparing
    /// Whether the relay has the channel, if this device makes it.
    private(set) var isCreated: Bool
    /// The current epoch of channel and group.
    private(set) var epoch: UInt64
    /// The log as it was seen so far, in this epoch. Nil until the place of the epoch's first entry is known.
    private(set) var view: LogView?
    /// The view at the epoch's begin.
    private(set) var epochBegin: LogView?
    /// The inviter's view at the begin of this device's first epoch, until that begins.
    private(set) var invitedView: LogView?
    /// The last entry up to which a member stated the same view as this device's.
    private(set) var agreedThrough: UInt64 = 0
    /// The value of ``agreedThrough`` when the epoch began.
    private(set) var agreedBeforeTurn: UInt64 = 0
    /// The epoch in which the user went on although the relay showed different logs. Views that cover it are not compared.
    private(set) var trustedEpoch: UInt64?
    private(set) var memberCount: Int
    /// The first entry that this device missed before it was added again.
    private(set) var missedFrom: UInt64?
    private(set) var readSeq: UInt64 = 0
    private(set) var unread = 0
    private(set) var lastActivityMs: UInt64 = 0
    /// Up to where the others were told that this device has read.
    private(set) var receiptSeq: UInt64 = 0
    /// Up to where members said that they have read. Kept for small conversations only.
    private(set) var readBy: [ContactID: UInt64] = [:]
    /// When this device renewed its leaf last, in milliseconds since 1970; 0 if it has not since it joined.
    private(set) var renewedAt: UInt64 = 0
    /// Entries since then.
    private(set) var entriesSinceRenewal = 0
    /// The relay showed different logs.
    private(set) var isSuspect = false
    /// Whether the other side knows where to reach this device for other conversations.
    private(set) var cardIsSent = false
    /// Whether the user takes part.
    private(set) var consent = Consent.given
    /// Whether another member has written to the log since this device is in the conversation.
    private(set) var hasAnswer = false
    /// Whether proposals wait in the group to be committed.
    private(set) var hasProposals = false
    private(set) var intents: [Intent] = []
    private(set) var nextIntent: UInt64 = 1
    private(set) var nextOutboxItem: UInt64 = 1

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
        epoch: UInt64, memberCount: Int, consent: Consent = .given
    ) {
        self.channel = channel
        self.relay = relay
        self.title = title
        self.contact = contact
        self.isDirect = isDirect
        self.isCreated = isCreated
        self.epoch = epoch
        self.memberCount = memberCount
        self.consent = consent
    }

    // MARK: The way in and out

    /// The relay has made the channel.
    mutating func didCreateChannel() { isCreated = true }

    /// The log of a new channel begins.
    mutating func begin(with view: LogView) {
        self.view = view
        epochBegin = view
    }

    /// The log begins for a device that has joined.
    ///
    /// - Returns: the view that the inviter stated.
    mutating func begin(afterJoining view: LogView) -> LogView? {
        defer { invitedView = nil }
        begin(with: view)
        agreedThrough = view.seq
        agreedBeforeTurn = view.seq
        readSeq = max(readSeq, view.seq)
        return invitedView
    }

    /// Everything is ready.
    mutating func activate() { status = .active }

    /// This device has joined with a Welcome.
    mutating func didJoin(_ invited: LogView) {
        status = .active
        invitedView = invited
        hasAnswer = true
    }

    /// It is a conversation of two.
    mutating func becomeDirect(with contact: ContactID?) {
        isDirect = true
        title = ""
        self.contact = contact
    }

    /// The other person of a conversation of two is known.
    mutating func didMeet(_ contact: ContactID) { self.contact = contact }

    /// The other person has another key now: what was said with the old one stays with the old one.
    mutating func keepOldKey(of name: String) {
        contact = nil
        title = "\(name) (old key)"
    }

    /// The user takes part.
    mutating func accept() { consent = .given }

    /// This device is out of the conversation, for good or until it is added again.
    mutating func end(_ status: ConversationStatus) { self.status = status }

    /// The person who could not be reached is invited anew. The relay may have let go of the channel, in which nothing was ever said.
    mutating func beginAgain() {
        status = .preparing
        isCreated = false
    }

    /// A Welcome brings this device back, in a later epoch.
    mutating func rejoin(epoch: UInt64, memberCount: Int, title: String) {
        // A pending conversation has no history yet.
        if view != nil { missedFrom = lastSeq + 1 }
        view = nil
        epochBegin = nil
        self.epoch = epoch
        self.memberCount = memberCount
        renewedAt = 0
        isSuspect = false
        trustedEpoch = nil
        intents = []
        if !isDirect { self.title = title }
    }

    /// The first entry that this device missed before it was added again, once.
    mutating func takeMissedFrom() -> UInt64? {
        defer { missedFrom = nil }
        return missedFrom
    }

    /// The record as a new device knows it: all but what only a member has.
    var restored: ConversationRecord {
        var record = self
        switch status {
        case .preparing, .active: record.status = .stopped(seq: lastSeq, reason: .restored)
        // The place is history; the way back is the same for all.
        case .stopped(let seq, _): record.status = .stopped(seq: seq, reason: .restored)
        case .removed, .left: break
        }
        record.epochBegin = nil
        record.intents = []
        record.cardIsSent = false
        record.renewedAt = 0
        record.receiptSeq = readSeq
        return record
    }

    // MARK: The log

    /// An entry was processed that did not end the epoch.
    mutating func advance(to view: LogView) {
        self.view = view
        entriesSinceRenewal += 1
    }

    /// The last entry of an epoch was processed, and no other epoch begins for this device.
    mutating func stand(at view: LogView) { self.view = view }

    /// A turn was processed: another epoch begins.
    mutating func enter(_ epoch: UInt64, begin: LogView, memberCount: Int) {
        self.epoch = epoch
        self.memberCount = memberCount
        advance(to: begin)
        epochBegin = begin
        agreedBeforeTurn = agreedThrough
    }

    /// A turn of this device's own was processed, in which it renewed its keys.
    mutating func didRenew(at wall: UInt64) {
        renewedAt = max(1, wall)
        entriesSinceRenewal = 0
        if status == .preparing { status = .active }
    }

    /// A member stated the same view as this device's.
    mutating func agree(through seq: UInt64) { agreedThrough = max(agreedThrough, seq) }

    /// The relay showed different logs: sending waits for the user.
    mutating func suspect() { isSuspect = true }

    /// The user goes on although the relay showed different logs. What was before the next epoch is not compared again.
    mutating func trust() {
        if isSuspect { trustedEpoch = epoch }
        isSuspect = false
    }

    /// Whether proposals wait in the group.
    mutating func note(hasProposals: Bool) { self.hasProposals = hasProposals }

    // MARK: What is said

    /// A group has another name.
    mutating func rename(_ title: String) { self.title = title }

    /// Another member has written to the log.
    mutating func didHear() { hasAnswer = true }

    /// Something came that people say.
    mutating func didReceive() { unread += 1 }

    /// Something was shown that people say.
    ///
    /// - Parameter ms: the relay's clock when it came, in milliseconds since 1970.
    mutating func didShow(at ms: UInt64) { lastActivityMs = ms }

    /// The user has read everything up to an entry.
    mutating func didRead(through seq: UInt64, unread: Int) {
        readSeq = seq
        self.unread = unread
    }

    /// The others are told up to where this device has read.
    mutating func didSendReceipt(through seq: UInt64) { receiptSeq = seq }

    /// A member says that it has read everything up to an entry.
    mutating func didRead(by contact: ContactID, through seq: UInt64) { readBy[contact] = seq }

    /// The other person is told where to reach this device.
    mutating func didSendCard() { cardIsSent = true }

    /// A number for the next item of the outbox.
    mutating func takeOutboxNumber() -> UInt64 {
        defer { nextOutboxItem += 1 }
        return nextOutboxItem
    }

    // MARK: Intents

    /// Adds a change to what this device wants to make of the group.
    ///
    /// - Returns: the intent's number.
    mutating func want(_ change: Intent.Change) -> UInt64 {
        defer { nextIntent += 1 }
        intents.append(Intent(id: nextIntent, change: change))
        return nextIntent
    }

    func intent(_ id: UInt64) -> Intent? { intents.first { $0.id == id } }

    /// Only these are still to be added by an intent.
    mutating func keep(_ targets: [AddTarget], of id: UInt64) {
        guard let index = intents.firstIndex(where: { $0.id == id }) else { return }
        intents[index].change = .add(targets)
    }

    /// An intent is done, or has become pointless.
    mutating func remove(intent id: UInt64) { intents.removeAll { $0.id == id } }

    /// Nothing is wanted any more.
    mutating func removeIntents() { intents = [] }

    static let version: UInt8 = 3

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
}
