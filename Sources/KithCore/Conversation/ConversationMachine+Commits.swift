import KithWire
import MLS

// Changes of the group: intents become commits, and commits become turns. The log decides which turn is valid.

extension ConversationMachine {
    // MARK: Turns in the log

    mutating func processOwnTurn(
        _ next: LoggedEntry, _ pending: PendingTurn, in device: inout DeviceState
    ) throws(KithError) {
        let entry = next.entry
        guard entry.kind == .turn, entry.payload.elementsEqual(pending.payload) else {
            try warn(.notKept(seq: entry.seq), in: &device)
            return try stop(.brokenLog, in: &device)
        }
        let loaded = try group(in: &device)
        var group = loaded.group
        try callingMLS { () throws(MLSError) in try group.apply(pending.commit) }
        device.didReplaceDevices(pending.commit.effect, isChosen: opensInvite(pending))
        let notices = device.notices(of: pending.commit.effect, by: .me, in: loaded.group)
        try enter(group, by: pending.commit.effect, AppliedTurn(next, author: .me, notices: notices), in: &device)
        try sendWelcomes(pending, in: &device)
        record.didRenew(at: device.wall)
        try didCarryOut(pending, in: &device)
        try emitSummary(in: &device)
    }

    mutating func processTurn(
        _ staged: StagedCommit, _ next: LoggedEntry, in device: inout DeviceState
    ) throws(KithError) {
        let loaded = try group(in: &device)
        let effect = staged.effect
        let committer = device.author(of: effect.committer, loaded.group)
        let notices = device.notices(of: effect, by: committer, in: loaded.group)
        // If the authenticated data is no view, the data counts as a different view, because wrong data must not end the group.
        let view =
            (try? LogView(decoding: effect.authenticatedData))
            ?? LogView(seq: next.entry.seq, hash: [], previous: record.epochBegin?.previous ?? [])
        let warnings = try comparison.compare(
            view, of: effect.committerLeaf, at: next.entry.seq, with: &record, in: &device)
        var turn = AppliedTurn(next, author: committer, notices: notices, warnings: warnings)
        turn.isReported = !device.contacts.hasBlocked(committer)
        if effect.removesSelf { return try leave(by: staged, turn, in: &device) }
        var group = loaded.group
        try callingMLS { () throws(MLSError) in try group.apply(staged) }
        device.didReplaceDevices(effect, isChosen: false)
        if let notice = device.followName(at: effect.committerLeaf, from: loaded.group, to: group) {
            turn.notices.append(notice)
        }
        try enter(group, by: effect, turn, in: &device)
        if !effect.added.isEmpty || !effect.removed.isEmpty { try emitSummary(in: &device) }
    }

    /// Applies a commit that removes this device, even if the device did not want to leave.
    private mutating func leave(
        by staged: StagedCommit, _ turn: AppliedTurn, in device: inout DeviceState
    ) throws(KithError) {
        let wasLeaving = isLeaving
        record.stand(at: turn.logged.view)
        try group(in: &device).leave(by: staged)
        markDirty(in: &device)
        try note(turn.record(), at: turn.logged.entry, in: &device)
        outbox.keepTexts(in: &device.step)
        if wasLeaving { finishLeaving(in: &device) }
        if turn.isReported { for warning in turn.warnings { emit(warning, in: &device) } }
        try end(wasLeaving ? .left : removal(staged.effect, turn, in: device), in: &device)
    }

    /// Returns the status after a commit that removes this device.
    private func removal(
        _ effect: CommitEffect, _ turn: AppliedTurn, in device: DeviceState
    ) -> ConversationStatus {
        let by = device.name(of: turn.author)
        let own = effect.added.lazy.compactMap(\.leaf.credential.deviceCertificate).first {
            $0.accountKey == device.account && $0.deviceID != device.identity.certificate.deviceID
        }
        guard let own else { return .removed(by: by) }
        return .replaced(by: by, device: own.deviceName, seq: turn.logged.entry.seq)
    }

    /// Enters the epoch that a turn has opened. Members with different views are reported, but not excluded.
    private mutating func enter(
        _ next: Group, by effect: CommitEffect, _ turn: AppliedTurn, in device: inout DeviceState
    ) throws(KithError) {
        let entry = turn.logged.entry
        let loaded = try group(in: &device)
        let unsettled = comparison.settleClaims(atTurn: entry.seq, record)
        try note(turn.record(with: turn.warnings + unsettled), at: entry, in: &device)
        if let parcel = loaded.pending?.parcel {
            // If another commit was first, nobody will fetch this parcel.
            device.deliveries.drop({ $0.channel == parcel.channel }, in: &device.step)
        }
        comparison.keepGaps(from: loaded.group, to: next)
        try loaded.enter(next)
        let begin = LogView(
            beginning: next.epoch, of: record.channel, authenticator: next.epochAuthenticator, after: entry.seq,
            previous: turn.logged.view.hash)
        record.enter(next.epoch, begin: begin, memberCount: next.memberCount)
        noteNewMembers(effect, at: entry.seq, in: device)
        comparison.enterEpoch()
        acknowledged.removeAll()
        sync.enterEpoch()
        markDirty(in: &device)
        outbox.forgetAttempts(in: &device.step)
        try emit(turn.isReported ? turn.warnings + unsettled : unsettled, in: &device)
    }

    // MARK: Next work

    /// Does the pending work, if the log has been read to its end. Changes of the group come first, and then messages.
    mutating func advance(in device: inout DeviceState) throws(KithError) {
        // `isLive` is also false if the conversation or the connection has ended.
        guard sync.isLive else { return }
        if let retryAt = sync.retryAt {
            guard retryAt <= device.now else { return }
            sync.endPause()
        }
        guard needsGroup(at: device.wall) else { return }
        let loaded = try group(in: &device)
        enqueueWhatIsDue(loaded, in: &device)
        if loaded.pending == nil { try stageNext(in: &device) }
        // A step may have ended the conversation.
        guard sync.isLive else { return }
        if let pending = loaded.pending {
            if !sync.turnIsSent { sendTurn(pending, in: &device) }
        } else {
            try sendOutbox(in: &device)
        }
    }

    /// Whether there may be work for which the group has to be in memory.
    private func needsGroup(at wall: UInt64) -> Bool {
        guard !keptGroup.isLoaded, outbox.isEmpty, record.intents.isEmpty else { return true }
        return record.hasProposals || record.renewedAt > 0 && isRenewalDue(LeafIndex(rawValue: 0), at: wall)
    }

    /// Adds an intent.
    ///
    /// - Returns: the intent's number.
    @discardableResult
    mutating func enqueueIntent(_ change: Intent.Change, in device: inout DeviceState) -> UInt64 {
        markDirty(in: &device)
        return record.intents.add(change)
    }

    /// Adds an intent that a command waits for.
    mutating func request(_ change: Intent.Change, _ ticket: Ticket<ConversationID>?, in device: inout DeviceState) {
        let intent = enqueueIntent(change, in: &device)
        guard let ticket else { return }
        device.commands.wait(ticket, for: IntentPlace(conversation: id, intent: intent))
    }

    /// If a change of the group is due that the user has not requested, for example a renewal of keys, adds an intent for this
    /// change.
    private mutating func enqueueWhatIsDue(_ loaded: LoadedGroup, in device: inout DeviceState) {
        let policy = CommitPolicy(
            memberCount: record.memberCount, isChanging: record.isChanging, othersPropose: loaded.othersPropose,
            wantsToSend: outbox.contains { $0.body != .leaveProposal }, hasRenewed: record.renewedAt > 0,
            isRenewalDue: isRenewalDue(loaded.group.ownLeafIndex, at: device.wall))
        let change = sync.change(by: policy, at: device.now) { device.jitter($0) }
        if let change { enqueueIntent(change, in: &device) }
    }

    private func isRenewalDue(_ leaf: LeafIndex, at wall: UInt64) -> Bool {
        RenewalPolicy(wall: wall).isDue(
            renewedAt: record.renewedAt, entriesSince: record.entriesSinceRenewal, leaf: leaf)
    }

    // MARK: Making commits

    /// Performs the next step of each pending change, until a commit is made.
    private mutating func stageNext(in device: inout DeviceState) throws(KithError) {
        for intent in record.intents {
            guard sync.isLive else { return }
            let change = try change(of: intent, in: &device)
            switch try intentPolicy(in: &device).step(for: change) {
            case .wait: continue
            case .drop:
                learnAddresses(of: intent, in: &device)
                dropIntent(intent.id, .success(id), in: &device)
            case .commit:
                do throws(KithError) {
                    return try stage(intent, in: &device)
                } catch {
                    dropIntent(intent.id, .failure(error), in: &device)
                }
            case .proposeLeaving: proposeLeaving(in: &device)
            case .closeChannel: try leaveAlone(in: &device)
            case .requestKeyPackages: requestKeyPackages(for: intent, in: &device)
            case .dropTarget(let index): try dropTarget(index, of: intent, in: &device)
            case .beginAnew: beginAnew(intent, in: &device)
            }
        }
    }

    private mutating func intentPolicy(in device: inout DeviceState) throws(KithError) -> IntentPolicy {
        let loaded = try group(in: &device)
        return IntentPolicy(
            memberCount: loaded.group.memberCount, othersPropose: loaded.othersPropose,
            isLeavingProposed: loaded.hasProposedLeaving || outbox.contains { $0.body == .leaveProposal },
            isOver: record.isDirect && record.hasAnswer && loaded.group.othersAreLeaving)
    }

    /// Returns a pending change, with the facts that decide the next step of the change.
    private mutating func change(
        of intent: Intent, in device: inout DeviceState
    ) throws(KithError) -> IntentPolicy.Change {
        switch intent.change {
        case .renew: .renew
        case .commitProposals: .commitProposals
        case .remove(let account): .remove(isMember: try !group(in: &device).group.leaves(of: account).isEmpty)
        case .leave: .leave
        case .add(let targets): .add(try examine(targets, of: intent, in: &device))
        }
    }

    private mutating func stage(_ intent: Intent, in device: inout DeviceState) throws(KithError) {
        let loaded = try group(in: &device)
        let (proposals, recipients) = proposals(for: intent.change, to: loaded.group, in: device)
        let (commit, hasTree) = try loaded.commit(
            proposals, inviting: recipients, view: record.view, in: device)
        let bytes = commit.message.encoded
        var parcel: TurnReference?
        if bytes.count > device.sizes.turn {
            parcel = TurnReference(to: try deliverParcel(bytes, intent.id, in: &device).address, of: bytes)
        }
        let pending = PendingTurn(
            entryID: .random(from: device.random), commit: commit, intent: intent.id, recipients: recipients,
            hasTreeInWelcome: hasTree, parcel: parcel)
        loaded.stage(pending, of: id, in: &device.step)
        markDirty(in: &device)
    }

    /// Returns this device's own proposals for a commit, and the recipients of the commit's Welcome.
    private func proposals(
        for change: Intent.Change, to group: Group, in device: DeviceState
    ) -> ([Proposal], [PendingTurn.Recipient]) {
        switch change {
        case .renew, .commitProposals, .leave: return ([], [])
        case .remove(let account): return (group.leaves(of: account).map { .remove($0) }, [])
        case .add(let targets):
            let recipients = validKeyPackages(of: targets, in: device)
            var proposals: [Proposal] = []
            for recipient in recipients {
                guard let certificate = recipient.keyPackage.leafNode.credential.deviceCertificate else { continue }
                // A new device replaces the person's older devices.
                proposals += group.leaves(of: certificate.accountKey).map { .remove($0) }
                proposals.append(.add(recipient.keyPackage))
            }
            return (proposals, recipients)
        }
    }

    // MARK: Sending commits

    private mutating func sendTurn(_ pending: PendingTurn, in device: inout DeviceState) {
        // The relay must have the parcel before it gets the turn that refers to it.
        if let parcel = pending.parcel, device.deliveries.delivery(to: parcel.channel) != nil { return }
        guard sync.inFlight.isEmpty, let tokens = try? EpochTokens(pending.commit) else { return }
        sync.didSendTurn()
        request(
            .turn(
                channel: record.channel, epoch: record.epoch, id: pending.entryID, payload: pending.payload[...],
                nextAccess: tokens.access),
            .turn(pending.entryID), in: &device)
    }

    mutating func didTurn(
        _ entry: EntryID, _ result: Result<Reply, RelayError>, in device: inout DeviceState
    ) throws(KithError) {
        guard record.status.isOpen, try group(in: &device).pending?.entryID == entry else { return }
        switch result {
        case .success(.accepted(let seq)): acknowledged.add(entry, seq: seq, at: device.now)
        case .success: break
        case .failure(let error):
            switch error.code {
            // Another commit was first. The log will deliver it.
            case .staleEpoch: break
            case .gone: try stop(.closed, in: &device)
            case .denied: try stop(.denied, in: &device)
            case .tooLarge: try dropPending(.tooLong(limit: Int(clamping: error.detail)), in: &device)
            default:
                sync.turnIsOver()
                sync.pause(until: device.now + error.retryDelayMs)
            }
        }
    }

    /// Drops the pending commit, because it can no longer get into the log.
    private mutating func dropPending(_ error: KithError, in device: inout DeviceState) throws(KithError) {
        let loaded = try group(in: &device)
        guard let pending = loaded.pending else { return }
        dropIntent(pending.intent, .failure(error), in: &device)
        loaded.dropPending(of: id, in: &device.step)
        sync.turnIsOver()
    }

    /// Handles the end of a parcel's delivery. If the parcel contains this device's pending commit and there is an error, drops
    /// the commit, because the relay will never have the parcel.
    mutating func didDeliverParcel(
        _ channel: ChannelID, _ error: KithError?, in device: inout DeviceState
    ) throws(KithError) {
        guard record.status.isOpen, try group(in: &device).pending?.parcel?.channel == channel else { return }
        if let error { try dropPending(error, in: &device) }
        try advance(in: &device)
    }

    /// Handles the arrival of this device's commit in the log: the commit's intent is done, unless the intent still has to add
    /// other people.
    private mutating func didCarryOut(_ pending: PendingTurn, in device: inout DeviceState) throws(KithError) {
        for recipient in pending.recipients { keyPackages.forget(recipient.inbox.channel) }
        guard let intent = record.intents.intent(pending.intent) else { return }
        guard case .add(let targets) = intent.change else { return dropIntent(intent.id, .success(id), in: &device) }
        let done = Set(pending.recipients.map(\.inbox.channel))
        for target in targets where target.trust == .invite && done.contains(target.inbox.channel) {
            device.contacts.forgetAddress(of: target.inbox.account, in: &device.step)
        }
        let rest = targets.filter { !done.contains($0.inbox.channel) }
        guard rest.isEmpty else { return record.intents.keep(rest, of: intent.id) }
        record.intents.remove(intent.id)
        if record.isDirect {
            record.didInvite()
            scheduleCard(isAgain: true, in: &device)
        }
        // A command that waits for the addition also waits for the Welcomes.
        finishIfInvited(intent.id, in: &device)
    }

    /// Whether a commit adds the owner of an invite that the user has opened.
    private func opensInvite(_ pending: PendingTurn) -> Bool {
        guard case .add(let targets)? = record.intents.intent(pending.intent)?.change else { return false }
        return targets.contains { $0.trust == .invite }
    }

    /// Removes an intent, and ends the commands that wait for it.
    mutating func dropIntent(
        _ intent: UInt64, _ result: Result<ConversationID, KithError>, in device: inout DeviceState
    ) {
        record.intents.remove(intent)
        markDirty(in: &device)
        if record.status == .preparing, record.intents.isEmpty { record.activate() }
        finishIntent(intent, result, in: &device)
    }

    /// Ends the commands that wait for an intent.
    func finishIntent(_ intent: UInt64, _ result: Result<ConversationID, KithError>, in device: inout DeviceState) {
        device.commands.finish(at: IntentPlace(conversation: id, intent: intent), result, in: &device.step)
    }
}
