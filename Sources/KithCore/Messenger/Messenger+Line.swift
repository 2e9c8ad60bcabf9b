import KithWire
import MLS

// How a conversation gets to its log, and stays there.

extension Messenger {
    /// Presents the epoch's tokens and follows the epoch, if the relay is there. Pipelined: the relay looks at a channel's
    /// requests in order.
    func open(_ conversation: Conversation) throws(KithError) {
        let record = conversation.record
        guard mayAct(in: conversation), relays.isConnected(record.relay), record.status.isOpen,
            conversation.sync.following?.tag == nil
        else { return }
        if conversation.tokens == nil { _ = try group(of: conversation) }
        guard let tokens = conversation.tokens else { return }
        if !record.isCreated {
            request(
                record.relay, .create(channel: record.channel, access: tokens.access, retentionSeconds: nil),
                for: .createChannel(conversation.id))
        }
        request(
            record.relay, .present(channel: record.channel, epoch: record.epoch, tokens: tokens.all),
            for: .present(conversation.id, epoch: record.epoch))
        let tag = step.follow(
            record.relay, record.channel, epoch: record.epoch, fromSeq: record.lastSeq + 1,
            for: .conversation(conversation.id, epoch: record.epoch))
        conversation.sync.beginFollow(tag)
    }

    func didCreate(_ id: ConversationID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let conversation = conversations[id] else { return }
        switch result {
        case .success:
            conversation.record.didCreateChannel()
            touch(conversation)
        case .failure(let error) where error.code.isPassing: retryLine(conversation, error)
        case .failure: try stop(conversation, .denied)
        }
    }

    func didPresent(_ id: ConversationID, _ epoch: UInt64, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let conversation = conversations[id], conversation.record.epoch == epoch,
            case .failure(let error) = result
        else { return }
        try didRefuseLine(conversation, error)
    }

    func didRefuseFollow(_ conversation: Conversation, _ error: RelayError) throws(KithError) {
        try didRefuseLine(conversation, error)
    }

    private func didRefuseLine(_ conversation: Conversation, _ error: RelayError) throws(KithError) {
        guard conversation.record.status.isOpen else { return }
        switch error.code {
        case .gone: try stop(conversation, .closed)
        case .trimmed: try stop(conversation, .trimmed, through: error.detail)
        case .denied:
            // A channel that is being made is not there until its making was answered.
            if conversation.record.isCreated { try stop(conversation, .denied) }
        default: retryLine(conversation, error)
        }
    }

    /// Ends the connection to a conversation's log.
    func hangUp(_ conversation: Conversation) {
        step.unfollow(conversation.record.relay, conversation.sync.following?.tag)
        parcels.forget(.commit(conversation.id), in: &step)
        conversation.hangUp()
    }

    /// Opens the line anew after a while.
    private func retryLine(_ conversation: Conversation, _ error: RelayError) {
        hangUp(conversation)
        conversation.sync.retryAt = now + error.patienceMs
    }

    func didStartFollow(
        _ conversation: Conversation, epoch: UInt64, firstSeq: UInt64, lastSeq: UInt64
    ) throws(KithError) {
        guard conversation.sync.isOpening, conversation.record.epoch == epoch else { return }
        if conversation.record.view == nil, firstSeq < StoreKey.highest {
            try begin(conversation, after: firstSeq - min(1, firstSeq))
        }
        guard firstSeq < StoreKey.highest, firstSeq == conversation.record.lastSeq + 1 else {
            return try stop(conversation, .brokenLog)
        }
        conversation.sync.catchUp(through: lastSeq)
        try didCatchUp(conversation)
    }

    /// The place of the epoch's first entry is known: the log begins here for a device that has just joined.
    private func begin(_ conversation: Conversation, after seq: UInt64) throws(KithError) {
        let loaded = try group(of: conversation)
        let view = LogView(
            beginning: conversation.record.epoch, of: conversation.record.channel,
            authenticator: loaded.group.epochAuthenticator, after: seq,
            previous: conversation.record.invitedView?.previous ?? LogView.noPrevious)
        let invited = conversation.record.begin(afterJoining: view)
        touch(conversation)
        try noteBeginning(of: conversation, at: seq)
        // The relay shows another place than the inviter saw.
        if let invited, invited != view {
            try warn(conversation, .differentLogs(first: min(seq, invited.seq), last: max(seq, invited.seq)))
        }
    }

    /// Whether everything that was there when the follow began is here; then sending may begin.
    func didCatchUp(_ conversation: Conversation) throws(KithError) {
        guard case .catchingUp(_, let last) = conversation.sync, conversation.record.lastSeq >= last else { return }
        conversation.sync.becomeLive()
        conversation.presence.didCatchUp()
        conversation.comparison.restartClaims(at: now)
        if conversation.presence.isCheckDue { try challenge(in: conversation) }
        try pump(conversation)
    }

    /// Ends a conversation on this device, and says why.
    func stop(
        _ conversation: Conversation, _ reason: StopReason, through seq: UInt64? = nil
    ) throws(KithError) {
        guard conversation.record.status.isOpen else { return }
        try end(conversation, .stopped(seq: seq ?? conversation.record.lastSeq + 1, reason: reason))
    }

    /// Ends a conversation on this device. Commands that wait for it fail.
    func end(_ conversation: Conversation, _ status: ConversationStatus) throws(KithError) {
        hangUp(conversation)
        conversation.record.end(status)
        if conversation.record.isDirect, status == .left {
            // Nobody is invited any more.
            deliveries.drop({ $0.conversation == conversation.id }, in: &step)
        }
        for intent in conversation.record.intents {
            finishIntent(intent.id, of: conversation, .failure(.conversation(status)))
        }
        conversation.record.removeIntents()
        for place in commands.places(in: conversation.id) { finishIfInvited(place) }
        touch(conversation)
        tell(.conversation(try summary(of: conversation)))
    }
}

extension RelayError.Code {
    /// Whether the same request may be answered otherwise after a while.
    var isPassing: Bool {
        switch self {
        case .tooFast, .tooMany, .full, .unavailable: true
        default: false
        }
    }
}

extension RelayError {
    /// How long to wait before asking again, in milliseconds.
    var patienceMs: UInt64 { retryAfterMs > 0 ? UInt64(retryAfterMs) : Self.leastPatienceMs }

    /// The first pause where a relay names none, in milliseconds.
    static let leastPatienceMs: UInt64 = 2_000
}
