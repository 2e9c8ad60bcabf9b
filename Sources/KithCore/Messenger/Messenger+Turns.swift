import KithWire
import MLS
import TLSCodec

// Changes of a group: intents become commits, commits become turns, and the log decides which of them counts.

extension Messenger {
    // MARK: In the log

    func processOwnTurn(
        _ entry: Entry, _ pending: PendingTurn, _ view: LogView, _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        guard entry.kind == .turn, entry.payload.elementsEqual(pending.payload) else {
            try warn(conversation, .notKept(seq: entry.seq))
            return try stop(conversation, .brokenLog)
        }
        var next = loaded.group
        try callingMLS { () throws(MLSError) in try next.apply(pending.commit) }
        let notices = try notices(of: pending.commit.effect, by: .me, loaded.group, conversation)
        try enter(next, AppliedTurn(entry: entry, view: view, author: .me, notices: notices), conversation, loaded)
        try sendWelcomes(pending, conversation)
        conversation.record.didRenew(at: wall)
        try didCarryOut(pending, conversation)
        tell(.conversation(try summary(of: conversation)))
    }

    func processTurn(
        _ staged: StagedCommit, _ entry: Entry, _ view: LogView, _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        let committer = author(of: staged.effect.committer, loaded.group)
        let notices = try notices(of: staged.effect, by: committer, loaded.group, conversation)
        let warnings = try compareView(of: staged.effect, at: entry.seq, conversation)
        if staged.effect.removesSelf {
            let isLeaving = conversation.isLeaving
            let record = EntryRecord(
                entry, view: view, author: committer, body: .notices(notices), warnings: warnings)
            conversation.record.stand(at: view)
            try callingMLS { () throws(MLSError) in try loaded.group.apply(staged) }
            loaded.isNewEpoch = true
            touch(conversation)
            didNote(record, at: entry, in: conversation)
            conversation.outbox.keepTexts(in: &step)
            if isLeaving { finishLeaving(conversation) }
            for warning in warnings { tell(warning, in: conversation) }
            return try end(conversation, isLeaving ? .left : .removed(by: name(of: committer)))
        }
        var next = loaded.group
        try callingMLS { () throws(MLSError) in try next.apply(staged) }
        let turn = AppliedTurn(entry: entry, view: view, author: committer, notices: notices, warnings: warnings)
        try enter(next, turn, conversation, loaded)
        if !staged.effect.added.isEmpty || !staged.effect.removed.isEmpty {
            tell(.conversation(try summary(of: conversation)))
        }
    }

    /// A turn whose commit was applied.
    private struct AppliedTurn {
        let entry: Entry
        /// The view after it, in the epoch that it ended.
        let view: LogView
        let author: EntryRecord.Author
        let notices: [Notice]
        var warnings: [Warning] = []
    }

    /// Enters the epoch that a turn opened. A difference between members' views is told and keeps nobody out.
    private func enter(
        _ next: Group, _ turn: AppliedTurn, _ conversation: Conversation, _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        let entry = turn.entry
        let warnings = turn.warnings + settleClaims(conversation, atTurn: entry.seq)
        didNote(
            EntryRecord(
                entry, view: turn.view, author: turn.author, body: .notices(turn.notices), warnings: warnings),
            at: entry, in: conversation)
        if let parcel = loaded.pending?.parcel {
            // If another commit was first, nobody will look for this one.
            deliveries.drop({ $0.channel == parcel.channel }, in: &step)
        }
        keepGaps(conversation, from: loaded.group, to: next)
        try callingMLS { () throws(MLSError) in try loaded.enter(next) }
        let begin = LogView(
            beginning: next.epoch, of: conversation.record.channel, authenticator: next.epochAuthenticator,
            after: entry.seq, previous: turn.view.hash)
        conversation.record.enter(next.epoch, begin: begin, memberCount: next.memberCount)
        conversation.comparison.enterEpoch()
        conversation.acknowledged.removeAll()
        conversation.commitProposalsAt = nil
        conversation.sync.enterEpoch()
        touch(conversation)
        conversation.outbox.forgetAttempts(in: &step)
        try tell(warnings, conversation)
    }

    // MARK: Making them

    /// Does what there is to do in a conversation whose log is here: first changes, then messages.
    func pump(_ conversation: Conversation) throws(KithError) {
        // The end of a conversation or a connection also ends the follow.
        guard conversation.sync.isLive else { return }
        if let retryAt = conversation.sync.retryAt {
            guard retryAt <= now else { return }
            conversation.sync.retryAt = nil
        }
        guard needsGroup(conversation) else { return }
        let loaded = try group(of: conversation)
        wantWhatIsDue(conversation, loaded.group)
        if loaded.pending == nil { try stageNext(conversation, loaded) }
        if let pending = loaded.pending {
            if !conversation.sync.turnIsSent { sendTurn(pending, conversation) }
        } else {
            try sendOutbox(conversation, loaded)
        }
    }

    /// Whether there may be something to do for which the group has to be in memory.
    private func needsGroup(_ conversation: Conversation) -> Bool {
        let record = conversation.record
        guard conversation.loaded == nil, conversation.outbox.isEmpty, record.intents.isEmpty else { return true }
        return record.hasProposals || record.renewedAt > 0 && renewalIsDue(record, LeafIndex(rawValue: 0))
    }

    private func sendTurn(_ pending: PendingTurn, _ conversation: Conversation) {
        // What the turn refers to is there first.
        if let parcel = pending.parcel, deliveries.delivery(to: parcel.channel) != nil { return }
        guard conversation.sync.inFlight.isEmpty, let tokens = try? EpochTokens(pending.commit) else { return }
        conversation.sync.turnIsSent = true
        request(
            conversation.record.relay,
            .turn(
                channel: conversation.record.channel, epoch: conversation.record.epoch, id: pending.entryID,
                payload: pending.payload[...], nextAccess: tokens.access),
            for: .turn(conversation.id, pending.entryID))
    }

    func didTurn(_ id: ConversationID, _ entry: EntryID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let conversation = conversations[id], conversation.record.status.isOpen,
            try group(of: conversation).pending?.entryID == entry
        else { return }
        switch result {
        case .success(.accepted(let seq)): conversation.acknowledged.add(entry, seq: seq, at: now)
        case .success: break
        case .failure(let error):
            switch error.code {
            // Another commit was first: the log will bring it.
            case .staleEpoch: break
            case .gone: try stop(conversation, .closed)
            case .denied: try stop(conversation, .denied)
            case .tooLarge:
                try dropPending(conversation, .tooLong(limit: Int(clamping: error.detail)))
            default:
                conversation.sync.turnIsSent = false
                conversation.sync.retryAt = now + error.patienceMs
            }
        }
    }

    /// The commit that was made can't be brought to the log.
    private func dropPending(_ conversation: Conversation, _ error: KithError) throws(KithError) {
        let loaded = try group(of: conversation)
        guard let pending = loaded.pending else { return }
        dropIntent(pending.intent, of: conversation, .failure(error))
        loaded.pending = nil
        store(nil, of: conversation)
        conversation.sync.turnIsSent = false
    }

    /// The parcel that a turn refers to is at the relay, or can't be brought there.
    func didDeliverParcel(_ channel: ChannelID, _ conversation: Conversation, _ error: KithError?) throws(KithError) {
        guard conversation.record.status.isOpen, try group(of: conversation).pending?.parcel?.channel == channel
        else { return }
        if let error { try dropPending(conversation, error) }
        try pump(conversation)
    }

    /// Adds a change to what a conversation has to do.
    @discardableResult
    func want(_ change: Intent.Change, in conversation: Conversation) -> UInt64 {
        touch(conversation)
        return conversation.record.want(change)
    }

    /// Adds the change that is due without having been asked for.
    private func wantWhatIsDue(_ conversation: Conversation, _ group: Group) {
        let record = conversation.record
        let policy = CommitPolicy(
            memberCount: record.memberCount, isChanging: record.isChanging,
            othersPropose: group.pendingProposals.contains { $0.sender != .member(group.ownLeafIndex) },
            wantsToSend: conversation.outbox.contains { $0.body != .leaveProposal },
            hasRenewed: record.renewedAt > 0, isRenewalDue: renewalIsDue(record, group.ownLeafIndex))
        if let change = policy.change(now: now, commitAt: &conversation.commitProposalsAt, random: jitter) {
            want(change, in: conversation)
        }
    }

    private func renewalIsDue(_ record: ConversationRecord, _ leaf: LeafIndex) -> Bool {
        RenewalPolicy(wall: wall).isDue(
            renewedAt: record.renewedAt, entriesSince: record.entriesSinceRenewal, leaf: leaf)
    }

    /// The commit of an intent is in the log.
    private func didCarryOut(_ pending: PendingTurn, _ conversation: Conversation) throws(KithError) {
        for recipient in pending.recipients { conversation.keyPackages.forget(recipient.inbox.channel) }
        guard let intent = conversation.record.intent(pending.intent) else { return }
        if case .add(let targets) = intent.change {
            let done = Set(pending.recipients.map(\.inbox.channel))
            let rest = targets.filter { !done.contains($0.inbox.channel) }
            if !rest.isEmpty {
                return conversation.record.keep(rest, of: intent.id)
            }
            conversation.record.remove(intent: intent.id)
            if conversation.record.isDirect { sendCard(in: conversation, isAgain: true) }
            // Whoever waits for it waits for the Welcomes too.
            return finishIfInvited(IntentPlace(conversation: conversation.id, intent: intent.id))
        }
        finishAndDrop(intent, conversation)
    }

    func finishAndDrop(_ intent: Intent, _ conversation: Conversation) {
        dropIntent(intent.id, of: conversation, .success(conversation.id))
    }

    func dropIntent(_ intent: UInt64, of conversation: Conversation, _ result: Result<ConversationID, KithError>) {
        conversation.record.remove(intent: intent)
        touch(conversation)
        if conversation.record.status == .preparing, conversation.record.intents.isEmpty {
            conversation.record.activate()
        }
        finishIntent(intent, of: conversation, result)
    }

    func finishIntent(_ intent: UInt64, of conversation: Conversation, _ result: Result<ConversationID, KithError>) {
        finish(at: IntentPlace(conversation: conversation.id, intent: intent), result)
    }
}
