import KithWire
import MLS
import TLSCodec

// Letters: the entries that others have put into an inbox, one after the other.

extension Messenger {
    func process(_ entries: [Entry], inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], entries.allSatisfy({ $0.seq < StoreKey.highest }) else { return }
        for entry in entries where entry.seq > inbox.position {
            if entry.seq > inbox.position + 1 { inbox.record.forgetAside(inbox.position + 1...entry.seq - 1) }
            inbox.position = entry.seq
            if inbox.record.isUnread(entry.seq) { inbox.queue.append(entry) }
        }
        try processQueue(of: inbox, id)
        guard inbox.queue.count > 1, inbox.queue.reduce(0, { $0 + $1.payload.count }) > ClientLimits.inboxQueue else {
            return
        }
        inbox.isPaused = true
        step.unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue.removeLast(inbox.queue.count - 1)
    }

    func processQueue(of inbox: Inbox, _ id: InboxID) throws(KithError) {
        let before = inbox.queue.count
        defer {
            if inbox.queue.count < before, inboxes[id] != nil { storeInbox(id) }
            trimAtOnce(inbox, id)
        }
        while let entry = inbox.queue.first, !parcels.isFetching(.tree(id)), !inbox.record.isClosing {
            var taken = leftAside(entry, inbox)
            if taken == nil { taken = try take(entry, inbox, id, tree: nil) }
            guard let taken, didTake(entry, taken, inbox) else { return }
        }
        guard inbox.queue.isEmpty else { return }
        if inbox.isPaused {
            inbox.isPaused = false
            return try open(inbox: id)
        }
        skipRead(inbox, id)
        try closeIfOver(inbox: id)
    }

    /// Removes the first entry of the queue, unless it has to wait there.
    ///
    /// - Returns: whether it was removed.
    func didTake(_ entry: Entry, _ taken: Taken, _ inbox: Inbox) -> Bool {
        switch taken {
        case .waits: return false
        case .done: inbox.record.forgetAside(entry.seq...entry.seq)
        case .aside(let reason): inbox.record.setAside(entry.seq, reason)
        }
        if !inbox.queue.isEmpty { inbox.queue.removeFirst() }
        inbox.record.lastSeq = max(inbox.record.lastSeq, entry.seq)
        return true
    }

    /// Results of a look at an entry.
    enum Taken {
        case done
        /// Waits at the head of the queue for its tree.
        case waits
        /// Stays at the relay. Those behind it are looked at.
        case aside(AsideLetter.Reason)
    }

    /// Looks at one entry of an inbox. It may be anything; all but Welcomes for this device are passed over.
    func take(_ entry: Entry, _ inbox: Inbox, _ id: InboxID, tree: [UInt8]?) throws(KithError) -> Taken {
        let record = inbox.record
        if case .invite(_, let expiresAt) = record.purpose, record.isExpired(now: wall),
            entry.receivedAtMs > expiresAt.asMilliseconds
        {
            return .done
        }
        guard
            let opened = record.sealKey.open(entry.payload, .message, channel: record.channel.bytes),
            let letter = try? InboxLetter(decoding: opened)
        else { return .done }
        let digest = letter.digest
        if let taken = record.taken.first(where: { $0.letter == digest }) {
            // Its sender did not learn that it arrived, and the relay no longer knew the entry's id.
            if taken.entry != entry.id, let known = conversations[taken.conversation] { tell(.oldWelcome, in: known) }
            return .done
        }
        guard let (number, bundle) = try keyPackage(letter.keyPackage, id),
            let message = letter.open(with: bundle, channel: record.channel),
            case .welcome(let welcome)? = try? MLSMessage.decode(message.welcome),
            (try? welcome.isFor(bundle.keyPackage)) == true
        else { return .done }
        let isElsewhere = relays.known(message.relay) == nil
        // The inviter is unknown until the tree is here. For a stranger, no relay but the inbox's own hears of this device.
        if case .parcel(let address) = message.tree, tree == nil {
            guard !record.isSpent else { return .done }
            if !record.purpose.isForFew {
                guard relays.known(message.relay) == record.relay else {
                    tellOfInvitation(at: message.relay.address)
                    return .done
                }
                guard address.length <= ClientLimits.strangersParcel else { return .done }
                guard hasRoomForPending else { return leaveForLater() }
            }
            fetch(address, at: relays.id(for: message.relay, in: &step), for: .tree(id), since: hold(entry, inbox, id))
            return .waits
        }
        return try join(
            OpenLetter(
                entry: entry, letter: letter, message: message, welcome: welcome, bundle: bundle, number: number),
            inbox, id, tree: tree, byContactOnly: isElsewhere && !record.purpose.isForOne)
    }

    /// Tells the user of an invitation to another relay that was passed over: of each relay once, and of few. Anybody can send one
    /// to a name.
    func tellOfInvitation(at relay: RelayAddress) {
        guard toldRelays.count < ClientLimits.relaysToldOf, toldRelays.insert(relay).inserted else { return }
        tell(.invitationPassedOver(relay))
    }

    private func hold(_ entry: Entry, _ inbox: Inbox, _ id: InboxID) -> UInt64 {
        defer { storeInbox(id) }
        let time = letterTime(inbox)
        let waited = time - min(time, inbox.record.hold(entry.seq, now: time))
        return now - min(now, waited)
    }
}
