import KithWire
import MLS
import TLSCodec

// Inboxes of one's own: where others leave Welcomes and take key packages.

extension Messenger {
    /// Makes an inbox. It is opened at the relay when that is connected.
    func makeInbox(at relay: RelayID, for purpose: InboxRecord.Purpose) throws(KithError) -> (
        id: InboxID, address: InboxAddress
    )? {
        guard let point = relays[relay] else { return nil }
        let id = InboxID(rawValue: step.numbers.inbox)
        step.numbers.inbox += 1
        let record = InboxRecord(relay: relay, purpose: purpose, random: random)
        inboxes[id] = Inbox(record)
        storeInbox(id)
        relays.want(relay, in: &step)
        try open(inbox: id)
        return (id, address(of: record, at: point))
    }

    func address(of record: InboxRecord, at point: RelayPoint) -> InboxAddress {
        InboxAddress(
            relay: point, channel: record.channel, appendToken: record.appendToken, sealKey: record.sealKey,
            account: profile.account.publicKey.fingerprint)
    }

    func open(inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], relays.isConnected(inbox.record.relay), inbox.followTag == nil else { return }
        let record = inbox.record
        if record.isClosing {
            request(
                record.relay,
                .present(channel: record.channel, epoch: 0, tokens: [record.readToken, record.turnToken]),
                for: .presentInbox(id))
            return request(record.relay, .close(channel: record.channel), for: .closeInbox(id))
        }
        if record.depositedAt == 0, case .invite = record.purpose, commands.isInviteAwaited(id),
            let difference = clockDoubt(about: record.relay)
        {
            // Nobody has heard of it yet.
            forget(inbox: id)
            return fail(at: id, .wrongClock(difference))
        }
        // Once it was there and is not, the relay has lost it, and what was in it.
        if record.depositedAt == 0 {
            request(
                record.relay,
                .create(channel: record.channel, kind: .inbox, access: record.access, retentionSeconds: nil),
                for: .createInbox(id))
        }
        request(
            record.relay, .present(channel: record.channel, epoch: 0, tokens: [record.readToken, record.turnToken]),
            for: .presentInbox(id))
        if !record.isOver(now: wall), inbox.owesDeposit || depositIsDue(inbox) { try deposit(id) }
        followLetters(inbox, id, from: nextLetter(of: inbox))
    }

    func didOpenStep(inbox id: InboxID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard case .failure(let error) = result, let inbox = inboxes[id] else { return }
        if error.code.isPassing { return openLater(inbox, error) }
        // It follows from what was refused before.
        guard inbox.retryAt == nil else { return }
        if error.code == .denied, inbox.record.depositedAt > 0, !inbox.record.isClosing {
            return try makeAgain(inbox, id)
        }
        if error.code == .gone || error.code == .denied || error.code == .exists {
            // It was closed, or the relay lost it.
            if inbox.record.isClosing { return forget(inbox: id) }
            if error.code == .gone { forget(inbox: id) }
            fail(at: id, .relay(.refused(error)))
        }
    }

    /// A relay that does not know an inbox in which there were key packages has lost it. It is made again, with others in it.
    private func makeAgain(_ inbox: Inbox, _ id: InboxID) throws(KithError) {
        guard !isOver(inbox) else { return try close(inbox: id) }
        step.unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue = []
        parcels.forget(.tree(id), in: &step)
        // If there is a deposit under way, it is refused, too.
        inbox.isDepositing = false
        inbox.record.depositedAt = 0
        inbox.record.lastSeq = 0
        inbox.record.trimmedSeq = 0
        inbox.record.aside = []
        storeInbox(id)
        try open(inbox: id)
    }

    /// Opens an inbox anew after a while. Nobody waits for it: rather a little late than among the answers to what was asked.
    func openLater(_ inbox: Inbox, _ error: RelayError) {
        step.unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue = []
        inbox.retryAt = now + max(ClientLimits.inboxPatienceMs, error.patienceMs)
    }

    func didRefuseFollow(inbox id: InboxID, _ error: RelayError) throws(KithError) {
        guard let inbox = inboxes[id] else { return }
        inbox.followTag = nil
        inbox.queue = []
        switch error.code {
        case .trimmed:
            // Earlier entries are gone; later ones will come.
            inbox.record.forgetAside(0...error.detail - min(1, error.detail))
            inbox.record.lastSeq = max(inbox.record.lastSeq, error.detail - min(1, error.detail))
            storeInbox(id)
            try open(inbox: id)
        case .gone: forget(inbox: id)
        case let code where code.isPassing: openLater(inbox, error)
        // Nothing can be read there.
        default: if isOver(inbox) { try close(inbox: id) }
        }
    }

    /// A relay that has fewer entries than were processed has lost some, and begins to count where it is.
    func didStartFollow(_ inbox: Inbox, _ id: InboxID, lastSeq: UInt64) throws(KithError) {
        inbox.lastThere = lastSeq
        inbox.record.correctWaits(now: letterTime(inbox))
        guard lastSeq < inbox.record.lastSeq else {
            trimAtOnce(inbox, id)
            return try closeIfOver(inbox: id)
        }
        step.unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.record.lastSeq = lastSeq
        inbox.record.aside = []
        inbox.record.trimmedSeq = min(inbox.record.trimmedSeq, lastSeq)
        // The key packages may be gone as well.
        inbox.record.depositedAt = 0
        storeInbox(id)
        try open(inbox: id)
    }

    /// Closes an inbox whose invite was used or has run out, but not before what was put into it by then has been read: who put
    /// it there was told that it had arrived.
    func closeIfOver(inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], isOver(inbox), inbox.isRead else { return }
        try close(inbox: id)
    }

    /// Whether an inbox is to be closed: its invite was used, or has run out by the relay's clock, too.
    func isOver(_ inbox: Inbox) -> Bool {
        guard case .invite(_, let expiresAt) = inbox.record.purpose else { return false }
        return inbox.record.isSpent || clocks.agree(isOver: expiresAt.asMilliseconds, relay: inbox.record.relay)
    }

    /// Closes an inbox: at the relay as soon as that is connected, and here at once.
    func close(inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], !inbox.record.isClosing else { return }
        inbox.record.isClosing = true
        step.unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue = []
        parcels.forget(.tree(id), in: &step)
        storeInbox(id)
        step.deleteAll(.keyPackage, owner: id.rawValue)
        fail(at: id, .inviteExpired)
        try open(inbox: id)
    }

    func didClose(inbox id: InboxID, _ result: Result<Reply, RelayError>) {
        guard let inbox = inboxes[id] else { return }
        if case .failure(let error) = result {
            if error.code.isPassing { return openLater(inbox, error) }
            guard inbox.retryAt == nil else { return }
        }
        forget(inbox: id)
    }

    private func forget(inbox id: InboxID) {
        // The inbox is closed, as its commands asked.
        if inboxes.removeValue(forKey: id)?.record.isClosing == true { commands.didClose(id, in: &step) }
        parcels.forget(.tree(id), in: &step)
        step.delete(StoreKey(.inbox, item: id.rawValue))
        step.deleteAll(.keyPackage, owner: id.rawValue)
    }
}

extension InboxRecord.Purpose {
    /// The number of key packages that are deposited, beside the one of last resort.
    var keyPackages: Int {
        switch self {
        case .invite(let isReusable, _): isReusable ? 10 : 1
        case .contact: 2
        case .name: 10
        }
    }

    /// Whether the inbox is an invite's.
    var isInvite: Bool { if case .invite = self { true } else { false } }

    /// Whether a name leads to the inbox.
    var isName: Bool { if case .name = self { true } else { false } }

    /// Whether few have the address. Where anybody may have it, no stranger makes this device connect to a relay of their choice.
    var isForFew: Bool {
        switch self {
        case .invite(let isReusable, _): !isReusable
        case .contact: true
        case .name: false
        }
    }

    /// Whether the inbox is for one person: the first who uses the invite.
    var isForOne: Bool { if case .invite(isReusable: false, _) = self { true } else { false } }

    /// The reason to believe the key of a person who comes this way.
    var trust: Trust { isForOne ? .usedMyInvite : .unverified }
}
