import KithWire
import MLS
import TLSCodec

// Key packages of one's own: made, left at the relay, found again by a letter's reference, and deleted.

extension Messenger {
    func depositIsDue(_ inbox: Inbox) -> Bool {
        inbox.record.depositedAt == 0 || depositDelay(inbox) == 0
    }

    /// Makes key packages, stores their private keys, and hands them to the relay, sealed.
    ///
    /// - Parameter used: how many were used and are replaced. Without it, the inbox gets all that it is to have, and another
    ///   package of last resort.
    func deposit(_ id: InboxID, replacing used: Int? = nil) throws(KithError) {
        guard let inbox = inboxes[id], !inbox.isDepositing, !inbox.record.isClosing else { return }
        guard relays.isConnected(inbox.record.relay) else { return inbox.owesDeposit = true }
        // The packages at the relay are of more use than new ones that a clock which looks wrong would date.
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
            step.delete(StoreKey(.keyPackage, owner: id.rawValue, item: row.item))
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
            step.put(StoreKey(.keyPackage, owner: id.rawValue, item: number), Array($0))
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
            if let invite = openInvite(id) { commands.didMake(invite, in: &step) }
            try inboxIsReady(id)
        case .failure(let error) where error.code.isPassing: openLater(inbox, error)
        // It follows from what was refused before.
        case .failure where inbox.retryAt != nil: break
        case .failure(let error):
            fail(at: id, .relay(.refused(error)))
        }
    }

    // MARK: Found again

    func keyPackage(
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
