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
        let id = InboxID(rawValue: nextNumbers.inbox)
        nextNumbers.inbox += 1
        let record = InboxRecord(relay: relay, purpose: purpose, random: random)
        inboxes[id] = Inbox(record)
        storeInbox(id)
        want(relay)
        try open(inbox: id)
        return (id, address(of: record, at: point))
    }

    func address(of record: InboxRecord, at point: RelayPoint) -> InboxAddress {
        InboxAddress(
            relay: point, channel: record.channel, appendToken: record.appendToken, sealKey: record.sealKey,
            account: profile.account.publicKey.fingerprint)
    }

    func open(inbox id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], links.contains(inbox.record.relay), inbox.followTag == nil else { return }
        let record = inbox.record
        if record.isClosing {
            request(
                record.relay,
                .present(channel: record.channel, epoch: 0, tokens: [record.readToken, record.turnToken]),
                for: .presentInbox(id))
            return request(record.relay, .close(channel: record.channel), for: .closeInbox(id))
        }
        if record.depositedAt == 0, case .invite = record.purpose, commandsByInbox[id] != nil,
            let difference = clockDoubt(about: record.relay)
        {
            // Nobody has heard of it yet.
            forget(inbox: id)
            return finish(at: id, .failure(.wrongClock(difference)))
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
        inbox.lastThere = nil
        inbox.followTag = follow(
            record.relay, record.channel, epoch: 0, fromSeq: record.lastSeq + 1, for: .inbox(id))
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
            finish(at: id, .failure(.relay(.refused(error))))
        }
    }

    /// A relay that does not know an inbox in which there were key packages has lost it. It is made again, with others in it.
    private func makeAgain(_ inbox: Inbox, _ id: InboxID) throws(KithError) {
        guard !isOver(inbox) else { return try close(inbox: id) }
        unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue = []
        forgetParcel(.tree(id))
        // If there is a deposit under way, it is refused, too.
        inbox.isDepositing = false
        inbox.record.depositedAt = 0
        inbox.record.lastSeq = 0
        inbox.record.trimmedSeq = 0
        storeInbox(id)
        try open(inbox: id)
    }

    /// Opens an inbox anew after a while. Nobody waits for it: rather a little late than among the answers to what was asked.
    private func openLater(_ inbox: Inbox, _ error: RelayError) {
        unfollow(inbox.record.relay, inbox.followTag)
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
            // Whatever was there is gone; what comes is not.
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
        guard lastSeq < inbox.record.lastSeq else {
            trim(inbox, id)
            return try closeIfOver(inbox: id)
        }
        unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.record.lastSeq = lastSeq
        inbox.record.trimmedSeq = min(inbox.record.trimmedSeq, lastSeq)
        // What was deposited may be gone as well.
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
        unfollow(inbox.record.relay, inbox.followTag)
        inbox.followTag = nil
        inbox.queue = []
        forgetParcel(.tree(id))
        storeInbox(id)
        output.transaction.deleteAll(.keyPackage, owner: id.rawValue)
        finish(at: id, .failure(.inviteExpired))
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
        // Whoever asked for that has what they wanted.
        if inboxes.removeValue(forKey: id)?.record.isClosing == true { finish(at: id, .success(.done)) }
        forgetParcel(.tree(id))
        output.transaction.delete(StoreKey(.inbox, item: id.rawValue))
        output.transaction.deleteAll(.keyPackage, owner: id.rawValue)
    }

    // MARK: Key packages

    private func depositIsDue(_ inbox: Inbox) -> Bool {
        inbox.record.depositedAt == 0 || depositDelay(inbox) == 0
    }

    /// Makes key packages, stores their private keys, and hands them to the relay, sealed.
    ///
    /// - Parameter used: how many were used and are replaced. Without it, the inbox gets all that it is to have, and another
    ///   package of last resort.
    func deposit(_ id: InboxID, replacing used: Int? = nil) throws(KithError) {
        guard let inbox = inboxes[id], !inbox.isDepositing, !inbox.record.isClosing else { return }
        guard links.contains(inbox.record.relay) else { return inbox.owesDeposit = true }
        // What is at the relay is of more use than what a clock that looks wrong would date.
        inbox.isDepositHeld = inbox.record.depositedAt > 0 && clockDoubt(about: inbox.record.relay) != nil
        guard !inbox.isDepositHeld else { return }
        inbox.isDepositing = true
        inbox.isRefilling = used != nil
        try deleteExpiredKeyPackages(of: inbox, id)
        inbox.owesDeposit = true
        var sealed: [KeyPackageBytes] = []
        for _ in 0..<(used ?? inbox.record.purpose.keyPackages) {
            if let bytes = try makeKeyPackage(inbox, id, isLastResort: false) { sealed.append(bytes) }
        }
        let lastResort = used == nil ? try makeKeyPackage(inbox, id, isLastResort: true) : nil
        storeInbox(id)
        request(
            inbox.record.relay,
            .deposit(channel: inbox.record.channel, keyPackages: sealed, lastResort: lastResort), for: .deposit(id))
    }

    /// Private keys that nobody can need any more open nothing but what was recorded. Two clocks have to agree: a key that is
    /// gone makes a letter unreadable for good.
    private func deleteExpiredKeyPackages(of inbox: Inbox, _ id: InboxID) throws(KithError) {
        let rows = try reading { () throws(StoreError) in try store.values(.keyPackage, owner: id.rawValue) }
        for row in rows {
            let bundle = try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(row.bytes)) }
            guard case .keyPackage(let lifetime) = bundle.keyPackage.leafNode.source,
                clocks.agree(
                    isOver: lifetime.notAfter.asMilliseconds.plus(ClientLimits.keyPackageGraceMs),
                    relay: inbox.record.relay)
            else { continue }
            output.transaction.delete(StoreKey(.keyPackage, owner: id.rawValue, item: row.item))
            inboxes[id]?.didDelete(row.item)
        }
    }

    private func makeKeyPackage(
        _ inbox: Inbox, _ id: InboxID, isLastResort: Bool
    ) throws(KithError) -> KeyPackageBytes? {
        let bundle = try callingMLS { () throws(MLSError) in
            try KeyPackageBundle(
                suite: profile.suite, client: profile.client,
                lifetime: Lifetime(ofKeyPackageMadeAt: wall / 1000),
                isLastResort: isLastResort, random: random)
        }
        let number = inbox.record.nextKeyPackage
        inbox.record.nextKeyPackage += 1
        bundle.stored.withUnsafeBytes {
            output.transaction.put(StoreKey(.keyPackage, owner: id.rawValue, item: number), Array($0))
        }
        freshBundles[InboxItem(inbox: id, number: number)] = bundle
        if inbox.packages != nil, let reference = try? bundle.keyPackage.reference() {
            inbox.packages?[reference] = number
        }
        return inbox.record.sealKey.seal(
            bundle.message.encoded, .keyPackage, channel: inbox.record.channel.bytes, random: random
        ).map { KeyPackageBytes($0[...]) }
    }

    func didDeposit(inbox id: InboxID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let inbox = inboxes[id] else { return }
        inbox.isDepositing = false
        switch result {
        case .success:
            inbox.owesDeposit = false
            if !inbox.isRefilling || inbox.record.depositedAt == 0 { inbox.record.depositedAt = max(1, wall) }
            storeInbox(id)
            if let invite = openInvite(id) {
                finish(at: id, .success(.invite(invite)))
            }
            try inboxIsReady(id)
        case .failure(let error) where error.code.isPassing: openLater(inbox, error)
        // It follows from what was refused before.
        case .failure where inbox.retryAt != nil: break
        case .failure(let error):
            finish(at: id, .failure(.relay(.refused(error))))
        }
    }

    // MARK: What comes

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
    private func trim(_ inbox: Inbox, _ id: InboxID) {
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
        if let conversation = record.taken.first(where: { $0.letter == digest })?.conversation {
            if conversations[conversation] != nil { tell(.warning(conversation, .oldWelcome)) }
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
            OpenLetter(letter: letter, message: message, welcome: welcome, bundle: bundle, number: number), inbox, id,
            tree: tree, byContactOnly: isElsewhere && !record.purpose.isForOne)
    }

    /// Whoever knows a name may try to bring this device to any relay. The user is told of each relay once, and of few.
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

    private func keyPackage(
        _ reference: [UInt8], _ id: InboxID
    ) throws(KithError) -> (number: UInt64, bundle: KeyPackageBundle)? {
        guard let inbox = inboxes[id], let number = try packages(of: inbox, id)[reference] else { return nil }
        // Made in this very step, or before.
        if let bundle = freshBundles[InboxItem(inbox: id, number: number)] { return (number, bundle) }
        let key = StoreKey(.keyPackage, owner: id.rawValue, item: number)
        guard let stored = try reading({ () throws(StoreError) in try store.value(key) }) else { return nil }
        return (number, try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(stored)) })
    }

    /// The index of an inbox's key packages. All are read once, and not again for each letter.
    private func packages(of inbox: Inbox, _ id: InboxID) throws(KithError) -> [[UInt8]: UInt64] {
        if let packages = inbox.packages { return packages }
        var packages: [[UInt8]: UInt64] = [:]
        for (item, bundle) in freshBundles where item.inbox == id {
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = item.number }
        }
        let rows = try reading { () throws(StoreError) in try store.values(.keyPackage, owner: id.rawValue) }
        for row in rows {
            let bundle = try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(row.bytes)) }
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = row.item }
        }
        inbox.packages = packages
        return packages
    }
}

/// A numbered thing of an inbox.
struct InboxItem: Hashable, Sendable {
    let inbox: InboxID
    let number: UInt64
}

extension InboxRecord.Purpose {
    /// How many key packages are deposited, beside the one of last resort.
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

    /// Whether the inbox is for one person, whoever that is: whoever uses the invite is welcome.
    var isForOne: Bool { if case .invite(isReusable: false, _) = self { true } else { false } }

    /// Why the key of somebody who comes this way is believed.
    var trust: Trust { isForOne ? .usedMyInvite : .unverified }
}
