import KithWire
import MLS

// This device's key packages: they are created, deposited at the relay, found by a letter's reference, and deleted.

/// The state of an inbox's key packages that is not in the inbox's record.
struct DepositState {
    /// Whether a deposit was postponed because the device's clock or the relay's clock seems wrong.
    private(set) var isHeld = false
    /// Whether a deposit still has to be made, because the relay was not connected or has not accepted the last deposit.
    private(set) var isOwed = false
    /// The numbers of the stored key packages, by the references of the key packages; `nil` until a letter is read.
    private(set) var packages: [[UInt8]: UInt64]?

    /// Notes whether a deposit is postponed because a clock seems wrong.
    mutating func hold(_ isHeld: Bool) { self.isHeld = isHeld }

    /// Notes that a deposit still has to be made.
    mutating func owe() { isOwed = true }

    /// Notes that the relay has accepted a deposit.
    mutating func didDeposit() { isOwed = false }

    /// Sets the index of the stored key packages.
    mutating func index(_ packages: [[UInt8]: UInt64]) { self.packages = packages }

    /// If an index exists, adds a new key package to the index.
    mutating func didMake(_ keyPackage: KeyPackage, _ number: UInt64) {
        if packages != nil, let reference = try? keyPackage.reference() { packages?[reference] = number }
    }

    /// Removes a deleted key package from the index.
    mutating func didDelete(_ number: UInt64) {
        guard let reference = packages?.first(where: { $0.value == number })?.key else { return }
        packages?[reference] = nil
    }
}

extension InboxMachine {
    // MARK: Schedule

    /// Returns the rule for the next deposit.
    func depositPolicy(at wall: UInt64) -> DepositPolicy {
        DepositPolicy(
            wall: wall, depositedAt: record.depositedAt, isOwed: deposit.isOwed, isHeld: deposit.isHeld,
            isUnderWay: connection.isDepositing, isPaused: connection.retryAt != nil, isOver: record.isOver(now: wall))
    }

    // MARK: Deposits

    /// Creates key packages, stores their private keys, seals the key packages, and sends them to the relay.
    ///
    /// - Parameter used: the number of used key packages that are replaced; `nil` to replace all key packages, including the one
    ///   of last resort.
    mutating func makeDeposit(replacing used: Int? = nil, in device: inout DeviceState) throws(KithError) {
        guard !connection.isDepositing, !record.isClosing, !isForgotten else { return }
        guard device.relays.isConnected(record.relay) else { return deposit.owe() }
        // The key packages at the relay are better than new ones, whose dates would be from a clock that seems wrong.
        deposit.hold(record.depositedAt > 0 && device.clockDoubt(about: record.relay) != nil)
        guard !deposit.isHeld else { return }
        connection.beginDeposit(isRefill: used != nil)
        try deleteExpiredKeyPackages(in: &device)
        deposit.owe()
        var sealed: [KeyPackageBytes] = []
        for _ in 0..<(used ?? record.purpose.keyPackages) {
            if let bytes = try makeKeyPackage(isLastResort: false, in: &device) { sealed.append(bytes) }
        }
        let lastResort = used == nil ? try makeKeyPackage(isLastResort: true, in: &device) : nil
        store(in: &device)
        request(
            .deposit(channel: record.channel, keyPackages: sealed, lastResort: lastResort), .deposit, in: &device)
    }

    /// Deletes the private keys of key packages that expired more than ``ClientLimits/keyPackageGraceMs`` ago. An attacker who
    /// gets an old key can open recorded letters. But once a key is deleted, letters to its key package can never be read. So a
    /// key is deleted only when both the device's clock and the relay's clock show that this time is over.
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
        deposit.didMake(bundle.keyPackage, number)
        return record.sealKey.seal(
            bundle.message.encoded, .keyPackage, channel: record.channel.bytes, random: device.random
        ).map { KeyPackageBytes($0[...]) }
    }

    mutating func didDeposit(_ result: Result<Reply, RelayError>, in profile: inout ProfileState) throws(KithError) {
        let isRefill = connection.endDeposit()
        switch result {
        case .success:
            deposit.didDeposit()
            if !isRefill || record.depositedAt == 0 { record.didDeposit(at: profile.device.wall) }
            store(in: &profile.device)
            if let invite = openInvite(in: profile.device) {
                profile.device.commands.didMake(invite, in: &profile.device.step)
            }
            // Requests that waited for the inbox can continue now.
            for asker in profile.device.nameRequests.askers(registering: id) {
                try profile.device.sendNameRequest(asker, for: publicAddress(in: profile.device))
            }
        case .failure(let error) where error.code.isPassing: openLater(error, in: &profile.device)
        // This refusal is only a consequence of an earlier one.
        case .failure where connection.retryAt != nil: break
        case .failure(let error): profile.device.failCommands(at: id, .relay(.refused(error)))
        }
    }

    // MARK: Lookup

    /// Returns the key package with the given reference, and the number of that key package; `nil` if there is none.
    mutating func keyPackage(
        _ reference: [UInt8], in device: DeviceState
    ) throws(KithError) -> (number: UInt64, bundle: KeyPackageBundle)? {
        guard let number = try packages(in: device)[reference] else { return nil }
        // A key package of this step is not in the store yet.
        if let bundle = device.step.freshKeyPackages[InboxItem(inbox: id, number: number)] { return (number, bundle) }
        let key = StoreKey(.keyPackage, owner: id.rawValue, item: number)
        guard let stored = try reading({ () throws(StoreError) in try device.store.value(key) }) else { return nil }
        return (number, try decodingStored(.keyPackage) { try KeyPackageBundle(restoring: SecretBytes(stored)) })
    }

    /// Returns the index of the inbox's key packages. The first call reads all key packages from the store. Later calls read
    /// nothing.
    private mutating func packages(in device: DeviceState) throws(KithError) -> [[UInt8]: UInt64] {
        if let packages = deposit.packages { return packages }
        var packages: [[UInt8]: UInt64] = [:]
        for (item, bundle) in device.step.freshKeyPackages where item.inbox == id {
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = item.number }
        }
        for (number, bundle) in try storedKeyPackages(in: device) {
            if let reference = try? bundle.keyPackage.reference() { packages[reference] = number }
        }
        deposit.index(packages)
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

    /// Deletes the key package that has opened a letter, unless it is a key package of last resort. A one-time key package opens
    /// only one letter.
    mutating func forgetKeyPackage(of letter: OpenLetter, in step: inout Step) {
        guard !letter.bundle.keyPackage.isLastResort else { return }
        step.delete(StoreKey(.keyPackage, owner: id.rawValue, item: letter.number))
        step.freshKeyPackages[InboxItem(inbox: id, number: letter.number)] = nil
        deposit.didDelete(letter.number)
    }
}

/// A numbered item of an inbox.
struct InboxItem: Hashable, Sendable {
    let inbox: InboxID
    let number: UInt64
}
