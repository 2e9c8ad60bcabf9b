import KithWire
import MLS

/// A conversation: its record, its group, its outbox, and its place in the log. Only inputs and commands change it.
///
/// One rule makes it correct: only the log changes the conversation, entry by entry, this device's own entries included. Answers
/// to requests only tell when to try again.
struct ConversationMachine {
    let id: ConversationID
    var record: ConversationRecord
    var outbox: Outbox
    /// The group; `nil` until it is needed, and again after it was not needed for long.
    var loaded: LoadedGroup?
    /// The last use of the group, as a number from ``Step/nextUse()``.
    private(set) var lastUse: UInt64 = 0
    /// The current epoch's tokens while the group is not loaded. A connection needs nothing else of the group.
    private var keptTokens: (epoch: UInt64, tokens: EpochTokens)?
    var sync = SyncState.offline(retryAt: nil)
    var acknowledged = Acknowledgements()
    var keyPackages = KeyPackageFetches()
    var comparison: ViewComparison
    var notices = RepeatedNotices()
    /// Ids of recent messages, to detect repeats.
    var recentIDs: RecentIDs?
    var presence = Presence()
    /// Whether the conversation was deleted, and is to be removed from the table.
    var isDiscarded = false

    init(id: ConversationID, record: ConversationRecord) {
        self.id = id
        self.record = record
        outbox = Outbox(of: id)
        comparison = ViewComparison(of: id)
    }

    // MARK: Reading

    /// Whether this device may follow the log, send to it and answer in it. Everything that others could notice checks this
    /// first.
    var mayAct: Bool { record.consent == .given }

    /// Whether the conversation waits for the user's consent. Until then, nothing that this device does tells anyone that the
    /// inviter's letter was read, and only the inbox's daily trim tells that the device is online.
    var isPending: Bool { !mayAct && record.status.isOpen }

    /// Whether this device has asked the others to remove it.
    var isLeaving: Bool { record.intents.contains { $0.change == .leave } }

    /// Whether all others have left, and nobody is being added.
    var isLeftAlone: Bool {
        record.status == .active && record.memberCount < 2
            && !record.intents.contains { if case .add = $0.change { true } else { false } }
    }

    /// Whether the user has to decide about something before anything is sent.
    func isBlocked(_ contacts: ContactBook) -> Bool {
        record.isSuspect || record.contact.flatMap { contacts[$0]?.conflictingKey } != nil
    }

    /// The current epoch's tokens, if they are in memory.
    var tokens: EpochTokens? {
        if let loaded { return loaded.tokens }
        return keptTokens.flatMap { $0.epoch == record.epoch ? $0.tokens : nil }
    }

    /// The times at which something is due, in milliseconds; see ``Clocks/now``.
    func due(in device: DeviceState) -> [UInt64] {
        guard record.status.isOpen, device.relays.isConnected(record.relay) else { return [] }
        // Asked of every conversation after each step: most have nothing to collect.
        var due = acknowledged.due
        if let time = changeDue(in: device) { due.append(time) }
        if sync.isLive { due += comparison.due }
        return due
    }

    /// The time of the next try, change or renewal. Nothing is due while the relay owes an answer, because the answer wakes the
    /// conversation.
    private func changeDue(in device: DeviceState) -> UInt64? {
        switch sync {
        case .opening, .catchingUp, .awaitingCommit: return nil
        case .offline(let retryAt): return retryAt
        case .live:
            if let retryAt = sync.retryAt { return retryAt }
            guard loaded?.pending == nil else { return nil }
            guard !record.isChanging, record.memberCount > 1 else { return heldUntil }
            let canRenew = record.renewedAt > 0 && record.entriesSinceRenewal > 0
            let delay = RenewalPolicy(wall: device.wall).latestDelay(renewedAt: record.renewedAt)
            return [heldUntil, sync.commitProposalsAt, canRenew ? device.now.plus(delay) : nil].compactMap { $0 }.min()
        }
    }

    // MARK: Inputs

    mutating func handle(_ input: ConversationInput, in device: inout DeviceState) throws(KithError) {
        switch input {
        case .connected(let relay):
            if record.relay == relay {
                try open(in: &device)
            }
            // The conversation may wait for a key package from that relay.
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
        try checkKept(in: &device)
        if case .offline(let retryAt?) = sync, retryAt <= device.now {
            sync.endPause()
            try open(in: &device)
        }
        try advance(in: &device)
    }

    // MARK: The connection

    /// Presents the epoch's tokens and follows the epoch, if the relay is connected. Does not wait for answers in between,
    /// because the relay handles a channel's requests in order.
    mutating func open(in device: inout DeviceState) throws(KithError) {
        guard mayAct, device.relays.isConnected(record.relay), record.status.isOpen, sync.following?.tag == nil
        else { return }
        if tokens == nil { _ = try group(in: &device) }
        guard let tokens else { return }
        if !record.isCreated {
            request(
                .create(channel: record.channel, access: tokens.access, retentionSeconds: nil), .createChannel,
                in: &device)
        }
        request(
            .present(channel: record.channel, epoch: record.epoch, tokens: tokens.all), .present(epoch: record.epoch),
            in: &device)
        let tag = device.step.follow(
            record.relay, record.channel, epoch: record.epoch, fromSeq: record.lastSeq + 1,
            for: .conversation(id, epoch: record.epoch))
        sync.beginFollow(tag)
    }

    /// Sends a request to the conversation's relay.
    func request(_ request: Request, _ purpose: ConversationRequest, in device: inout DeviceState) {
        device.request(record.relay, request, for: .conversation(id, purpose))
    }

    private mutating func didCreateChannel(
        _ result: Result<Reply, RelayError>, in device: inout DeviceState
    ) throws(KithError) {
        switch result {
        case .success:
            record.didCreateChannel()
            markDirty(in: &device)
        case .failure(let error) where error.code.isPassing: openLater(error, in: &device)
        case .failure: try stop(.denied, in: &device)
        }
    }

    /// Handles a refusal of the tokens or the follow.
    private mutating func didRefuse(_ error: RelayError, in device: inout DeviceState) throws(KithError) {
        guard record.status.isOpen else { return }
        switch error.code {
        case .gone: try stop(.closed, in: &device)
        case .trimmed: try stop(.trimmed, through: error.detail, in: &device)
        case .denied:
            // A channel that is being created does not exist until the relay has answered.
            if record.isCreated { try stop(.denied, in: &device) }
        default: openLater(error, in: &device)
        }
    }

    /// Follows the log again after a pause.
    private mutating func openLater(_ error: RelayError, in device: inout DeviceState) {
        resetConnection(in: &device)
        sync.pause(until: device.now + error.patienceMs)
    }

    /// Ends the connection to the log.
    mutating func resetConnection(in device: inout DeviceState) {
        device.step.unfollow(record.relay, sync.following?.tag)
        device.parcels.forget(.commit(id), in: &device.step)
        sync.disconnect()
    }

    private mutating func didStartFollow(_ place: FollowPlace, in device: inout DeviceState) throws(KithError) {
        guard sync.isOpening, record.epoch == place.epoch else { return }
        let first = place.firstSeq
        if record.view == nil, first < StoreKey.highest { try begin(after: first - min(1, first), in: &device) }
        guard first < StoreKey.highest, first == record.lastSeq + 1 else { return try stop(.brokenLog, in: &device) }
        sync.catchUp(through: place.lastSeq)
        try didCatchUp(in: &device)
    }

    private mutating func didFollow(
        _ event: FollowEvent, _ tag: UInt64, epoch: UInt64, in device: inout DeviceState
    ) throws(KithError) {
        switch event {
        case .entries(let entries): try process(entries, in: &device)
        case .whisper(let payload): try didHear(payload, in: &device)
        case .epochEnded:
            _ = device.step.endFollow(tag, record.relay)
            sync.endFollow()
            // The turn's commit is still being fetched, and is applied when it arrives.
            if device.parcels.isFetching(.commit(id)) { return }
            // An epoch ends with a turn, which was applied or has stopped the conversation. If neither happened, the log is
            // broken.
            if record.epoch == epoch { return try stop(.brokenLog, in: &device) }
            try open(in: &device)
        }
    }

    /// Begins the log of a device that has just joined, once the place of the epoch's first entry is known.
    private mutating func begin(after seq: UInt64, in device: inout DeviceState) throws(KithError) {
        let loaded = try group(in: &device)
        let view = LogView(
            beginning: record.epoch, of: record.channel, authenticator: loaded.group.epochAuthenticator, after: seq,
            previous: record.invitedView?.previous ?? LogView.noPrevious)
        let invited = record.begin(afterJoining: view)
        markDirty(in: &device)
        noteBeginning(at: seq, in: &device)
        // The relay shows another place than the inviter saw.
        if let invited, invited != view {
            try warn(.differentLogs(first: min(seq, invited.seq), last: max(seq, invited.seq)), in: &device)
        }
    }

    /// Becomes live if everything that was at the relay when the follow began has been processed. Then sending may begin.
    mutating func didCatchUp(in device: inout DeviceState) throws(KithError) {
        guard case .catchingUp(_, let last) = sync, record.lastSeq >= last else { return }
        sync.becomeLive()
        comparison.restartClaims(at: device.now)
        if isCheckDue { try challenge(in: &device) }
        try advance(in: &device)
    }

    // MARK: The end

    /// Stops the conversation on this device, because its log can't be used any more.
    mutating func stop(
        _ reason: StopReason, through seq: UInt64? = nil, in device: inout DeviceState
    ) throws(KithError) {
        guard record.status.isOpen else { return }
        try end(.stopped(seq: seq ?? record.lastSeq + 1, reason: reason), in: &device)
    }

    /// Ends the conversation on this device. Commands that wait for it fail.
    mutating func end(_ status: ConversationStatus, in device: inout DeviceState) throws(KithError) {
        resetConnection(in: &device)
        record.end(status)
        // The other person is no longer invited.
        if record.isDirect, status == .left {
            device.deliveries.drop({ $0.conversation == id }, in: &device.step)
        }
        for intent in record.intents { finishIntent(intent.id, .failure(.conversation(status)), in: &device) }
        record.removeIntents()
        finishInvitations(in: &device)
        markDirty(in: &device)
        try emitSummary(in: &device)
    }

    // MARK: The group and the store

    /// Marks the conversation, to be stored at the end of the step.
    func markDirty(in device: inout DeviceState) { device.step.markDirty(id) }

    /// Reports the conversation as it is now.
    func emitSummary(in device: inout DeviceState) throws(KithError) {
        device.emit(.conversation(try ConversationSummary(self, in: device)))
    }

    /// The group. Reads it from the store on first use.
    mutating func group(in device: inout DeviceState) throws(KithError) -> LoadedGroup {
        lastUse = device.step.nextUse()
        if let loaded { return loaded }
        let read = try LoadedGroup(of: id, from: device.store)
        loaded = read
        return read
    }

    /// Whether the group is known. A device that was restored from a backup has none until it is added again.
    func hasGroup(in store: any ProfileStore) throws(KithError) -> Bool {
        if loaded != nil { return true }
        let key = StoreKey(.epoch, owner: id.rawValue, item: 0)
        return try reading { () throws(StoreError) in try store.value(key) } != nil
    }

    /// Frees the group, and everything else that can be read from the store again.
    mutating func unload() {
        keptTokens = loaded?.tokens.map { (record.epoch, $0) }
        loaded = nil
        comparison.unload()
        recentIDs = nil
    }

    /// Puts the record and the group's changes into the step's transaction.
    mutating func store(in step: inout Step) {
        if let loaded { record.note(hasProposals: !loaded.group.pendingProposals.isEmpty) }
        step.put(StoreKey(.conversation, item: id.rawValue), record.encoded)
        loaded?.store(of: id, in: &step)
    }
}
