import KithWire
import TLSCodec

/// The part of a conversation's stored data that is small and changes with every entry. The group, the log and the outbox are
/// stored separately. Each method that changes the record is called for one kind of event in the conversation.
struct ConversationRecord: Sendable {
    let channel: ChannelID
    let relay: RelayID
    /// The group's name. Empty for a conversation of two.
    private(set) var title: String
    /// The other person of a conversation of two; `nil` for a group, or if the person is not known yet.
    private(set) var contact: ContactID?
    private(set) var isDirect: Bool
    private(set) var status: ConversationStatus = .preparing
    /// Whether the channel exists at the relay. False until the relay has created the channel for this device.
    private(set) var isCreated: Bool
    /// The current epoch of the channel and the group.
    private(set) var epoch: UInt64
    /// The current view of the log in this epoch; `nil` until the position of the epoch's first entry is known.
    private(set) var view: LogView?
    /// The view at the start of the epoch.
    private(set) var epochBegin: LogView?
    /// The inviter's view at the start of this device's first epoch; `nil` once this device has begun to follow the log.
    private(set) var invitedView: LogView?
    /// The highest seq up to which another member's view of the log was equal to this device's.
    private(set) var agreedThrough: UInt64 = 0
    /// The value of ``agreedThrough`` at the start of the epoch.
    private(set) var agreedBeforeTurn: UInt64 = 0
    /// The epoch in which the user continued although the relay had shown different logs. For entries up to the end of that
    /// epoch, members' views are not compared.
    private(set) var trustedEpoch: UInt64?
    private(set) var memberCount: Int
    /// The seq of the first entry that this device missed before it was added to the conversation again; `nil` if it missed
    /// none.
    private(set) var missedFrom: UInt64?
    private(set) var readSeq: UInt64 = 0
    private(set) var unread = 0
    private(set) var lastActivityMs: UInt64 = 0
    /// The seq of the last entry for which this device sent a read receipt.
    private(set) var receiptSeq: UInt64 = 0
    var readBy = ReadProgress()
    /// The time at which this device last renewed its leaf, in milliseconds since 1970; 0 if the device has not renewed its leaf
    /// since it joined.
    private(set) var renewedAt: UInt64 = 0
    /// The number of entries since ``renewedAt``.
    private(set) var entriesSinceRenewal = 0
    /// Whether the relay has shown different logs to members.
    private(set) var isSuspect = false
    /// Whether this device has sent the other person an address at which it can be invited to new conversations.
    private(set) var cardIsSent = false
    /// The user's consent to the conversation.
    private(set) var consent = Consent.given
    /// Whether another member has invited this device, or has written to the log. In a conversation of two, an invitation or an
    /// entry counts only if it came after this device last added the other person's device.
    private(set) var hasAnswer = false
    /// Whether the group has proposals that have to be committed.
    private(set) var hasProposals = false
    /// The time after which new messages expire, in seconds; `nil` for never.
    private(set) var timer: UInt32?
    var pins = PinnedMessages()
    var listing = ConversationListing()
    /// The request with which a stranger began the conversation; `nil` if the conversation is not pending.
    var request: ContactRequest?
    /// The changes of the group that this device wants to make, in the order of the requests for them.
    var intents = PendingIntents()
    private(set) var nextOutboxItem: UInt64 = 1

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

    /// Called when the relay has created the channel.
    mutating func didCreateChannel() { isCreated = true }

    /// Called when the log of a new channel begins.
    mutating func begin(with view: LogView) {
        self.view = view
        epochBegin = view
    }

    /// Called when the log begins for a device that has joined.
    ///
    /// - Returns: the inviter's view; `nil` if there is none.
    mutating func begin(afterJoining view: LogView) -> LogView? {
        defer { invitedView = nil }
        begin(with: view)
        agreedThrough = view.seq
        agreedBeforeTurn = view.seq
        readSeq = max(readSeq, view.seq)
        return invitedView
    }

    /// Called when the conversation can be used.
    mutating func activate() { status = .active }

    /// Called when this device has joined with a Welcome.
    ///
    /// - Parameter timer: the time after which the conversation's messages expire, in seconds, according to the inviter.
    mutating func didJoin(_ invited: LogView, timer: UInt32?) {
        status = .active
        self.timer = timer
        invitedView = invited
        hasAnswer = true
    }

    /// Called when it becomes known that this is a conversation of two.
    mutating func becomeDirect(with contact: ContactID?) {
        isDirect = true
        title = ""
        self.contact = contact
    }

    /// Called when the other person of a conversation of two becomes known.
    mutating func didMeet(_ contact: ContactID) { self.contact = contact }

    /// Called when the conversation of two no longer belongs to its contact. The conversation gets a title of its own.
    mutating func separate(as title: String) {
        contact = nil
        self.title = title
    }

    /// Called when the user has accepted the conversation.
    mutating func accept() { (consent, request) = (.given, nil) }

    /// Called when this device can no longer use the conversation, for good or until it is added again.
    mutating func end(_ status: ConversationStatus) { (self.status, request) = (status, nil) }

    /// Called when a person who could not be reached is invited again. The relay may have dropped the channel, because it has no
    /// entries and was not used for some time.
    mutating func beginAgain() {
        status = .preparing
        isCreated = false
    }

    /// Called when this device has joined again with a Welcome, in a later epoch.
    mutating func rejoin(epoch: UInt64, memberCount: Int, title: String) {
        // A pending conversation has no history yet, so nothing was missed.
        if view != nil { missedFrom = lastSeq + 1 }
        view = nil
        epochBegin = nil
        self.epoch = epoch
        self.memberCount = memberCount
        renewedAt = 0
        isSuspect = false
        trustedEpoch = nil
        intents.removeAll()
        if !isDirect { self.title = title }
    }

    /// Returns ``missedFrom``, and sets it to `nil`.
    mutating func takeMissedFrom() -> UInt64? {
        defer { missedFrom = nil }
        return missedFrom
    }

    /// The record as a backup contains it, without the values that only a member has. The device that restores the backup is new
    /// and not yet a member.
    var restored: ConversationRecord {
        var record = self
        switch status {
        case .preparing, .active: record.status = .stopped(seq: lastSeq, reason: .restored)
        // The seq is kept, because it belongs to the history. The remedy is the same for all reasons.
        case .stopped(let seq, _): record.status = .stopped(seq: seq, reason: .restored)
        case .removed, .replaced, .left: break
        }
        record.epochBegin = nil
        record.intents.removeAll()
        record.request = nil
        record.cardIsSent = false
        record.renewedAt = 0
        record.receiptSeq = readSeq
        return record
    }

    // MARK: The log

    /// Called when an entry that did not end the epoch was processed.
    mutating func advance(to view: LogView) {
        self.view = view
        entriesSinceRenewal += 1
    }

    /// Called when the last entry of an epoch was processed and this device does not enter the next epoch.
    mutating func stand(at view: LogView) { self.view = view }

    /// Called when a turn was processed and the next epoch begins.
    mutating func enter(_ epoch: UInt64, begin: LogView, memberCount: Int) {
        self.epoch = epoch
        self.memberCount = memberCount
        advance(to: begin)
        epochBegin = begin
        agreedBeforeTurn = agreedThrough
    }

    /// Called when a turn with a renewal of this device's keys was processed.
    mutating func didRenew(at wall: UInt64) {
        renewedAt = max(1, wall)
        entriesSinceRenewal = 0
        if status == .preparing { status = .active }
    }

    /// Called when a member's view of the log up to an entry was equal to this device's.
    mutating func agree(through seq: UInt64) { agreedThrough = max(agreedThrough, seq) }

    /// Called when the relay has shown different logs to members. Nothing is sent until the user decides.
    mutating func suspect() { isSuspect = true }

    /// Called when the user continues although the relay has shown different logs. For entries before the next epoch, members'
    /// views are not compared again.
    mutating func trust() {
        if isSuspect { trustedEpoch = epoch }
        isSuspect = false
    }

    /// Notes whether the group has proposals that have to be committed.
    mutating func note(hasProposals: Bool) { self.hasProposals = hasProposals }

    // MARK: What is said

    /// Called when the group was renamed.
    mutating func rename(_ title: String) { self.title = title }

    /// Called when a member has set the time after which new messages expire, in seconds.
    mutating func setTimer(_ seconds: UInt32?) { timer = seconds }

    /// Called when another member has written to the log.
    mutating func didHear() { hasAnswer = true }

    /// Called when this device has added a device of the other person to a conversation of two.
    mutating func didInvite() { hasAnswer = false }

    /// Called when a text, files, or content of an unknown kind was received from another member.
    mutating func didReceive() {
        unread += 1
        listing.didReceive()
    }

    /// Called when a message that the user had not read was deleted.
    mutating func didDeleteUnread() { unread = max(0, unread - 1) }

    /// Called when the user has deleted a message on this device.
    mutating func forgetMessage(_ seq: UInt64, wasUnread: Bool) {
        pins.remove(seq)
        if wasUnread { didDeleteUnread() }
    }

    /// Called when a text, files, or content of an unknown kind was added to the history.
    ///
    /// - Parameter ms: the time at which the relay received the message, by the relay's clock, in milliseconds since 1970.
    mutating func didShow(at ms: UInt64) { lastActivityMs = ms }

    /// Called when the user has read everything up to an entry.
    mutating func didRead(through seq: UInt64, unread: Int) {
        readSeq = seq
        self.unread = unread
    }

    /// Called when a read receipt was queued.
    mutating func didSendReceipt(through seq: UInt64) { receiptSeq = seq }

    /// Called when the contact card with this device's address for the other person was queued.
    mutating func didSendCard() { cardIsSent = true }

    /// Returns the number for the next item of the outbox.
    mutating func takeOutboxNumber() -> UInt64 {
        defer { nextOutboxItem += 1 }
        return nextOutboxItem
    }

    // MARK: Storing

    static let version: UInt8 = 5

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
        readBy = try ReadProgress(from: &reader, hasJoins: version >= 5)
        renewedAt = try reader.readUInt64()
        entriesSinceRenewal = Int(try reader.readUInt32())
        isSuspect = try reader.readPresence()
        cardIsSent = try reader.readPresence()
        intents = try PendingIntents(from: &reader)
        nextOutboxItem = try reader.readUInt64()
        // Version 1 had no pending conversations. That version stored neither whether there was an answer nor whether there were
        // proposals.
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
        if version >= 4 {
            timer = try reader.readOptional()
            pins = try reader.read()
            listing = try reader.read()
            request = try reader.readOptional()
        }
        try reader.expectEnd()
    }
}
