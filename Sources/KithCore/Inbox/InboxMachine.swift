import KithWire
import MLS

/// An inbox of this device. Other people put Welcomes into the inbox and take key packages from the inbox. Only inputs and
/// commands change the machine.
struct InboxMachine {
    let id: InboxID
    var record: InboxRecord
    var connection = InboxConnection()
    var deposit = DepositState()
    var nameRenewal = NameRenewal()
    /// Whether the inbox was deleted and has to be removed from the table.
    private(set) var isForgotten = false

    init(id: InboxID, record: InboxRecord) {
        self.id = id
        self.record = record
    }

    // MARK: Reading

    /// Returns the inbox's address. People need the address to put letters into the inbox and to take key packages from the
    /// inbox.
    func address(in device: DeviceState, at point: RelayPoint) -> InboxAddress {
        InboxAddress(
            relay: point, channel: record.channel, appendToken: record.appendToken, sealKey: record.sealKey,
            account: device.account.fingerprint)
    }

    /// Returns the address that is registered under a name. The address does not contain the pass for the relay. `nil` until the
    /// relay has key packages.
    func publicAddress(in device: DeviceState) -> InboxAddress? {
        guard record.depositedAt > 0, let point = device.relays[record.relay] else { return nil }
        return address(in: device, at: RelayPoint(address: point.address, pin: point.pin))
    }

    /// Returns the invite for this inbox; `nil` if the inbox has none, or if the invite can no longer be used.
    func openInvite(in device: DeviceState) -> OpenInvite? {
        guard !record.isClosing, !record.isOver(now: device.wall),
            case .invite(let isReusable, let expiresAt) = record.purpose, let point = device.relays[record.relay]
        else { return nil }
        let invite = Invite(inbox: address(in: device, at: point), name: device.identity.name, expiresAt: expiresAt)
        return OpenInvite(id: id, invite: invite, isReusable: isReusable)
    }

    /// Whether the inbox is read completely: all entries that the relay had when the follow began were read, and no letter is set
    /// aside.
    private var isRead: Bool {
        connection.isRead(through: record.lastSeq) && record.aside.isEmpty
    }

    /// Whether the inbox has to be closed: its invite was used, or has expired by both the device's clock and the relay's clock.
    func isOver(in device: DeviceState) -> Bool {
        guard case .invite(_, let expiresAt) = record.purpose else { return false }
        return record.isUsed || device.clocks.agree(isOver: expiresAt.asMilliseconds, relay: record.relay)
    }

    /// The times at which something is due, in milliseconds; see ``Clocks/now``.
    func due(in device: DeviceState) -> [UInt64] {
        let now = device.now
        var due: [UInt64] = []
        let isLinked = device.relays.isConnected(record.relay)
        if let retryAt = connection.retryAt, isLinked { due.append(retryAt) }
        guard !record.isClosing else { return due }
        if isLinked, let renewal = nameRenewalDue(in: device) { due.append(renewal) }
        // After the expiry, no time is due: the input from the relay that completes the reading closes the inbox.
        if case .invite(_, let expiresAt) = record.purpose,
            let delay = device.clocks.delay(untilOver: expiresAt.asMilliseconds, relay: record.relay), delay > 0
        {
            due.append(now.plus(delay))
        }
        if isLinked, let delay = trimDelay(at: device.wall) { due.append(now.plus(delay)) }
        if isLinked { due += restsOfWaits(in: device).map(now.plus) }
        if isLinked,
            let delay = depositPolicy(at: device.wall).delay(
                isClockDoubtful: device.clockDoubt(about: record.relay) != nil)
        {
            due.append(now.plus(delay))
        }
        return due
    }

    // MARK: Inputs

    mutating func handle(_ input: InboxInput, in profile: inout ProfileState) throws(KithError) {
        switch input {
        case .connected: try open(in: &profile)
        case .disconnected:
            connection = InboxConnection()
            // The letter that needs the tree will be delivered again.
            profile.device.parcels.forget(.tree(id), in: &profile.device.step)
        case .answered(let request, let result): try didAnswer(request, result, in: &profile)
        case .followStarted(let tag, let lastSeq):
            if connection.followTag == tag { try didStartFollow(lastSeq: lastSeq, in: &profile) }
        case .followed(let event): if case .entries(let entries) = event { try process(entries, in: &profile) }
        case .followRefused(let error): try didRefuseFollow(error, in: &profile)
        case .treeFetched(let tree): try didFetchTree(tree, in: &profile)
        case .treeLost: try didFetchTree(nil, in: &profile)
        case .tick: try tick(in: &profile)
        case .made:
            store(in: &profile.device)
            profile.device.keepConnected(to: record.relay)
            try open(in: &profile)
        case .close: try close(in: &profile)
        case .replaceKeyPackage: try makeDeposit(replacing: 1, in: &profile.device)
        case .certificateExpired: certificateExpired(in: &profile.device)
        case .nameRegistered: didRegister(in: &profile.device)
        case .renewName: try renewName(in: &profile.device)
        case .stepEnds: takeLettersAside(in: &profile)
        }
    }

    private mutating func didAnswer(
        _ request: InboxRequest, _ result: Result<Reply, RelayError>, in profile: inout ProfileState
    ) throws(KithError) {
        switch request {
        case .create, .present: try didOpenStep(result, in: &profile)
        case .deposit: try didDeposit(result, in: &profile)
        case .close: didClose(result, in: &profile.device)
        case .trim(let seq): didTrim(through: seq, result, in: &profile.device)
        }
    }

    private mutating func tick(in profile: inout ProfileState) throws(KithError) {
        if let retryAt = connection.retryAt, retryAt <= profile.device.now,
            profile.device.relays.isConnected(record.relay)
        {
            connection.endPause()
            try open(in: &profile)
        }
        guard !record.isClosing, !isForgotten else { return }
        if profile.device.relays.isConnected(record.relay) { try renewName(in: &profile.device) }
        trimIfDue(in: &profile.device)
        if isOver(in: profile.device) {
            try closeIfOver(in: &profile)
        } else if profile.device.relays.isConnected(record.relay),
            depositPolicy(at: profile.device.wall).isDueWhileOpen
        {
            try makeDeposit(in: &profile.device)
        }
    }

    // MARK: The connection

    mutating func open(in profile: inout ProfileState) throws(KithError) {
        guard profile.device.relays.isConnected(record.relay), connection.followTag == nil else {
            return
        }
        if record.isClosing {
            present(in: &profile.device)
            return request(.close(channel: record.channel), .close, in: &profile.device)
        }
        if record.depositedAt == 0, record.purpose.isInvite, profile.device.commands.isInviteAwaited(id),
            let difference = profile.device.clockDoubt(about: record.relay)
        {
            // Nobody has the inbox's address yet, so the inbox can be forgotten.
            forget(in: &profile.device)
            return profile.device.failCommands(at: id, .wrongClock(difference))
        }
        // The inbox is created only once. If it is missing later, the relay has lost it with all its contents.
        if record.depositedAt == 0 {
            request(
                .create(channel: record.channel, kind: .inbox, access: record.access, retentionSeconds: nil), .create,
                in: &profile.device)
        }
        present(in: &profile.device)
        if depositPolicy(at: profile.device.wall).isDueAtOpening { try makeDeposit(in: &profile.device) }
        followLetters(from: nextLetter(in: profile), in: &profile.device)
    }

    private func present(in device: inout DeviceState) {
        request(
            .present(channel: record.channel, epoch: 0, tokens: [record.readToken, record.turnToken]), .present,
            in: &device)
    }

    /// Sends a request to the inbox's relay.
    func request(_ request: Request, _ purpose: InboxRequest, in device: inout DeviceState) {
        device.request(record.relay, request, for: .inbox(id, purpose))
    }

    private mutating func didOpenStep(
        _ result: Result<Reply, RelayError>, in profile: inout ProfileState
    ) throws(KithError) {
        guard case .failure(let error) = result else { return }
        if error.code.isPassing { return openLater(error, in: &profile.device) }
        // This refusal is only a consequence of an earlier one.
        guard connection.retryAt == nil else { return }
        if error.code == .denied, record.depositedAt > 0, !record.isClosing { return try makeAgain(in: &profile) }
        guard error.code == .gone || error.code == .denied || error.code == .exists else { return }
        // The inbox was closed, or the relay has lost it.
        if record.isClosing { return forget(in: &profile.device) }
        if error.code == .gone { forget(in: &profile.device) }
        profile.device.failCommands(at: id, .relay(.refused(error)))
    }

    /// Creates the inbox again with other key packages. The relay has lost the old inbox.
    private mutating func makeAgain(in profile: inout ProfileState) throws(KithError) {
        guard !isOver(in: profile.device) else { return try close(in: &profile) }
        stopFollowing(in: &profile.device)
        profile.device.parcels.forget(.tree(id), in: &profile.device.step)
        // The relay will also refuse a deposit that is under way.
        connection.endDeposit()
        record.relayLostIt()
        store(in: &profile.device)
        try open(in: &profile)
    }

    /// Opens the inbox again after a pause. The pause has a minimum length, so that repeated attempts do not delay the user's
    /// requests.
    mutating func openLater(_ error: RelayError, in device: inout DeviceState) {
        stopFollowing(in: &device)
        connection.pause(until: device.now + max(ClientLimits.inboxRetryMs, error.retryDelayMs))
    }

    /// Ends the follow. The next follow delivers the queued entries again.
    private mutating func stopFollowing(in device: inout DeviceState) {
        unfollow(in: &device)
        connection.dropQueue()
    }

    mutating func unfollow(in device: inout DeviceState) {
        device.step.unfollow(record.relay, connection.followTag)
        connection.endFollow()
    }

    private mutating func didRefuseFollow(_ error: RelayError, in profile: inout ProfileState) throws(KithError) {
        connection.endFollow()
        connection.dropQueue()
        switch error.code {
        case .trimmed:
            // Earlier entries no longer exist, but later ones will be delivered.
            record.skip(through: error.detail - min(1, error.detail))
            store(in: &profile.device)
            try open(in: &profile)
        case .gone: forget(in: &profile.device)
        case let code where code.isPassing: openLater(error, in: &profile.device)
        // Nothing can be read from the inbox.
        default: if isOver(in: profile.device) { try close(in: &profile) }
        }
    }

    /// Handles the start of a follow. If the relay has fewer entries than were processed, the relay has lost entries. A relay
    /// that has lost entries gives new entries the seqs after its own last entry, so the device reads the inbox from there.
    private mutating func didStartFollow(lastSeq: UInt64, in profile: inout ProfileState) throws(KithError) {
        connection.didStartFollow(lastSeq: lastSeq)
        record.correctWaits(now: letterTime(in: profile.device))
        guard lastSeq < record.lastSeq else {
            trimAtOnce(in: &profile.device)
            return try closeIfOver(in: &profile)
        }
        unfollow(in: &profile.device)
        record.relayLostEntries(after: lastSeq)
        store(in: &profile.device)
        try open(in: &profile)
    }

    // MARK: The end

    /// Closes the inbox if its invite was used or has expired. The inbox closes only after all letters that arrived in time were
    /// read, because their senders were told that the letters had arrived.
    mutating func closeIfOver(in profile: inout ProfileState) throws(KithError) {
        if isOver(in: profile.device), isRead { try close(in: &profile) }
    }

    /// Closes the inbox on this device at once. The relay closes the inbox as soon as the device is connected.
    mutating func close(in profile: inout ProfileState) throws(KithError) {
        guard !record.isClosing else { return }
        record.close()
        stopFollowing(in: &profile.device)
        profile.device.parcels.forget(.tree(id), in: &profile.device.step)
        store(in: &profile.device)
        profile.device.step.deleteAll(.keyPackage, owner: id.rawValue)
        profile.device.failCommands(at: id, .inviteExpired)
        try open(in: &profile)
    }

    private mutating func didClose(_ result: Result<Reply, RelayError>, in device: inout DeviceState) {
        if case .failure(let error) = result {
            if error.code.isPassing { return openLater(error, in: &device) }
            guard connection.retryAt == nil else { return }
        }
        forget(in: &device)
    }

    private mutating func forget(in device: inout DeviceState) {
        guard !isForgotten else { return }
        isForgotten = true
        // The inbox is closed, which is what the waiting commands have requested.
        if record.isClosing { device.commands.didClose(id, in: &device.step) }
        device.parcels.forget(.tree(id), in: &device.step)
        device.step.delete(StoreKey(.inbox, item: id.rawValue))
        device.step.deleteAll(.keyPackage, owner: id.rawValue)
    }

    /// Adds the record to the step's transaction.
    func store(in device: inout DeviceState) {
        guard !isForgotten else { return }
        device.step.put(StoreKey(.inbox, item: id.rawValue), record.encoded)
    }

    /// Marks the key packages for replacement, because they contain an expired or outdated certificate.
    mutating func certificateExpired(in device: inout DeviceState) {
        guard record.depositedAt > 0 else { return }
        record.keyPackagesExpired()
        store(in: &device)
    }
}
