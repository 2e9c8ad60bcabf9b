import KithWire
import MLS

// The outbox: the items that this device sends. Each item stays in the outbox until the log has the item.

extension ConversationMachine {
    /// Stores an item that has to be sent. ``advance(in:)`` sends it as soon as possible.
    mutating func enqueue(_ item: OutboxItem, in device: inout DeviceState) {
        outbox.append(item, as: record.takeOutboxNumber(), in: &device.step)
        markDirty(in: &device)
    }

    /// Stores content that has to be sent.
    private mutating func enqueue(_ body: Content.Body, in device: inout DeviceState) {
        enqueue(
            OutboxItem(entryID: .random(from: device.random), sentAt: device.wall, body: .content(body)), in: &device)
    }

    /// Returns an item as a message that is not in the log yet; `nil` if the item has neither a text nor files.
    func queuedMessage(_ item: OutboxItem) -> Message? {
        let body: Message.Body
        switch item.body {
        case .content(.text(let text)): body = .text(text.text)
        case .content(.files(let files)): body = .files(MessageFiles(files))
        default: return nil
        }
        var message = Message(
            id: item.entryID, conversation: id, seq: nil, author: .me, body: body, sentAtMs: item.sentAt,
            replyTo: item.replyTo, delivery: acknowledged.contains(item.entryID) ? .onRelay : .queued, warnings: [])
        message.expiresAfter = item.attempt?.expiresAfter ?? item.expiresAfter ?? record.timer
        return message
    }

    /// The user's messages in the outbox.
    var queuedMessages: [Message] { outbox.items.compactMap(queuedMessage) }

    // MARK: Commands

    /// Returns the reason why the user can send nothing in an open conversation now; `nil` if the user can send.
    func obstacle(_ contacts: ContactBook) -> KithError? {
        if record.isSuspect { return .suspect }
        if isLeaving { return .conversation(.left) }
        // All other members have left, so the text would wait for ever.
        if isLeftAlone { return .membership(.leftAlone) }
        guard let person = record.contact.flatMap({ contacts[$0] }) else { return nil }
        if person.isBlocked { return .blocked(person.name) }
        guard let other = person.conflictingKey else { return nil }
        return .keyChanged(contact: person.name, pinned: person.accountKey.fingerprint, found: other.fingerprint)
    }

    /// Adds a message to the outbox. The caller has checked that ``obstacle(_:)`` returns `nil`.
    mutating func send(
        _ message: OutgoingMessage, _ ticket: Ticket<EntryID>?, in device: inout DeviceState
    ) throws(KithError) {
        var body = message.body
        switch body {
        case .text(let text): body = .text(try mentioning(text, in: &device))
        case .change(.edit(let text), let target):
            body = .change(.edit(try mentioning(text, in: &device)), of: target)
        default: break
        }
        let item = OutboxItem(
            entryID: message.id, sentAt: device.wall, replyTo: message.replyTo,
            expiresAfter: message.expiresAfter, body: .content(body))
        if let ticket { device.step.finish(ticket, .success(item.entryID)) }
        try send(item, in: &device)
    }

    /// Adds a message to the outbox.
    mutating func send(_ item: OutboxItem, in device: inout DeviceState) throws(KithError) {
        enqueue(item, in: &device)
        if let message = queuedMessage(item) { device.emit(.message(message)) }
        try advance(in: &device)
    }

    /// Returns a text together with the mentions of members in the text. Reads the group only if the text has an `@`.
    private mutating func mentioning(
        _ text: MessageText, in device: inout DeviceState
    ) throws(KithError) -> MessageText {
        guard text.mentions.isEmpty, text.text.utf8.contains(UInt8(ascii: "@")),
            try keptGroup.isKnown(in: device.store)
        else { return text }
        let accounts = Set(try group(in: &device).group.memberAccounts)
        var people: [(name: String, account: AccountFingerprint)] = []
        for account in accounts {
            let name = account == device.account ? device.identity.name : device.contacts[account]?.name
            if let name { people.append((name, account.fingerprint)) }
        }
        return MessageText(text.text, mentioning: people)
    }

    /// Sends the new title of a group.
    mutating func rename(
        _ title: String, _ ticket: Ticket<ConversationID>, in device: inout DeviceState
    ) throws(KithError) {
        enqueue(.title(title), in: &device)
        device.step.finish(ticket, .success(id))
        try advance(in: &device)
    }

    /// Marks everything up to a seq as read.
    ///
    /// - Parameter sendsReceipt: whether to tell the other members.
    mutating func markRead(
        through seq: UInt64, sendsReceipt: Bool, in device: inout DeviceState
    ) throws(KithError) {
        let seq = min(seq, record.lastSeq)
        guard seq > record.readSeq else { return }
        let before = record.unread
        record.didRead(through: seq, unread: seq >= record.lastSeq ? 0 : try countUnread(after: seq, in: &device))
        markDirty(in: &device)
        try emitSummary(in: &device)
        guard sendsReceipt, mayAct, before > record.unread, record.status == .active,
            hasSmallGroup, seq > record.receiptSeq,
            !record.isBlocked(device.contacts)
        else { return }
        record.didSendReceipt(through: seq)
        enqueue(.receipt(readThrough: seq), in: &device)
        try advance(in: &device)
    }

    private func countUnread(after seq: UInt64, in device: inout DeviceState) throws(KithError) -> Int {
        let unread = try device.entries(of: id, seq + 1...StoreKey.highest, limit: .max, newestFirst: false)
        return unread.count { $0.record.map { $0.author != .me && $0.body.isForPeople } ?? false }
    }

    /// Allows sending again after the user has seen the warning that the relay has shown different logs. Also renews this
    /// device's keys, which opens an epoch in which all members begin with the same view. Views of earlier epochs are not
    /// compared any more.
    mutating func trustLog(_ ticket: Ticket<ConversationID>, in device: inout DeviceState) throws(KithError) {
        record.trust()
        markDirty(in: &device)
        if record.status == .active, record.memberCount > 1 { enqueueIntent(.renew, in: &device) }
        device.step.finish(ticket, .success(id))
        try emitSummary(in: &device)
        try advance(in: &device)
    }

    // MARK: Sending

    /// Sends waiting items in order. At most ``ClientLimits/messagesInFlight`` items wait for an answer at the same time.
    mutating func sendOutbox(in device: inout DeviceState) throws(KithError) {
        dropBlocked(in: &device)
        let loaded = try group(in: &device)
        let waits = needsDecision(device.contacts)
        for item in outbox.items {
            guard sync.inFlight.count < ClientLimits.messagesInFlight else { return }
            guard !sync.inFlight.contains(item.entryID), !sync.isTooLarge(item.entryID),
                !acknowledged.contains(item.entryID)
            else { continue }
            if item.isCard, record.isBlocked(device.contacts) { continue }
            if item.body != .leaveProposal, waits || mustChangeFirst(loaded.group) { continue }
            if case .privateRequest(_, let account) = item.body, loaded.group.leaves(of: account).isEmpty {
                dropRequest(item, in: &device)
                continue
            }
            var attempt = item.attempt
            if attempt == nil, let fresh = try encrypt(item, loaded, in: device) {
                outbox.encrypted(item.entryID, as: fresh, in: &device.step)
                markDirty(in: &device)
                attempt = fresh
            }
            guard let attempt else { return }
            sync.didSend(item.entryID)
            request(
                .append(
                    channel: record.channel, epoch: attempt.epoch, id: item.entryID, payload: attempt.payload[...]),
                .append(item.entryID), in: &device)
        }
    }

    /// Whether the group has to change before the next message, because this device's keys are not renewed yet, a proposal is not
    /// committed yet, or there is no other member.
    private func mustChangeFirst(_ group: Group) -> Bool {
        !group.pendingProposals.isEmpty || (record.renewedAt == 0 && record.memberCount > 1) || record.memberCount < 2
    }

    /// Returns the content of an item; `nil` for a proposal to leave, and for a private request whose recipient is no member.
    /// The content of a private request is encrypted to the recipient's leaf in this epoch.
    private func contentBody(
        of item: OutboxItem, _ group: Group, in device: DeviceState
    ) throws(KithError) -> Content.Body? {
        switch item.body {
        case .content(let body): return body
        case .leaveProposal: return nil
        case .privateRequest(let request, let account):
            guard let leaf = group.leaves(of: account).first.flatMap({ group.tree[$0] }) else { return nil }
            return .privateRequest(
                try request.sealed(to: leaf, in: item.entryID, of: group, random: device.random))
        }
    }

    /// Drops a private request whose recipient is no member any more, or is blocked.
    private mutating func dropRequest(_ item: OutboxItem, in device: inout DeviceState) {
        guard case .privateRequest(_, let account) = item.body else { return }
        _ = outbox.remove(item.entryID, in: &device.step)
        markDirty(in: &device)
        if let contact = device.contacts[account] { device.contacts.setWaiting(nil, for: contact.id, in: &device.step) }
    }

    /// Drops the items of the outbox that are for people whom the user has blocked, and reports each message among them.
    mutating func dropBlocked(in device: inout DeviceState) {
        let policy = BlockPolicy(isBlocked: record.isBlocked(device.contacts), isLive: sync.isLive)
        for item in outbox.items {
            let isUnderWay = sync.inFlight.contains(item.entryID) || acknowledged.contains(item.entryID)
            guard policy.drops(item, isUnderWay: isUnderWay, hasBlocked: { device.contacts.hasBlocked($0) }) else {
                continue
            }
            device.step.erase()
            if case .privateRequest = item.body {
                dropRequest(item, in: &device)
                continue
            }
            device.deleteAtRelay(item.blobs)
            _ = outbox.remove(item.entryID, in: &device.step)
            markDirty(in: &device)
            if queuedMessage(item) != nil { emit(.notSentToBlocked(item.entryID), in: &device) }
        }
    }

    private func encrypt(
        _ item: OutboxItem, _ loaded: LoadedGroup, in device: DeviceState
    ) throws(KithError) -> OutboxItem.Attempt? {
        guard let view = record.view else { return nil }
        let message: MLSMessage
        // By now, this device knows the conversation's timer.
        let expiresAfter = item.expiresAfter ?? (queuedMessage(item) == nil ? nil : record.timer)
        switch item.body {
        case .leaveProposal:
            message = try loaded.proposeLeaving(in: device.environment)
        case .content, .privateRequest:
            guard let body = try contentBody(of: item, loaded.group, in: device) else { return nil }
            let content = Content(
                messageID: item.entryID, sentAt: item.sentAt, view: view, replyTo: item.replyTo,
                expiresAfter: expiresAfter, body: body)
            guard let padded = ContentPadding.pad(content.encoded) else {
                throw .tooLong(limit: ClientLimits.paddedContent)
            }
            message = try loaded.encrypt(padded, in: device.environment)
        }
        return OutboxItem.Attempt(epoch: record.epoch, payload: message.encoded, expiresAfter: expiresAfter)
    }

    mutating func didAppend(
        _ entry: EntryID, _ result: Result<Reply, RelayError>, in device: inout DeviceState
    ) throws(KithError) {
        // A turn came first. When the log delivers the turn, the item is encrypted again. Until then, the item counts as sent.
        if case .failure(let error) = result, error.code == .staleEpoch { return }
        let wasInFlight = sync.inFlight.contains(entry)
        sync.didLand(entry)
        switch result {
        case .success(.accepted(let seq)):
            // The log may already have delivered the entry.
            guard let item = outbox.item(entry) else { break }
            if seq <= record.lastSeq {
                // The relay states a position where this device has read another entry, or a position that does not exist.
                if wasInFlight, try !wasSaidBefore(entry, seq, in: &device) {
                    try warn(.notKept(seq: seq), in: &device)
                }
                break
            }
            acknowledged.add(entry, seq: seq, at: device.now)
            if let line = queuedMessage(item) { device.emit(.message(line)) }
        case .success: break
        case .failure(let error):
            switch error.code {
            case .tooLarge: drop(entry, limit: error.detail, in: &device)
            case .gone: try stop(.closed, in: &device)
            case .denied: try stop(.denied, in: &device)
            default: sync.pause(until: device.now + error.retryDelayMs)
            }
        }
        try advance(in: &device)
    }

    /// Drops a text that is too long for the relay, and tells the user. Items that Kith itself creates are kept for another
    /// connection, on which the relay may accept larger items.
    private mutating func drop(_ entry: EntryID, limit: UInt64, in device: inout DeviceState) {
        guard let item = outbox.item(entry), queuedMessage(item) != nil else {
            return sync.setAside(tooLarge: entry)
        }
        device.deleteAtRelay(item.blobs)
        _ = outbox.remove(entry, in: &device.step)
        markDirty(in: &device)
        emit(.longerThanRelayTakes(entry, limit: limit), in: &device)
    }

    /// If the log already has an item, moves the item from the outbox to the history. A device that was removed and added again
    /// may have an item both in the outbox and in the log: the device sent the item before its removal, got no answer, and missed
    /// the part of the log with the item.
    ///
    /// - Returns: whether the log has the item.
    private mutating func wasSaidBefore(
        _ entry: EntryID, _ seq: UInt64, in device: inout DeviceState
    ) throws(KithError) -> Bool {
        let place = EntryPlace(conversation: id, seq: seq)
        guard let begin = record.epochBegin, outbox.item(entry) != nil,
            try reading({ () throws(StoreError) in try device.store.value(place.key) }) == nil,
            let item = outbox.remove(entry, in: &device.step)
        else { return false }
        markDirty(in: &device)
        let body: EntryRecord.Body
        switch item.body {
        case .content(.text(let text)): body = .text(text)
        case .content(.files(let files)): body = .files(files)
        case .content(.change(let change, let target)):
            body = .change(EntryRecord.ChangeNote(change, of: target.seq, isApplied: false))
        default: return true
        }
        let said = Entry(
            seq: seq, epoch: record.epoch, kind: .message, receivedAtMs: item.sentAt, id: entry, payload: [])
        // Views are never compared in the part of the log that this device missed.
        var noted = EntryRecord(
            said, view: begin, author: .me, sentAtMs: item.sentAt, replyTo: item.replyTo,
            expiresAfter: item.attempt?.expiresAfter ?? item.expiresAfter ?? record.timer, body: body)
        noted.account = device.account
        noted.blobs = item.blobs
        if case .content(.change(let change, let target)) = item.body {
            let logged = LoggedChange(change, of: target, by: noted, at: seq)
            noted.body = try logged.apply(to: &record, of: id, in: &device)
        }
        try note(noted, at: said, in: &device)
        return true
    }

    // MARK: Contact cards

    /// Schedules the contact card for the other person of a conversation of two. The card is sent after the input has been
    /// handled, because its inbox may have to be created first.
    ///
    /// - Parameter isAgain: whether to send the card although it was already sent. If the other person's device was restored from
    ///   a backup, the device no longer has the earlier card.
    mutating func scheduleCard(isAgain: Bool = false, in device: inout DeviceState) {
        guard record.isDirect, isAgain || !record.cardIsSent, record.contact != nil else { return }
        device.step.sendCard(in: id)
    }

    /// Sends the contact card with the address of the inbox that was created for the other person. Sends nothing if `address` is
    /// `nil`.
    mutating func sendCard(_ address: InboxAddress?, in device: inout DeviceState) throws(KithError) {
        guard let address else { return finishInvitations(in: &device) }
        record.didSendCard()
        enqueue(.contactCard(address), in: &device)
        try advance(in: &device)
    }
}
