import KithWire

extension Messenger {
    /// When ``MessengerInput/tick`` is due, in milliseconds since 1970; `nil` if nothing waits for the time.
    package var nextWake: UInt64? {
        var due: [UInt64] = []
        if let deliveryRetryAt { due.append(deliveryRetryAt) }
        due += expiries.values
        for conversation in conversations.values where conversation.record.status.isOpen {
            guard links.contains(conversation.record.relay) else { continue }
            if let at = changeDue(conversation) { due.append(at) }
            for place in conversation.accepted.values { due.append(place.at + ClientLimits.keptMs) }
        }
        for parcel in parcels.values { due.append(parcel.retryAt ?? parcel.since + ClientLimits.parcelMs) }
        for inbox in inboxes.values {
            let isLinked = links.contains(inbox.record.relay)
            if let retryAt = inbox.retryAt, isLinked { due.append(retryAt) }
            guard !inbox.record.isClosing else { continue }
            // Once it has run out, what the relay brings closes it.
            if case .invite(_, let expiresAt) = inbox.record.purpose, !inbox.record.isExpired(now: now) {
                due.append(expiresAt.asMilliseconds)
            }
            if let waiting = inbox.waiting { due.append(waiting.since + ClientLimits.parcelMs) }
            if inbox.record.depositedAt > 0, isLinked, !inbox.isDepositing, inbox.retryAt == nil,
                !inbox.record.isOver(now: now)
            {
                due.append(inbox.record.depositedAt + ClientLimits.depositMs)
            }
        }
        return due.min()
    }

    /// When a conversation has something to do of itself. Nothing is due while it waits for the relay: the answer wakes it.
    private func changeDue(_ conversation: Conversation) -> UInt64? {
        let record = conversation.record
        switch conversation.line {
        case .opening, .catchingUp: return nil
        case .down: return conversation.retryAt
        case .live:
            if let retryAt = conversation.retryAt { return retryAt }
            let isChanging = record.intents.contains { $0.change == .renew || $0.change == .commitProposals }
            guard !isChanging, conversation.loaded?.pending == nil, record.memberCount > 1 else { return nil }
            let canRenew = record.renewedAt > 0 && record.entriesSinceRenewal > 0
            let renewal = canRenew ? record.renewedAt + ClientLimits.renewalMs + 24 * 3_600_000 : UInt64.max
            let due = min(conversation.commitProposalsAt ?? .max, renewal)
            return due == .max ? nil : due
        }
    }

    /// What is waited for until a time takes no longer because the clock is another now.
    func didSetClockBack(by change: UInt64) {
        func earlier(_ time: UInt64) -> UInt64 { time - min(time, change) }
        deliveryRetryAt = deliveryRetryAt.map(earlier)
        for conversation in conversations.values {
            conversation.retryAt = conversation.retryAt.map(earlier)
            conversation.commitProposalsAt = conversation.commitProposalsAt.map(earlier)
            conversation.accepted = conversation.accepted.mapValues { ($0.seq, earlier($0.at), $0.isAskedAgain) }
        }
        for inbox in inboxes.values {
            inbox.retryAt = inbox.retryAt.map(earlier)
            if let waiting = inbox.waiting { inbox.waiting?.since = earlier(waiting.since) }
        }
        parcels = parcels.mapValues { parcel in
            var parcel = parcel
            parcel.retryAt = parcel.retryAt.map(earlier)
            parcel.since = earlier(parcel.since)
            return parcel
        }
    }

    func didTick() throws(KithError) {
        try deleteExpired()
        if let at = deliveryRetryAt, at <= now {
            deliveryRetryAt = nil
            for number in deliveries.keys.sorted() { try openDelivery(number) }
        }
        try tickParcels()
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id] else { continue }
            if let retryAt = inbox.retryAt, retryAt <= now, links.contains(inbox.record.relay) {
                inbox.retryAt = nil
                try open(inbox: id)
            }
            guard !inbox.record.isClosing else { continue }
            if inbox.record.isOver(now: now) {
                try closeIfOver(inbox: id)
            } else if inbox.record.depositedAt > 0, inbox.retryAt == nil,
                now >= inbox.record.depositedAt + ClientLimits.depositMs,
                links.contains(inbox.record.relay)
            {
                try deposit(id)
            }
        }
        for id in conversations.keys.sorted() {
            guard let conversation = conversations[id], conversation.record.status.isOpen else { continue }
            try checkKept(conversation)
            if conversation.line == .down, let retryAt = conversation.retryAt, retryAt <= now {
                conversation.retryAt = nil
                try open(conversation)
            }
            try pump(conversation)
        }
    }

    /// What the relay said it has must come with the log. The first time that it does not, the log is asked for anew: the
    /// clock may have jumped.
    private func checkKept(_ conversation: Conversation) throws(KithError) {
        let late = conversation.accepted.filter { $0.value.at + ClientLimits.keptMs <= now }
        guard !late.isEmpty else { return }
        for (entry, place) in late.sorted(by: { $0.value.seq < $1.value.seq }) {
            guard place.isAskedAgain, conversation.line == .live else {
                conversation.accepted[entry] = (place.seq, now, true)
                continue
            }
            conversation.accepted[entry] = nil
            try warn(conversation, .notKept(seq: place.seq))
        }
        guard conversation.line == .live, late.contains(where: { !$0.value.isAskedAgain }) else { return }
        hangUp(conversation)
        try open(conversation)
    }

    /// Texts whose time is over are deleted.
    private func deleteExpired() throws(KithError) {
        for (place, at) in expiries where at <= now {
            expiries[place] = nil
            let owner = place.conversation.rawValue
            output.transaction.delete(StoreKey(.expiry, owner: owner, item: place.seq))
            let key = StoreKey(.entry, owner: owner, item: place.seq)
            guard let stored = try reading({ () throws(StoreError) in try store.value(key) }) else { continue }
            var record = try decodingStored(.entry) { try EntryRecord(stored: stored) }
            record.body = .expired
            output.transaction.put(key, record.encoded)
        }
    }
}

extension UInt64 {
    /// Seconds as milliseconds; the end of time stays the end of time.
    var asMilliseconds: UInt64 {
        let (milliseconds, overflows) = multipliedReportingOverflow(by: 1000)
        return overflows ? .max : milliseconds
    }
}
