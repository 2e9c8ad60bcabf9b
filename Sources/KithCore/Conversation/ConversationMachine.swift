import KithWire
import MLS

/// A conversation: its record, its group, its outbox, and its place in the log. A ``ConversationTable/Place`` holds the machine
/// and passes inputs to it. Other machines can only read it.
///
/// One rule makes the machine correct: the group and its history change only when an entry of the log is processed. The rule
/// applies to this device's own entries too, which take effect only when the log delivers them. An answer to a request only
/// decides when the next attempt is made, or stops the conversation.
struct ConversationMachine {
    let id: ConversationID
    var record: ConversationRecord
    var outbox: Outbox
    private(set) var keptGroup: KeptGroup
    var sync = SyncState.offline(retryAt: nil)
    var acknowledged = Acknowledgements()
    var keyPackages = KeyPackageFetches()
    var comparison: ViewComparison
    var history: ConversationHistory
    var presence = Presence()
    var typists = Typists()
    /// Whether the conversation was deleted and has to be removed from the table.
    private(set) var isDiscarded = false

    init(id: ConversationID, record: ConversationRecord) {
        self.id = id
        self.record = record
        outbox = Outbox(of: id)
        keptGroup = KeptGroup(of: id)
        comparison = ViewComparison(of: id)
        history = ConversationHistory(of: id)
    }

    // MARK: Reading

    /// Whether this device may follow the log, send to it and answer in it. This is checked before every action that others could
    /// notice.
    var mayAct: Bool { record.consent == .given }

    /// Whether the conversation waits for the user's consent. Before the consent, no action of this device shows that the
    /// inviter's letter was read. The inbox's daily trim still shows that the device is online.
    var isPending: Bool { !mayAct && record.status.isOpen }

    /// Whether this device has asked the others to remove it.
    var isLeaving: Bool { record.intents.contains { $0.change == .leave } }

    /// Whether all other members have left and nobody is being added.
    var isLeftAlone: Bool {
        record.status == .active && record.memberCount < 2
            && !record.intents.contains { if case .add = $0.change { true } else { false } }
    }

    /// Whether the user has to make a decision before anything is sent.
    func needsDecision(_ contacts: ContactBook) -> Bool {
        record.isSuspect || record.contact.flatMap { contacts[$0]?.conflictingKey } != nil
    }

    /// The times at which something is due, in milliseconds; see ``Clocks/now``.
    func due(in device: DeviceState) -> [UInt64] {
        guard record.status.isOpen, device.relays.isConnected(record.relay) else { return [] }
        // This is called for every conversation after each step, and most conversations have no times to collect.
        var due = acknowledged.due
        if let time = changeDue(in: device) { due.append(time) }
        if sync.isLive { due += comparison.due }
        if let time = typists.due { due.append(time) }
        return due
    }

    /// The time of the next attempt, change or renewal; `nil` if there is none. The result is also `nil` while the conversation
    /// waits for an answer of the relay, because the answer wakes the conversation.
    private func changeDue(in device: DeviceState) -> UInt64? {
        switch sync {
        case .opening, .catchingUp, .awaitingCommit: return nil
        case .offline(let retryAt): return retryAt
        case .live:
            if let retryAt = sync.retryAt { return retryAt }
            guard !keptGroup.hasPendingCommit else { return nil }
            guard !record.isChanging, record.memberCount > 1 else { return heldUntil }
            let canRenew = record.renewedAt > 0 && record.entriesSinceRenewal > 0
            let delay = RenewalPolicy(wall: device.wall).latestDelay(renewedAt: record.renewedAt)
            return [heldUntil, sync.commitProposalsAt, canRenew ? device.now.plus(delay) : nil].compactMap { $0 }.min()
        }
    }

    // MARK: Inputs

    /// Adds an item from the store to the outbox.
    mutating func load(_ number: UInt64, _ item: OutboxItem) { outbox.load(number, item) }

    mutating func handle(_ input: ConversationInput, in device: inout DeviceState) throws(KithError) {
        switch input {
        case .connected(let relay):
            if record.relay == relay {
                try open(in: &device)
            }
            // The conversation may wait for a key package from this relay.
            else if sync.isLive {
                try advance(in: &device)
            }
        case .disconnected(let relay):
            if record.relay == relay { resetConnection(in: &device) }
            keyPackages.didDisconnect(relay)
        case .answered(let request, let result): try didAnswer(request, result, in: &device)
        case .followStarted(let tag, let place):
            if sync.isFollowing(tag) { try didStartFollow(place, in: &device) }
        case .followed(let tag, let epoch, let event):
            if sync.isFollowing(tag) { try didFollow(event, tag, epoch: epoch, in: &device) }
        case .followRefused(let tag, let error):
            guard sync.isFollowing(tag) else { return }
            sync.endFollow()
            try didRefuse(error, in: &device)
        case .commitFetched(let bytes): try didFetchCommit(bytes, in: &device)
        case .commitLost(let code):
            try stop(code == .trimmed || code == .gone ? .trimmed : .brokenLog, in: &device)
        case .delivery(let event): try didDeliver(event, in: &device)
        case .tick: try tick(in: &device)
        case .begin(let group, let targets, let ticket): try begin(group, adding: targets, ticket, in: &device)
        case .inviteAgain(let target, let ticket): try inviteAgain(target, ticket, in: &device)
        case .accept: try accept(in: &device)
        case .change(let change, let ticket):
            request(change, ticket, in: &device)
            try advance(in: &device)
        case .finishWaiting:
            for intent in record.intents { finishIntent(intent.id, .success(id), in: &device) }
        case .rename(let title, let ticket): try rename(title, ticket, in: &device)
        case .abandon: try end(.left, in: &device)
        case .separate(let title): try change(in: &device) { $0.separate(as: title) }
        case .list(let setting): try change(in: &device) { setting.apply(to: &$0.listing) }
        case .forgetMessage(let seq, let wasUnread):
            try change(in: &device) { $0.forgetMessage(seq, wasUnread: wasUnread) }
        case .erase: erase(in: &device)
        case .enqueue(let item): try send(item, in: &device)
        case .send(let message, let ticket): try send(message, ticket, in: &device)
        case .sendFiles(let item): try send(item, in: &device)
        case .markRead(let seq, let sendsReceipt):
            try markRead(through: seq, sendsReceipt: sendsReceipt, in: &device)
        case .trustLog(let ticket): try trustLog(ticket, in: &device)
        case .checkPresence: try checkPresence(in: &device)
        case .tellTyping: try tellTyping(in: &device)
        case .open(let warning):
            if let warning { try warn(warning, in: &device) }
            try open(in: &device)
            try emitSummary(in: &device)
        case .advance: try advance(in: &device)
        case .scheduleCard: scheduleCard(in: &device)
        case .sendCard(let address): try sendCard(address, in: &device)
        case .leaveUninvited:
            enqueueIntent(.leave, in: &device)
            emit(.inviteUsedAgain, in: &device)
        case .warn(let warning): emit(warning, in: &device)
        case .didBlock: try didBlock(in: &device)
        }
    }

    private mutating func didAnswer(
        _ request: ConversationRequest, _ result: Result<Reply, RelayError>, in device: inout DeviceState
    ) throws(KithError) {
        switch request {
        case .createChannel: try didCreateChannel(result, in: &device)
        case .present(let epoch):
            if epoch == record.epoch, case .failure(let error) = result { try didRefuse(error, in: &device) }
        case .append(let entry): try didAppend(entry, result, in: &device)
        case .turn(let entry): try didTurn(entry, result, in: &device)
        case .presentTarget(let inbox):
            if case .failure(let error) = result { try didNotGet(inbox, error, in: &device) }
        case .withdraw(let inbox): try didWithdraw(inbox, result, in: &device)
        case .whisper, .closeChannel: break
        }
    }

    private mutating func tick(in device: inout DeviceState) throws(KithError) {
        guard record.status.isOpen else { return }
        if typists.expire(at: device.now) { emitTypists(in: &device) }
        try checkKept(in: &device)
        if case .offline(let retryAt?) = sync, retryAt <= device.now {
            sync.endPause()
            try open(in: &device)
        }
        try advance(in: &device)
    }

    // MARK: Joining

    /// Begins the conversation. At first, this device is the only member of its group.
    ///
    /// - Parameter ticket: the command that ends when the people have been added; `nil` for none.
    mutating func begin(
        _ group: Group, adding targets: [AddTarget], _ ticket: Ticket<ConversationID>?, in device: inout DeviceState
    ) throws(KithError) {
        record.begin(
            with: LogView(beginning: 0, of: record.channel, authenticator: group.epochAuthenticator, after: 0))
        try begin(group)
        if targets.isEmpty {
            record.activate()
            if let ticket { device.step.finish(ticket, .success(id)) }
        } else {
            request(.add(targets), ticket, in: &device)
        }
        try emitSummary(in: &device)
        try open(in: &device)
    }

    /// Invites the other person again, because that person could not be reached. Waiting texts are kept.
    mutating func inviteAgain(
        _ target: AddTarget, _ ticket: Ticket<ConversationID>, in device: inout DeviceState
    ) throws(KithError) {
        record.beginAgain()
        request(.add([target]), ticket, in: &device)
        try emitSummary(in: &device)
        try open(in: &device)
    }

    /// Sets the conversation's group. This device has joined the group with a Welcome.
    ///
    /// - Parameters:
    ///   - isBack: whether this device was in the conversation before.
    ///   - people: the other members.
    /// - Returns: a warning if the inviter's view differs from this device's; otherwise `nil`. The views are compared only if one
    ///   commit removed this device and added it again.
    mutating func join(
        _ group: Group, by message: InboxMessage, isBack: Bool, _ people: MetMembers, in device: inout DeviceState
    ) throws(KithError) -> Warning? {
        let difference = isBack ? record.difference(fromInviters: message.view, epoch: group.epoch) : nil
        if isBack {
            rejoin(group, title: message.title, in: &device)
        } else if people.isDirect {
            record.becomeDirect(with: people.contacts.first)
        }
        record.didJoin(message.view, timer: message.timer)
        try begin(group)
        markDirty(in: &device)
        return difference
    }

    /// Prepares a conversation that this device had lost and to which it was added again.
    private mutating func rejoin(_ group: Group, title: String, in device: inout DeviceState) {
        resetConnection(in: &device)
        record.rejoin(epoch: group.epoch, memberCount: group.memberCount, title: title)
        // After its removal, this device may have had no reason to connect to the relay.
        if mayAct { device.keepConnected(to: record.relay) }
        acknowledged.removeAll()
        comparison.forget()
        outbox.forgetAttempts(in: &device.step)
    }

    /// Accepts a pending conversation. From now on, this device follows the conversation's log. In a conversation of two, it
    /// sends the other person its contact card.
    mutating func accept(in device: inout DeviceState) throws(KithError) {
        record.accept()
        markDirty(in: &device)
        _ = device.meet(try group(in: &device).group, mayBeDirect: record.isDirect, trust: .unverified)
        device.keepConnected(to: record.relay)
        scheduleCard(in: &device)
    }

    /// Changes the record, and reports the conversation.
    private mutating func change(
        in device: inout DeviceState, _ body: (inout ConversationRecord) -> Void
    ) throws(KithError) {
        body(&record)
        markDirty(in: &device)
        try emitSummary(in: &device)
    }

    // MARK: The end

    /// Stops the conversation on this device, because its log can no longer be used.
    mutating func stop(
        _ reason: StopReason, through seq: UInt64? = nil, in device: inout DeviceState
    ) throws(KithError) {
        guard record.status.isOpen else { return }
        try end(.stopped(seq: seq ?? record.lastSeq + 1, reason: reason), in: &device)
    }

    /// Ends the conversation on this device. Commands that wait for the conversation fail.
    mutating func end(_ status: ConversationStatus, in device: inout DeviceState) throws(KithError) {
        resetConnection(in: &device)
        record.end(status)
        // The other person is no longer invited.
        if record.isDirect, status == .left {
            device.deliveries.drop({ $0.conversation == id }, in: &device.step)
        }
        for intent in record.intents { finishIntent(intent.id, .failure(.conversation(status)), in: &device) }
        record.intents.removeAll()
        finishInvitations(in: &device)
        markDirty(in: &device)
        try emitSummary(in: &device)
    }

    // MARK: The group and the store

    /// Marks the conversation, so that it is stored at the end of the step.
    func markDirty(in device: inout DeviceState) { device.step.markDirty(id) }

    /// Reports the current state of the conversation.
    func emitSummary(in device: inout DeviceState) throws(KithError) {
        device.emit(.conversation(try ConversationSummary(self, in: device)))
    }

    /// Returns the group. On first use, reads it from the store.
    mutating func group(in device: inout DeviceState) throws(KithError) -> LoadedGroup {
        try keptGroup.load(in: &device)
    }

    /// Sets the conversation's group to a new group, which is not in the store yet.
    mutating func begin(_ group: Group) throws(KithError) { try keptGroup.begin(group) }

    /// Frees the group, and everything else that can be read from the store again.
    mutating func unload() {
        keptGroup.unload(in: record.epoch)
        comparison.unload()
        history.unload()
    }

    /// Deletes the conversation, because nobody else was ever in it.
    mutating func discard(in device: inout DeviceState) {
        resetConnection(in: &device)
        request(.close(channel: record.channel), .closeChannel, in: &device)
        erase(in: &device)
    }

    /// Deletes the conversation from this device.
    private mutating func erase(in device: inout DeviceState) {
        resetConnection(in: &device)
        isDiscarded = true
        device.forgetFiles(in: id, record, outbox)
        device.step.delete(StoreKey(.conversation, item: id.rawValue))
        for table in StoreTable.ofConversations { device.step.deleteAll(table, owner: id.rawValue) }
        device.step.erase()
    }

    /// Adds the record and the group's changes to the step's transaction.
    mutating func store(in step: inout Step) {
        if let hasProposals = keptGroup.hasProposals { record.note(hasProposals: hasProposals) }
        step.put(StoreKey(.conversation, item: id.rawValue), record.encoded)
        keptGroup.store(in: &step)
    }
}
