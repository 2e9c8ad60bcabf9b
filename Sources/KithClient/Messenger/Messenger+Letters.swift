import KithWire
import MLS
import TLSCodec

// Letters: what others have put into an inbox, one after the other.

extension Messenger {
    func process(_ entries: [Entry], inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], entries.allSatisfy({ $0.seq < StoreKey.highest }) else { return }
        inbox.queue += entries
        try processQueue(of: inbox, id)
        guard inbox.queue.count > 1, inbox.queue.reduce(0, { $0 + $1.payload.count }) > ClientLimits.inboxQueue else {
            return
        }
        inbox.isPaused = true
        unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue.removeLast(inbox.queue.count - 1)
    }

    func processQueue(of inbox: Inbox, _ id: InboxID, isWaitOver: Bool = false) throws(KithError) {
        guard inbox.waiting == nil || isWaitOver, !inbox.waitsForRoom else { return }
        defer { trim(inbox, id) }
        while let entry = inbox.queue.first, parcels[.tree(id)] == nil, !inbox.record.isClosing {
            if try take(entry, inbox, id, tree: nil) == .waits { return }
            didTake(entry, inbox, id)
        }
        guard inbox.isPaused, inbox.queue.isEmpty else { return try closeIfOver(inbox: id) }
        inbox.isPaused = false
        try open(inbox: id)
    }

    /// Makes room at the relay: drops what was read. The request leaves after the transaction that holds what came of it.
    func trim(_ inbox: Inbox, _ id: InboxID) {
        let record = inbox.record
        guard record.lastSeq > record.trimmedSeq, inbox.followTag != nil, !inbox.isTrimming, !record.isClosing else {
            return
        }
        inbox.isTrimming = true
        request(
            record.relay, .trim(channel: record.channel, throughSeq: record.lastSeq),
            for: .trimInbox(id, through: record.lastSeq))
    }

    /// A relay that refuses is asked again with the next letter, or the next connection.
    func didTrim(inbox id: InboxID, through seq: UInt64, _ result: Result<Reply, RelayError>) {
        guard let inbox = inboxes[id] else { return }
        inbox.isTrimming = false
        guard case .success = result else { return }
        // Stored with the next change: to ask again does no harm.
        inbox.record.trimmedSeq = max(inbox.record.trimmedSeq, min(seq, inbox.record.lastSeq))
        trim(inbox, id)
    }

    func didTake(_ entry: Entry, _ inbox: Inbox, _ id: InboxID) {
        if !inbox.queue.isEmpty { inbox.queue.removeFirst() }
        inbox.record.lastSeq = max(inbox.record.lastSeq, entry.seq)
        if inboxes[id] != nil { storeInbox(id) }
    }

    enum Taken { case done, waits }

    /// Looks at one entry of an inbox. Whoever has the address may have put anything there: what is no Welcome for this
    /// device is passed over.
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
        let isElsewhere = knownRelay(message.relay) == nil
        // The inviter is unknown until the tree is here.
        if case .parcel(let address) = message.tree, tree == nil {
            let isAnybodys = !record.purpose.isForFew
            if isAnybodys, isElsewhere { tellOfInvitation(at: message.relay.address) }
            guard !isAnybodys || !isElsewhere && address.length <= ClientLimits.strangersParcel, !record.isSpent else {
                return .done
            }
            fetch(address, at: relayID(for: message.relay), for: .tree(id), since: hold(entry, inbox, id))
            return .waits
        }
        return try join(
            OpenLetter(
                entry: entry.id, letter: letter, message: message, welcome: welcome, bundle: bundle, number: number),
            inbox, id, tree: tree, byContactOnly: isElsewhere && !record.purpose.isForOne)
    }

    /// Tells the user of an invitation at an unknown relay: of each relay once, and of few. Anybody can send one to a name.
    func tellOfInvitation(at relay: RelayAddress) {
        guard toldRelays.count < ClientLimits.relaysToldOf, toldRelays.insert(relay).inserted else { return }
        tell(.invitationPassedOver(relay))
    }

    private func hold(_ entry: Entry, _ inbox: Inbox, _ id: InboxID) -> UInt64 {
        defer { storeInbox(id) }
        // By the clock of the relay, which could withhold the entry anyway: the device's may be another after a restart.
        let time = clocks.relayTime(inbox.record.relay) ?? wall
        let waited = time - min(time, inbox.record.hold(entry.seq, now: time))
        return now - min(now, waited)
    }
}
