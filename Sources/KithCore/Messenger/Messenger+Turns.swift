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
        conversation.record.renewedAt = max(1, wall)
        conversation.record.entriesSinceRenewal = 0
        if conversation.record.status == .preparing { conversation.record.status = .active }
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
            conversation.record.view = view
            try callingMLS { () throws(MLSError) in try loaded.group.apply(staged) }
            loaded.isNewEpoch = true
            touch(conversation)
            didNote(record, at: entry, in: conversation)
            dropOutbox(of: conversation)
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
        if let parcel = loaded.pending?.parcel, let delivery = delivery(of: parcel) {
            // Another commit was first: nobody will look for this one.
            deliveries[delivery] = nil
            output.transaction.delete(StoreKey(.delivery, item: delivery))
        }
        keepGaps(conversation, from: loaded.group, to: next)
        try callingMLS { () throws(MLSError) in try loaded.enter(next) }
        let begin = LogView(
            beginning: next.epoch, of: conversation.record.channel, authenticator: next.epochAuthenticator,
            after: entry.seq, previous: turn.view.hash)
        conversation.record.epoch = next.epoch
        conversation.record.view = begin
        conversation.record.epochBegin = begin
        conversation.record.memberCount = next.memberCount
        conversation.record.entriesSinceRenewal += 1
        conversation.record.agreedBeforeTurn = conversation.record.agreedThrough
        conversation.hashes = [:]
        conversation.accepted = [:]
        conversation.commitProposalsAt = nil
        conversation.sync.enterEpoch()
        touch(conversation)
        // What was encrypted and not taken by then never will be.
        for index in conversation.outbox.indices where conversation.outbox[index].item.attempt != nil {
            conversation.outbox[index].item.attempt = nil
            store(conversation.outbox[index].item, conversation.outbox[index].number, of: conversation)
        }
        try tell(warnings, conversation)
    }

    private func notices(
        of effect: CommitEffect, by committer: EntryRecord.Author, _ group: Group, _ conversation: Conversation
    ) throws(KithError) -> [Notice] {
        let by = name(of: committer)
        var notices: [Notice] = []
        for (_, leaf) in effect.added {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            let person = try person(certificate)
            let isReplaced = effect.removed.contains {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }
            notices.append(.added(isReplaced ? "\(person) (another device)" : person, by: by))
        }
        for (_, leaf) in effect.removed {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            if effect.added.contains(where: {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }) {
                continue
            }
            let proposed = group.pendingProposals.contains { proposal in
                guard case .member(let sender) = proposal.sender, case .remove(let target) = proposal.proposal else {
                    return false
                }
                return sender == target && group.tree[target] == leaf
            }
            let person = try person(certificate)
            notices.append(proposed ? .left(person) : .removed(person, by: by))
        }
        if notices.isEmpty { notices.append(.renewed(by: by)) }
        return notices
    }

    /// What a member is called; somebody new becomes an unverified contact.
    private func person(_ certificate: DeviceCertificate) throws(KithError) -> String {
        if certificate.accountKey == profile.account.publicKey { return profile.name }
        let id = remember(certificate, trust: .unverified)
        return contacts[id]?.name ?? certificate.name
    }

    // MARK: Making them

    /// Does what there is to do in a conversation whose log is here: first changes, then messages.
    func pump(_ conversation: Conversation) throws(KithError) {
        guard conversation.sync.isLive, conversation.record.status.isOpen,
            links.contains(conversation.record.relay)
        else { return }
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
        if let parcel = pending.parcel, delivery(of: parcel) != nil { return }
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
        case .success(.accepted(let seq)): conversation.accepted[entry] = (seq, now, false)
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

    /// The delivery that brings a turn's commit to the relay, until it is there. Not known by its number, which another gets
    /// once it is done.
    private func delivery(of commit: TurnReference) -> UInt64? {
        deliveries.first { $0.value.delivery.channel == commit.channel }?.key
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
        let id = conversation.record.nextIntent
        conversation.record.nextIntent += 1
        conversation.record.intents.append(Intent(id: id, change: change))
        touch(conversation)
        return id
    }

    /// Adds the change that is due without having been asked for.
    private func wantWhatIsDue(_ conversation: Conversation, _ group: Group) {
        let record = conversation.record
        let policy = CommitPolicy(
            memberCount: record.memberCount, isChanging: record.isChanging,
            othersPropose: group.pendingProposals.contains { $0.sender != .member(group.ownLeafIndex) },
            wantsToSend: conversation.outbox.contains { $0.item.body != .leaveProposal },
            hasRenewed: record.renewedAt > 0, isRenewalDue: renewalIsDue(record, group.ownLeafIndex))
        if let change = policy.change(now: now, commitAt: &conversation.commitProposalsAt, random: jitter) {
            want(change, in: conversation)
        }
    }

    private func renewalIsDue(_ record: ConversationRecord, _ leaf: LeafIndex) -> Bool {
        RenewalPolicy(wall: wall).isDue(
            renewedAt: record.renewedAt, entriesSince: record.entriesSinceRenewal, leaf: leaf)
    }

    /// Makes the commit of the first intent that is ready.
    private func stageNext(_ conversation: Conversation, _ loaded: Conversation.LoadedGroup) throws(KithError) {
        for intent in conversation.record.intents {
            switch try prepare(intent, conversation, loaded.group) {
            case .wait: continue
            case .done: finishAndDrop(intent, conversation)
            case .commit(let proposals, let recipients):
                do throws(KithError) {
                    try stage(intent, proposals, recipients, conversation, loaded)
                    return
                } catch {
                    dropIntent(intent.id, of: conversation, .failure(error))
                }
            }
        }
    }

    private enum Preparation {
        case wait
        case done
        case commit([Proposal], [PendingTurn.Recipient])
    }

    private func prepare(
        _ intent: Intent, _ conversation: Conversation, _ group: Group
    ) throws(KithError) -> Preparation {
        switch intent.change {
        case .renew: return .commit([], [])
        case .commitProposals:
            return group.pendingProposals.contains { $0.sender != .member(group.ownLeafIndex) }
                ? .commit([], []) : .done
        case .remove(let account):
            let leaves = group.leaves(of: account)
            return leaves.isEmpty ? .done : .commit(leaves.map { .remove($0) }, [])
        case .leave:
            try prepareLeaving(conversation, group)
            return .wait
        case .add(let targets):
            guard let ready = try keyPackages(for: targets, intent, conversation) else { return .wait }
            guard !ready.isEmpty else { return .done }
            // An invite that was used before leads to a device that is here: there is nothing to do.
            let devices = Set(group.members.compactMap { $0.leaf.credential.deviceCertificate?.deviceID })
            let areHere = zip(targets, ready).allSatisfy { target, recipient in
                let device = recipient.keyPackage.leafNode.credential.deviceCertificate?.deviceID
                return target.trust == .invite && device.map(devices.contains) == true
            }
            if areHere, ready.count == targets.count {
                for target in targets { learnAddress(target) }
                return .done
            }
            var proposals: [Proposal] = []
            for recipient in ready {
                guard let certificate = recipient.keyPackage.leafNode.credential.deviceCertificate else { continue }
                // A device that is new takes the place of those that the person had.
                proposals += group.leaves(of: certificate.accountKey).map { .remove($0) }
                proposals.append(.add(recipient.keyPackage))
            }
            return .commit(proposals, ready)
        }
    }

    private func stage(
        _ intent: Intent, _ proposals: [Proposal], _ recipients: [PendingTurn.Recipient], _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        let (commit, hasTree) = try commit(proposals, inviting: recipients, conversation, loaded)
        let bytes = commit.message.encoded
        var parcel: TurnReference?
        if bytes.count > sizes.turn {
            let (address, _) = try deliverParcel(bytes, intent.id, conversation)
            parcel = TurnReference(to: address, of: bytes)
        }
        let pending = PendingTurn(
            entryID: .random(from: random), commit: commit, intent: intent.id, recipients: recipients,
            hasTreeInWelcome: hasTree, parcel: parcel)
        loaded.pending = pending
        store(pending, of: conversation)
        touch(conversation)
    }

    /// Makes a commit whose Welcomes can be delivered: with the tree in them if it is small, or else with the tree in a parcel. What
    /// members put into their leaves may be large. The commit carries this device's view of the log.
    ///
    /// - Throws: ``KithError/tooLong(limit:)``.
    private func commit(
        _ proposals: [Proposal], inviting recipients: [PendingTurn.Recipient], _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) -> (commit: PendingCommit, hasTreeInWelcome: Bool) {
        var environment = environment
        var options = CommitOptions(proposals)
        options.authenticatedData = conversation.record.view?.encoded ?? []
        let isSmall = loaded.group.memberCount + recipients.count <= ClientLimits.membersWithTreeInWelcome
        for hasTree in isSmall ? [true, false] : [false] {
            environment.configuration.includesRatchetTree = hasTree
            let commit = try callingMLS { () throws(MLSError) in
                try loaded.group.commit(options, in: environment)
            }
            guard let recipient = recipients.first, case .welcome(let welcome)? = commit.welcome else {
                return (commit, hasTree)
            }
            guard hasTree || commit.ratchetTree.count <= ClientLimits.parcel else {
                throw .tooLong(limit: ClientLimits.parcel)
            }
            let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
            let length = one.map { MLSMessage.welcome($0).encoded.count } ?? 0
            if length <= (hasTree ? sizes.welcome : ClientLimits.welcome) { return (commit, hasTree) }
        }
        throw .tooLong(limit: ClientLimits.welcome)
    }

    /// The commit of an intent is in the log.
    private func didCarryOut(_ pending: PendingTurn, _ conversation: Conversation) throws(KithError) {
        for recipient in pending.recipients { conversation.fetches[recipient.inbox.channel] = nil }
        guard let index = conversation.record.intents.firstIndex(where: { $0.id == pending.intent }) else { return }
        let intent = conversation.record.intents[index]
        if case .add(let targets) = intent.change {
            let done = Set(pending.recipients.map(\.inbox.channel))
            let rest = targets.filter { !done.contains($0.inbox.channel) }
            if !rest.isEmpty {
                conversation.record.intents[index].change = .add(rest)
                return
            }
            conversation.record.intents.remove(at: index)
            if conversation.record.isDirect { try sendCard(in: conversation, isAgain: true) }
            // Whoever waits for it waits for the Welcomes too.
            return finishIfInvited(IntentPlace(conversation: conversation.id, intent: intent.id))
        }
        finishAndDrop(intent, conversation)
    }

    private func finishAndDrop(_ intent: Intent, _ conversation: Conversation) {
        dropIntent(intent.id, of: conversation, .success(.conversation(conversation.id)))
    }

    func dropIntent(_ intent: UInt64, of conversation: Conversation, _ result: Result<CommandResult, KithError>) {
        conversation.record.intents.removeAll { $0.id == intent }
        touch(conversation)
        if conversation.record.status == .preparing, conversation.record.intents.isEmpty {
            conversation.record.status = .active
        }
        finishIntent(intent, of: conversation, result)
    }

    func finishIntent(_ intent: UInt64, of conversation: Conversation, _ result: Result<CommandResult, KithError>) {
        finish(at: IntentPlace(conversation: conversation.id, intent: intent), result)
    }

    // MARK: Leaving

    /// The others take this device out: it proposes that in every epoch until they did.
    private func prepareLeaving(_ conversation: Conversation, _ group: Group) throws(KithError) {
        guard group.memberCount > 1 else {
            // Nobody is left to do it: the channel goes.
            request(
                conversation.record.relay, .close(channel: conversation.record.channel),
                for: .closeChannel(conversation.id))
            finishLeaving(conversation)
            return try end(conversation, .left)
        }
        let isProposed = group.pendingProposals.contains {
            $0.sender == .member(group.ownLeafIndex) && $0.proposal == .remove(group.ownLeafIndex)
        }
        guard !isProposed, !conversation.outbox.contains(where: { $0.item.body == .leaveProposal }) else { return }
        enqueue(OutboxItem(entryID: .random(from: random), sentAt: wall, body: .leaveProposal), in: conversation)
    }

    private func finishLeaving(_ conversation: Conversation) {
        for intent in conversation.record.intents where intent.change == .leave {
            finishIntent(intent.id, of: conversation, .success(.done))
        }
        conversation.record.intents.removeAll { $0.change == .leave }
    }

    private func dropOutbox(of conversation: Conversation) {
        conversation.outbox = conversation.outbox.filter { entry in
            if case .content(.text) = entry.item.body { return true }
            output.transaction.delete(StoreKey(.outbox, owner: conversation.id.rawValue, item: entry.number))
            return false
        }
    }
}

extension Group {
    /// The leaves of an account's devices.
    func leaves(of account: AccountKey) -> [LeafIndex] {
        members.filter { $0.leaf.credential.deviceCertificate?.accountKey == account }.map(\.index)
    }
}
