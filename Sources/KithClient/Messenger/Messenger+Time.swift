import KithWire

extension Messenger {
    /// When ``MessengerInput/tick`` is due, in milliseconds since 1970; `nil` if nothing waits for the time.
    package var nextWake: UInt64? {
        var due: [UInt64] = []
        if let deliveryRetryAt { due.append(deliveryRetryAt) }
        due += expiries.values
        for conversation in conversations.values where conversation.record.status.isOpen {
            guard links.contains(conversation.record.relay) else { continue }
            // Each only while a tick would do something about it: what waits for the relay needs no clock.
            if let retryAt = conversation.retryAt, conversation.line == .live || conversation.line == .down {
                due.append(retryAt)
            }
            if conversation.line == .live, !conversation.isRenewing, conversation.record.memberCount > 1 {
                if let at = conversation.commitProposalsAt { due.append(at) }
                if conversation.record.renewedAt > 0, conversation.record.entriesSinceRenewal > 0 {
                    due.append(conversation.record.renewedAt + ClientLimits.renewalMs + 24 * 3_600_000)
                }
            }
            for place in conversation.accepted.values { due.append(place.at + ClientLimits.keptMs) }
        }
        for inbox in inboxes.values where !inbox.record.isClosing {
            if case .invite(_, let expiresAt) = inbox.record.purpose { due.append(expiresAt * 1000) }
            guard links.contains(inbox.record.relay), !inbox.isDepositing else { continue }
            if inbox.record.depositedAt > 0 { due.append(inbox.record.depositedAt + ClientLimits.depositMs) }
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
            if case .invite(_, let expiresAt) = inbox.record.purpose, expiresAt * 1000 <= now {
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

    /// What the relay said it has must come with the log.
    private func checkKept(_ conversation: Conversation) throws(KithError) {
        for (entry, place) in conversation.accepted where place.at + ClientLimits.keptMs <= now {
            // The clock may have jumped: only what was late twice is late.
            guard place.isLate else {
                conversation.accepted[entry] = (place.seq, now, true)
                continue
            }
            conversation.accepted[entry] = nil
            if conversation.line == .live { try warn(conversation, .notKept(seq: place.seq)) }
        }
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
