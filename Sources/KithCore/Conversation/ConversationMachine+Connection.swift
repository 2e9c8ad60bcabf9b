import KithWire
import MLS

// The connection to the log: follows, and whispers on this connection. Also what the other members have read.

extension ConversationMachine {
    // MARK: Follows

    /// Presents the epoch's tokens and follows the epoch, if the relay is connected. The function does not wait for answers in
    /// between, because the relay handles the requests about a channel in order.
    mutating func open(in device: inout DeviceState) throws(KithError) {
        guard mayAct, device.relays.isConnected(record.relay), record.status.isOpen, sync.following?.tag == nil
        else { return }
        if keptGroup.tokens(of: record.epoch) == nil { _ = try group(in: &device) }
        guard let tokens = keptGroup.tokens(of: record.epoch) else { return }
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

    mutating func didCreateChannel(
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

    /// Handles the relay's refusal of the tokens or of the follow.
    mutating func didRefuse(_ error: RelayError, in device: inout DeviceState) throws(KithError) {
        guard record.status.isOpen else { return }
        switch error.code {
        case .gone: try stop(.closed, in: &device)
        case .trimmed: try stop(.trimmed, through: error.detail, in: &device)
        case .denied:
            // Until the channel is created, only the relay's answer to its creation decides.
            if record.isCreated { try stop(.denied, in: &device) }
        default: openLater(error, in: &device)
        }
    }

    /// Follows the log again after a pause.
    private mutating func openLater(_ error: RelayError, in device: inout DeviceState) {
        resetConnection(in: &device)
        sync.pause(until: device.now + error.retryDelayMs)
    }

    /// Ends the connection to the log.
    mutating func resetConnection(in device: inout DeviceState) {
        device.step.unfollow(record.relay, sync.following?.tag)
        device.parcels.forget(.commit(id), in: &device.step)
        sync.disconnect()
        if typists.end() { emitTypists(in: &device) }
    }

    mutating func didStartFollow(_ place: FollowPlace, in device: inout DeviceState) throws(KithError) {
        guard sync.isOpening, record.epoch == place.epoch else { return }
        let first = place.firstSeq
        if record.view == nil, first < StoreKey.highest { try begin(after: first - min(1, first), in: &device) }
        guard first < StoreKey.highest, first == record.lastSeq + 1 else { return try stop(.brokenLog, in: &device) }
        sync.catchUp(through: place.lastSeq)
        try didCatchUp(in: &device)
    }

    mutating func didFollow(
        _ event: FollowEvent, _ tag: UInt64, epoch: UInt64, in device: inout DeviceState
    ) throws(KithError) {
        switch event {
        case .entries(let entries): try process(entries, in: &device)
        case .whisper(let payload): try didHear(payload, in: &device)
        case .epochEnded:
            _ = device.step.endFollow(tag, record.relay)
            sync.endFollow()
            // The turn's commit is still being fetched, and will be applied when it arrives.
            if device.parcels.isFetching(.commit(id)) { return }
            // An epoch ends with a turn, which is applied or stops the conversation. Neither has happened, so the log is
            // broken.
            if record.epoch == epoch { return try stop(.brokenLog, in: &device) }
            try open(in: &device)
        }
    }

    /// Begins this device's view of the log after the device has joined. The relay has stated the position of the epoch's first
    /// entry.
    private mutating func begin(after seq: UInt64, in device: inout DeviceState) throws(KithError) {
        let loaded = try group(in: &device)
        let view = LogView(
            beginning: record.epoch, of: record.channel, authenticator: loaded.group.epochAuthenticator, after: seq,
            previous: record.invitedView?.previous ?? LogView.noPrevious)
        let invited = record.begin(afterJoining: view)
        markDirty(in: &device)
        try noteBeginning(at: seq, in: &device)
        // The relay shows another position than the inviter saw.
        if let invited, invited != view {
            try warn(.differentLogs(first: min(seq, invited.seq), last: max(seq, invited.seq)), in: &device)
        }
    }

    /// Becomes live if this device has processed all entries that the relay had when the follow began. A live conversation may
    /// send entries.
    mutating func didCatchUp(in device: inout DeviceState) throws(KithError) {
        guard case .catchingUp(_, let last) = sync, record.lastSeq >= last else { return }
        sync.becomeLive()
        comparison.restartClaims(at: device.now)
        if isCheckDue { try challenge(in: &device) }
        try advance(in: &device)
    }

    /// Checks for entries that the log has not delivered, although the relay has acknowledged them or a member has them. If an
    /// entry is late for the first time, only follows the log again, because a jump of the clock makes every entry seem late.
    mutating func checkKept(in device: inout DeviceState) throws(KithError) {
        let isLive = sync.isLive
        var asksAnew = false
        if isLive {
            let claims = comparison.checkClaims(at: device.now)
            for seq in claims.heldBack { emit(.heldBack(through: seq), in: &device) }
            asksAnew = claims.asksAnew
        }
        let late = acknowledged.check(at: device.now, isLive: isLive)
        for seq in late.missing { try warn(.notKept(seq: seq), in: &device) }
        guard isLive, asksAnew || late.asksAnew else { return }
        resetConnection(in: &device)
        try open(in: &device)
    }

    // MARK: Live checks

    /// Begins a live check, as soon as the log has been read to its end. After the check has begun, this device challenges each
    /// member that comes online.
    mutating func checkPresence(in device: inout DeviceState) throws(KithError) {
        presence.watch()
        sync.withChallenge { $0.beginAgain() }
        if sync.isLive { try challenge(in: &device) }
    }

    /// Whether to send a challenge after the log has been read to its end. A challenge is due if the user wants to know who is
    /// online and no member has answered yet. An earlier challenge may have reached nobody, because its epoch was over.
    var isCheckDue: Bool { presence.isWatched && sync.challenge?.isAnswered == false }

    /// Sends a challenge to the members who are online.
    mutating func challenge(in device: inout DeviceState) throws(KithError) {
        let random = device.random
        guard let view = record.view, let nonce = sync.withChallenge({ $0.nonce(from: random) }) else { return }
        let proof = WhisperProof(kind: .challenge, nonce: nonce, account: device.account, view: view)
        try whisper(.challenge, proof, in: &device)
    }

    // MARK: Whispers

    /// Handles a whisper. Ignores a whisper that is not authentic, or whose sender the user has blocked.
    mutating func didHear(_ payload: ArraySlice<UInt8>, in device: inout DeviceState) throws(KithError) {
        let group = try group(in: &device).group
        let opened = try callingMLS { () throws(MLSError) in
            try Whisper(opening: payload, on: record.channel, in: group)
        }
        guard let check = opened, check.leaf != group.ownLeafIndex,
            let account = group.tree[check.leaf]?.credential.deviceCertificate?.accountKey,
            !device.contacts.hasBlocked(account)
        else { return }
        switch check.kind {
        case .challenge: try didHearChallenge(check, by: account, in: &device)
        case .answer(let challenger, let challenge):
            guard challenger == group.ownLeafIndex, sync.challenge?.isAwaited(challenge) == true,
                let contact = device.contacts[account],
                check.isGenuine(.answer(challenge: challenge, challenger: device.account), by: account, in: group),
                sync.withChallenge({ $0.didProve(check.leaf) }) == true
            else { return }
            presence.didProve(check.leaf, at: device.now)
            let comparison = try compareLive(check.view, of: check.leaf, in: &device)
            device.emit(.memberIsOnline(id, contact.id, name: contact.name, comparison))
        case .typing(let sentAt): try didHearTyping(check, at: sentAt, by: account, in: &device)
        }
    }

    /// Answers a challenge, and compares the challenger's view of the log with this device's. If this device's view is behind,
    /// the relay may be holding back the end of the log.
    private mutating func didHearChallenge(
        _ check: Whisper, by account: AccountKey, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        guard let view = record.view, presence.mayHandle(at: device.now),
            check.isGenuine(.challenge, by: account, in: group)
        else { return }
        let proof = WhisperProof(
            kind: .answer(challenge: check.nonce, challenger: account), nonce: device.random.bytes(32),
            account: device.account, view: view)
        try whisper(.answer(to: check.leaf, challenge: check.nonce), proof, in: &device)
        _ = try compareLive(check.view, of: check.leaf, in: &device)
        let now = device.now
        guard let asked = sync.challenge,
            presence.asksBack(check.leaf, asked, memberCount: record.memberCount, at: now)
        else { return }
        sync.withChallenge { $0.askBack(check.leaf, at: now) }
        try challenge(in: &device)
    }

    /// Compares the view in a member's challenge or answer with this device's view. A member's view that is ahead is compared
    /// later, when the relay has delivered the missing entries.
    private mutating func compareLive(
        _ theirs: LogView, of sender: LeafIndex, in device: inout DeviceState
    ) throws(KithError) -> LogComparison {
        guard let own = record.view else { return .same }
        if theirs.seq > own.seq, theirs.previous == own.previous || record.trustsWhatWasBeforeTurn {
            comparison.claim(theirs, of: sender, at: device.now)
            return .ahead(by: theirs.seq - own.seq)
        }
        if let difference = try comparison.difference(theirs, before: own.seq + 1, record, in: &device) {
            if record.comparesViews { try warn(difference, in: &device) }
            return .differs
        }
        return theirs.seq == own.seq ? .same : .behind(by: own.seq - theirs.seq)
    }

    private mutating func whisper(
        _ kind: Whisper.Kind, _ proof: WhisperProof, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        let payload = try callingMLS { () throws(MLSError) in
            let signature = try device.identity.signer.sign(label: Whisper.label, proof.encoded(in: group))
            let check = Whisper(
                kind, from: group.ownLeafIndex, nonce: proof.nonce, view: proof.view, signature: signature)
            return try check.sealed(on: record.channel, in: group, random: device.random)
        }
        guard let payload else { return }
        request(.whisper(channel: record.channel, epoch: record.epoch, payload: payload[...]), .whisper, in: &device)
    }

    // MARK: Typing

    /// Tells the members who are online that the user is typing. Does nothing if nobody may learn it, or if the members were told a
    /// moment ago.
    mutating func tellTyping(in device: inout DeviceState) throws(KithError) {
        guard sync.isLive, record.status == .active, record.memberCount > 1, hasSmallGroup,
            record.hasAnswer || !record.isDirect, obstacle(device.contacts) == nil, let view = record.view
        else { return }
        let members = try group(in: &device).group.memberAccounts
        guard !members.contains(where: { device.contacts.hasBlocked($0) }), typists.mayTell(at: device.now) else {
            return
        }
        let sentAt = device.wall
        let proof = WhisperProof(
            kind: .typing(at: sentAt), nonce: device.random.bytes(32), account: device.account, view: view)
        try whisper(.typing(at: sentAt), proof, in: &device)
    }

    /// Whether the group is small enough for receipts and for reports about typing.
    var hasSmallGroup: Bool { record.memberCount <= ClientLimits.membersWithReceipts }

    private mutating func didHearTyping(
        _ report: Whisper, at sentAt: UInt64, by account: AccountKey, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        let moment = Typists.Moment(seq: report.view.seq, sentAt: sentAt)
        guard hasSmallGroup, typists.isNew(moment, of: report.leaf), presence.mayHandle(at: device.now),
            let contact = device.contacts[account],
            report.isGenuine(.typing(at: sentAt), by: account, in: group)
        else { return }
        let hasBegun = typists.didHear(moment, of: report.leaf, contact.id, at: device.now)
        if hasBegun { emitTypists(in: &device) }
        _ = try compareLive(report.view, of: report.leaf, in: &device)
    }

    /// Notes a message of a member, which ends the report that the member is typing.
    mutating func didSay(
        _ author: EntryRecord.Author, _ leaf: LeafIndex, at seq: UInt64, in device: inout DeviceState
    ) {
        guard hasSmallGroup, case .contact(let member) = author, typists.didSay(member, leaf, at: seq) else { return }
        emitTypists(in: &device)
    }

    /// Reports the members who are typing.
    func emitTypists(in device: inout DeviceState) { device.emit(.typing(id, typingMembers(in: device.contacts))) }

    /// Returns the members who are typing, in the order in which they began.
    func typingMembers(in contacts: ContactBook) -> [TypingMember] {
        typists.members.compactMap { member in
            contacts[member].map { TypingMember(contact: member, name: $0.name) }
        }
    }

    // MARK: What members have read

    /// Handles a receipt: a member has read everything up to a seq.
    mutating func didRead(
        _ contact: ContactID, through seq: UInt64, in device: inout DeviceState
    ) throws(KithError) {
        let before = record.readBy[contact]
        guard seq > before else { return }
        record.readBy.didRead(contact, through: seq)
        // Only the last own message up to that seq is reported. The report also applies to all earlier own messages.
        var last = seq
        while last > before, seq - last < ClientLimits.readSearch {
            let entries = try device.entries(of: id, before + 1...last, limit: 50, newestFirst: true)
            for (seq, noted) in entries {
                guard let noted, noted.author == .me, noted.body.isForPeople else { continue }
                let place = EntryPlace(conversation: id, seq: seq)
                for line in noted.messages(at: place, readBy: record.readBy, in: device) { device.emit(.message(line)) }
                return
            }
            guard let oldest = entries.last else { return }
            last = oldest.seq - 1
        }
    }

    /// Notes where new members have joined, because they can't read earlier entries. In a large group, nobody sends receipts.
    mutating func noteNewMembers(_ effect: CommitEffect, at seq: UInt64, in device: DeviceState) {
        guard hasSmallGroup else { return }
        record.readBy.didAdd(device.newMembers(in: effect), at: seq)
    }
}
