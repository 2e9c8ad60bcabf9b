import KithWire

extension Messenger {
    /// In how many milliseconds ``MessengerInput/tick`` is due, from the last input on; `nil` if nothing waits for the time.
    package var wakeDelay: UInt64? {
        var due: [UInt64] = []
        due += deliveries.due(relays)
        due += erasures.delays(clocks) { conversations[$0]?.record.relay }.map(now.plus)
        for conversation in conversations.values where conversation.record.status.isOpen {
            guard relays.isConnected(conversation.record.relay) else { continue }
            if let at = changeDue(conversation) { due.append(at) }
            due += conversation.acknowledged.due
            if conversation.sync.isLive { due += conversation.comparison.due }
        }
        due += parcels.due
        for (id, inbox) in inboxes { due += self.due(inbox, id) }
        return due.min().map { $0 - min($0, now) }
    }

    private func due(_ inbox: Inbox, _ id: InboxID) -> [UInt64] {
        var due: [UInt64] = []
        let isLinked = relays.isConnected(inbox.record.relay)
        if let retryAt = inbox.retryAt, isLinked { due.append(retryAt) }
        guard !inbox.record.isClosing else { return due }
        if isLinked, let renewal = nameRenewalDue(id) { due.append(renewal) }
        // Once it has run out, what the relay brings closes it.
        if case .invite(_, let expiresAt) = inbox.record.purpose,
            let delay = clocks.delay(untilOver: expiresAt.asMilliseconds, relay: inbox.record.relay), delay > 0
        {
            due.append(now.plus(delay))
        }
        if isLinked, let delay = trimDelay(inbox) { due.append(now.plus(delay)) }
        if isLinked { due += restsOfWaits(inbox).map(now.plus) }
        if inbox.record.depositedAt > 0, isLinked, !inbox.isDepositing, inbox.retryAt == nil,
            !inbox.record.isOver(now: wall)
        {
            let mayDeposit = clockDoubt(about: inbox.record.relay) == nil
            due.append(now.plus(mayDeposit ? depositDelay(inbox) : ClientLimits.clockPatienceMs))
        }
        return due
    }

    /// The time at which a conversation has something to do of itself. Nothing is due while it waits for the relay: the answer wakes it.
    private func changeDue(_ conversation: Conversation) -> UInt64? {
        let record = conversation.record
        switch conversation.sync {
        case .opening, .catchingUp: return nil
        case .offline(let retryAt): return retryAt
        case .live(let following):
            if let retryAt = following.retryAt { return retryAt }
            guard conversation.loaded?.pending == nil else { return nil }
            let held = conversation.heldUntil
            guard !record.isChanging, record.memberCount > 1 else { return held }
            let canRenew = record.renewedAt > 0 && record.entriesSinceRenewal > 0
            let renewal = canRenew ? now.plus(RenewalPolicy(wall: wall).latestDelay(renewedAt: record.renewedAt)) : nil
            return [held, conversation.commitProposalsAt, renewal].compactMap { $0 }.min()
        }
    }

    /// In how many milliseconds an inbox gets fresh key packages.
    func depositDelay(_ inbox: Inbox) -> UInt64 {
        inbox.isDepositHeld ? 0 : wall.rest(of: ClientLimits.depositMs, since: inbox.record.depositedAt)
    }

    func didTick() throws(KithError) {
        try eraseExpired()
        for number in deliveries.ready(at: now) { try openDelivery(number) }
        for purpose in parcels.purposes { try handle(parcels.tick(purpose, relays, at: now, in: &step)) }
        try renewCertificate()
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id] else { continue }
            if let retryAt = inbox.retryAt, retryAt <= now, relays.isConnected(inbox.record.relay) {
                inbox.retryAt = nil
                try open(inbox: id)
            }
            guard !inbox.record.isClosing else { continue }
            if relays.isConnected(inbox.record.relay) { try renewName(of: id) }
            trimIfDue(inbox, id)
            if isOver(inbox) {
                try closeIfOver(inbox: id)
            } else if inbox.record.depositedAt > 0, inbox.retryAt == nil, relays.isConnected(inbox.record.relay),
                !inbox.record.isOver(now: wall), depositDelay(inbox) == 0
            {
                try deposit(id)
            }
        }
        for id in conversations.keys.sorted() {
            guard let conversation = conversations[id], conversation.record.status.isOpen else { continue }
            try checkKept(conversation)
            if case .offline(let retryAt?) = conversation.sync, retryAt <= now {
                conversation.sync.retryAt = nil
                try open(conversation)
            }
            try pump(conversation)
        }
    }

    /// Looks for acknowledged entries that the log has not brought. The first time, the log is asked for anew: the
    /// clock may have jumped.
    private func checkKept(_ conversation: Conversation) throws(KithError) {
        let isLive = conversation.sync.isLive
        let missesClaimed = checkClaims(conversation)
        let (missing, asksAnew) = conversation.acknowledged.check(at: now, isLive: isLive)
        for seq in missing { try warn(conversation, .notKept(seq: seq)) }
        guard isLive, missesClaimed || asksAnew else { return }
        hangUp(conversation)
        try open(conversation)
    }

    /// Erases the texts whose time is over by the device's clock and by the relay's.
    func eraseExpired() throws(KithError) {
        for place in erasures.takeOver(clocks, relay: { conversations[$0]?.record.relay }, in: &step) {
            let key = StoreKey(.entry, owner: place.conversation.rawValue, item: place.seq)
            let found = try entries(
                of: place.conversation, place.seq...place.seq, limit: 1, newestFirst: false)
            guard let (_, stored) = found.first else { continue }
            if var record = stored {
                record.body = .expired
                step.put(key, record.encoded)
            } else {
                step.delete(key)
            }
        }
    }

    // MARK: Reading

    /// The times at which a text is hidden and erased; `nil` if it stays. Another process may have stored it after this one looked.
    private func expiry(of record: EntryRecord, at place: EntryPlace) throws(KithError) -> Expiry? {
        guard record.expiresAfter != nil, case .text = record.body else { return nil }
        if let known = erasures[place] { return known }
        let key = StoreKey(.expiry, owner: place.conversation.rawValue, item: place.seq)
        guard let stored = try reading({ () throws(StoreError) in try store.value(key) }) else { return nil }
        return try decodingStored(.expiry) { try Expiry(stored: stored) }
    }

    /// An entry as it may be shown now: whatever shows or exports entries reads them with this.
    func entry(_ stored: [UInt8], at place: EntryPlace) throws(KithError) -> EntryRecord {
        var record = try decodingStored(.entry) { try EntryRecord(stored: stored) }
        if let expiry = try expiry(of: record, at: place), expiry.isOver(wall: wall) { record.body = .expired }
        return record
    }
}
