import KithWire

extension Messenger {
    /// When ``MessengerInput/tick`` is due, in milliseconds since 1970; `nil` if nothing waits for the time.
    package var nextWake: UInt64? {
        var due: [UInt64] = []
        if let deliveryRetryAt { due.append(deliveryRetryAt) }
        due += expiries.values
        for conversation in conversations.values where conversation.record.status.isOpen {
            guard links.contains(conversation.record.relay) else { continue }
            // While the line is being opened, the relay's answer is what is waited for.
            if let retryAt = conversation.retryAt, conversation.line == .live || conversation.line == .down {
                due.append(retryAt)
            }
            if conversation.line == .live, conversation.loaded?.pending == nil {
                if let at = conversation.commitProposalsAt { due.append(at) }
                if let at = renewalDue(conversation) { due.append(at) }
            }
            for place in conversation.accepted.values { due.append(place.at + ClientLimits.keptMs) }
        }
        for inbox in inboxes.values {
            guard !inbox.record.isClosing else { continue }
            if case .invite(_, let expiresAt) = inbox.record.purpose { due.append(expiresAt.asMilliseconds) }
            if inbox.record.depositedAt > 0, !inbox.isDepositing, links.contains(inbox.record.relay) {
                due.append(inbox.record.depositedAt + ClientLimits.depositMs)
            }
        }
        return due.min()
    }

    func didTick() throws(KithError) {
        try deleteExpired()
        if let at = deliveryRetryAt, at <= now {
            deliveryRetryAt = nil
            for number in deliveries.keys.sorted() { openDelivery(number) }
        }
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id], !inbox.record.isClosing else { continue }
            if case .invite(_, let expiresAt) = inbox.record.purpose, expiresAt.asMilliseconds <= now {
                try close(inbox: id)
            } else if inbox.record.depositedAt > 0, now >= inbox.record.depositedAt + ClientLimits.depositMs,
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

    /// When this device's keys are due in a conversation that nothing else is being changed in.
    private func renewalDue(_ conversation: Conversation) -> UInt64? {
        let record = conversation.record
        guard record.renewedAt > 0, record.entriesSinceRenewal > 0, record.memberCount > 1, record.intents.isEmpty
        else { return nil }
        return record.renewedAt + ClientLimits.renewalMs + 24 * 3_600_000
    }

    /// What the relay said it has must come with the log. The first time that it does not, the log is asked for anew: the
    /// clock may have jumped.
    private func checkKept(_ conversation: Conversation) throws(KithError) {
        let late = conversation.accepted.filter { $0.value.at + ClientLimits.keptMs <= now }
        guard !late.isEmpty else { return }
        for (entry, place) in late {
            guard place.isAskedAgain, conversation.line == .live else {
                conversation.accepted[entry] = (place.seq, now, true)
                continue
            }
            conversation.accepted[entry] = nil
            try warn(conversation, .notKept(seq: place.seq))
        }
        guard conversation.line == .live, late.contains(where: { !$0.value.isAskedAgain }) else { return }
        unfollow(conversation.record.relay, conversation.followTag)
        conversation.hangUp()
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
