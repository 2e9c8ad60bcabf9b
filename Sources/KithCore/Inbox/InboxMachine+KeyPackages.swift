import KithWire
import MLS

// Key packages of this device: made, left at the relay, found again by a letter's reference, and deleted.

/// The deposits of an inbox's key packages.
struct DepositState {
    /// Whether one has no answer yet.
    var isUnderWay = false
    /// Whether one was put off because a clock looks wrong.
    var isHeld = false
    /// Whether the last one only replaces packages that were used.
    var isRefill = false
    /// Whether the last one was refused for the moment.
    var isOwed = false
    /// The numbers of the stored key packages by their references; `nil` until a letter is looked at.
    var packages: [[UInt8]: UInt64]?

    /// A key package is deleted.
    mutating func didDelete(_ number: UInt64) {
        guard let reference = packages?.first(where: { $0.value == number })?.key else { return }
        packages?[reference] = nil
    }
}

extension InboxMachine {
    // MARK: When

    /// In how many milliseconds the inbox gets fresh key packages.
    private func depositDelay(at wall: UInt64) -> UInt64 {
        deposit.isHeld ? 0 : wall.rest(of: ClientLimits.depositMs, since: record.depositedAt)
    }

    func isDepositDueAtOpening(in device: DeviceState) -> Bool {
        guard !record.isOver(now: device.wall) else { return false }
        return deposit.isOwed || record.depositedAt == 0 || depositDelay(at: device.wall) == 0
    }

    func isDepositDueAtTick(in device: DeviceState) -> Bool {
        record.depositedAt > 0 && retryAt == nil && device.relays.isConnected(record.relay)
            && !record.isOver(now: device.wall) && depositDelay(at: device.wall) == 0
    }

    /// In how many milliseconds the next deposit is made; `nil` if none is planned.
    func depositDue(in device: DeviceState) -> UInt64? {
        guard record.depositedAt > 0, !deposit.isUnderWay, retryAt == nil, !record.isOver(now: device.wall) else {
            return nil
        }
        let mayDeposit = device.clockDoubt(about: record.relay) == nil
        return mayDeposit ? depositDelay(at: device.wall) : ClientLimits.clockPatienceMs
    }

    // MARK: Making them

    /// Makes key packages, stores their private keys, and hands them to the relay, sealed.
    ///
    /// - Parameter used: how many were used and are replaced. Without it, the inbox gets all that it is to have, and another
    ///   package of last resort.
    mutating func makeDeposit(replacing used: Int? = nil, in device: inout DeviceState) throws(KithError) {
        guard !deposit.isUnderWay, !record.isClosing, !isForgotten else { return }
        guard device.relays.isConnected(record.relay) else { return deposit.isOwed = true }
        // The packages at the relay are of more use than new ones that a clock which looks wrong would date.
        deposit.isHeld = record.depositedAt > 0 && device.clockDoubt(about: record.relay) != nil
        guard !deposit.isHeld else { return }
        deposit.isUnderWay = true
        deposit.isRefill = used != nil
        try deleteExpiredKeyPackages(in: &device)
        deposit.isOwed = true
        var sealed: [KeyPackageBytes] = []
        for _ in 0..<(used ?? record.purpose.keyPackages) {
            if let bytes = try makeKeyPackage(isLastResort: false, in: &device) { sealed.append(bytes) }
        }
        let lastResort = used == nil ? try makeKeyPackage(isLastResort: true, in: &device) : nil
        store(in: &device)
        request(
            .deposit(channel: record.channel, keyPackages: sealed, lastResort: lastResort), .deposit, in: &device)
    }

    /// Deletes private keys that nobody can need any more: they open nothing but what was recorded. Two clocks have to agree: a key
    /// that is gone makes a letter unreadable for good.
    private mutating func deleteExpiredKeyPackages(in device: inout DeviceState) throws(KithError) {
        for (number, bundle) in try storedKeyPackages(in: device) {
            guard case .keyPackage(let lifetime) = bundle.keyPackage.leafNode.source,
                device.clocks.agree(
                    isOver: lifetime.notAfter.asMilliseconds.plus(ClientLimits.keyPackageGraceMs),
                    relay: record.relay)
            else { continue }
            device.step.delete(StoreKey(.keyPackage, owner: id.rawValue, item: number))
            deposit.didDelete(number)
        }
    }

    private mutating func makeKeyPackage(
        isLastResort: Bool, in device: inout DeviceState
    ) throws(KithError) -> KeyPackageBytes? {
        let bundle = try callingMLS { () throws(MLSError) in
            try KeyPackageBundle(
                suite: device.identity.suite, client: device.identity.client,
                lifetime: Lifetime(ofKeyPackageMadeAt: device.wall / 1000), isLastResort: isLastResort,
                random: device.random)
        }
        let number = record.takeKeyPackageNumber()
        bundle.stored.withUnsafeBytes {
            device.step.put(StoreKey(.keyPackage, owner: id.rawValue, item: number), Array($0))
        }
        device.step.freshKeyPackages[InboxItem(inbox: id, number: number)] = bundle
        if deposit.packages != nil, let reference = try? bundle.keyPackage.reference() {
            deposit.packages?[reference] = number
        }
        return record.sealKey.seal(
            bundle.message.encoded, .keyPackage, channel: record.channel.bytes, random: device.random
        ).map { KeyPackageBytes($0[...]) }
    }

    mutating func didDeposit(_ result: Result<Reply, RelayError>, in profile: inout ProfileState) throws(KithError) {
        deposit.isUnderWay = false
        switch result {
        case .success:
            deposit.isOwed = false
            if !deposit.isRefill || record.depositedAt == 0 { record.didDeposit(at: profile.device.wall) }
            store(in: &profile.device)
            if let invite = openInvite(in: profile.device) {
                profile.device.commands.didMake(invite, in: &profile.device.step)
            }
            // What waited for the inbox goes on.
            for asker in profile.device.nameRequests.askers(registering: id) {
                try profile.device.sendNameRequest(asker, for: self)
            }
        case .failure(let error) where error.code.isPassing: openLater(error, in: &profile.device)
        // It follows from what was refused before.
        case .failure where retryAt != nil: break
        case .failure(let error): profile.device.failCommands(at: id, .relay(.refused(error)))
        }
    }

    // MARK: Found again

    /// The key package of a reference, with its number.
    mutating func keyPackage(
        _ reference: [UInt8], in device: DeviceState
    ) throws(KithError) -> (number: UInt64, bundle: KeyPackageBundle)? {
        guard let number = try packages(in: device)[reference] else { return nil }
        // Made in this very step, or before.
        if let bundle = device.step.freshKeyPackages[InboxItem(inbox: id, number: number)] { return (number, bundle) }
        let key = StoreKey(.keyPackage, owner: id.rawValue, item: number)
        guard let stored = try reading({ () throws(StoreError) in try device.store.value(key) }) else { return nil }
        return (number, try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(stored)) })
    }

    /// The index of the inbox's key packages. All are read once, and not again for each letter.
    private mutating func packages(in device: DeviceState) throws(KithError) -> [[UInt8]: UInt64] {
        if let packages = deposit.packages { return packages }
        var packages: [[UInt8]: UInt64] = [:]
        for (item, bundle) in device.step.freshKeyPackages where item.inbox == id {
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = item.number }
        }
        for (number, bundle) in try storedKeyPackages(in: device) {
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = number }
        }
        deposit.packages = packages
        return packages
    }

    private func storedKeyPackages(
        in device: DeviceState
    ) throws(KithError) -> [(number: UInt64, bundle: KeyPackageBundle)] {
        let rows = try reading { () throws(StoreError) in try device.store.values(.keyPackage, owner: id.rawValue) }
        var packages: [(UInt64, KeyPackageBundle)] = []
        for row in rows {
            let bundle = try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(row.bytes)) }
            packages.append((row.item, bundle))
        }
        return packages
    }

    /// A one-time key package opens one letter.
    mutating func forgetKeyPackage(of letter: OpenLetter, in step: inout Step) {
        guard !letter.bundle.keyPackage.isLastResort else { return }
        step.delete(StoreKey(.keyPackage, owner: id.rawValue, item: letter.number))
        step.freshKeyPackages[InboxItem(inbox: id, number: letter.number)] = nil
        deposit.didDelete(letter.number)
    }
}

/// A numbered thing of an inbox.
struct InboxItem: Hashable, Sendable {
    let inbox: InboxID
    let number: UInt64
}
