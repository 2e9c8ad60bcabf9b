import KithWire
import MLS

/// The state that all machines of a device share: its identity, the relays and people that it knows, the time, and the current
/// step. Each part is changed only by the part's own methods.
struct DeviceState {
    /// The profile's stored values, without those of the current step.
    let store: any ProfileStore
    let random: RandomSource
    let sizes: EntrySizes
    private(set) var identity: ProfileRecord

    var relays = RelayDirectory()
    var contacts: ContactBook
    var deliveries = DeliveryQueue()
    var parcels = ParcelFetches()
    var erasures = ErasureSchedule()
    var uploads = UploadQueue()
    var downloads = DownloadQueue()
    var deletions = DeletionQueue()
    var fileSettings = FileSettings()
    var downloadBudget = DownloadBudget()
    var commands = WaitingCommands()
    var nameRequests = NameRequests()
    /// The times of the current input.
    private(set) var clocks: Clocks
    var clockNotices = ClockNotices()
    var invitationNotices = InvitationNotices()
    var damage: Damage
    var step = Step()

    /// - Parameter isForReading: whether the profile is only read, so that damaged values are left out. A profile that sends
    ///   needs all values.
    init(
        _ store: any ProfileStore, clocks: Clocks, random: RandomSource = .system, sizes: EntrySizes = EntrySizes(),
        folding: NameFolding, isForReading: Bool
    ) throws(KithError) {
        self.store = store
        self.clocks = clocks
        self.random = random
        self.sizes = sizes
        damage = Damage(isTolerated: isForReading)
        guard let stored = try reading({ () throws(StoreError) in try store.value(ProfileRecord.key) }) else {
            throw .noProfile
        }
        identity = try ProfileRecord(stored: stored)
        contacts = ContactBook(folding: folding, own: identity.name)
    }

    /// The public key of this device's account.
    var account: AccountKey { identity.account.publicKey }

    /// The time of the device's clock, in milliseconds since 1970, for dates that others see, or that are still used after this
    /// process has ended.
    var wall: UInt64 { clocks.wall }

    /// The time with which waits are measured, in milliseconds; see ``Clocks/now``.
    var now: UInt64 { clocks.now }

    /// The time, the random bytes and the settings for MLS.
    var environment: MLSEnvironment {
        var environment = MLSEnvironment(authentication: CertifiedDevices(), now: wall / 1000, random: random)
        // Otherwise a member with a wrong clock could not follow the other members into an epoch.
        environment.configuration.checksReceivedLifetimes = false
        // Only members add members, so proposals from outside are refused.
        environment.configuration.acceptsNewcomers = false
        // Kith uses no other group extension, and gives no rights to external senders.
        environment.configuration.allowedGroupExtensions = [.requiredCapabilities]
        return environment
    }

    /// Returns a random number less than `bound`.
    func jitter(_ bound: UInt64) -> UInt64 {
        var generator = SourceGenerator(source: random)
        return generator.next() % max(1, bound)
    }

    /// Sets the two current times: one by the device's clock, and one by a clock that can't be set. See ``Clocks``.
    mutating func advance(wall: UInt64, steady: UInt64) { clocks.advance(wall: wall, steady: steady) }

    /// Returns whether the device's clock was set forward or back by an hour or more since the last call.
    mutating func clockWasSet() -> Bool { clocks.didSet() }

    // MARK: Effects

    /// Reports an event to the user.
    mutating func emit(_ event: KithEvent) { step.emit(event) }

    /// Sends a request, if its relay is connected. The answer is handled according to `purpose`.
    mutating func request(_ relay: RelayID, _ request: Request, for purpose: RequestPurpose) {
        guard relays.isConnected(relay) else { return }
        step.request(relay, request, for: purpose)
    }

    mutating func keepConnected(to relay: RelayID) { relays.keepConnected(to: relay, in: &step) }

    /// Notes that a relay is connected, and stores the time that the relay has stated, in milliseconds since 1970.
    ///
    /// - Returns: whether the profile needs the connection.
    mutating func didConnect(_ relay: RelayID, timeMs: UInt64?) -> Bool {
        if let timeMs { clocks.relay(relay, says: timeMs) }
        return relays.didConnect(relay)
    }

    /// Forgets all requests and follows on a connection that has ended.
    mutating func didDisconnect(_ relay: RelayID) {
        relays.didDisconnect(relay)
        step.forget(relay)
        nameRequests.didDisconnect(relay)
    }

    // MARK: People

    /// Returns the contact to whom a device belongs. A new person becomes a contact with the key in the certificate.
    ///
    /// - Parameter isStranger: whether the contact was found in a pending conversation.
    mutating func remember(
        _ certificate: DeviceCertificate, trust: Trust, alias: String? = nil, isStranger: Bool = false
    ) -> ContactID {
        let person = Acquaintance(
            accountKey: certificate.accountKey, name: alias ?? certificate.name, trust: trust, isStranger: isStranger)
        return contacts.remember(person, in: &step)
    }

    /// Returns the author of an entry, from the leaf that has signed it.
    func author(of sender: Sender, _ group: Group) -> EntryRecord.Author {
        guard case .member(let leaf) = sender, let certificate = group.tree[leaf]?.credential.deviceCertificate else {
            return .unknown
        }
        if certificate.accountKey == account { return .me }
        return contacts[certificate.accountKey].map { .contact($0.id) } ?? .unknown
    }

    /// Returns the name that an entry's author has on this device.
    func name(of author: EntryRecord.Author) -> String {
        switch author {
        case .me: identity.name
        case .contact(let id): contacts[id]?.name ?? "somebody"
        case .unknown: "somebody"
        }
    }

    // MARK: The device's certificate

    /// Changes the user's name, and creates a new certificate of the device with the name.
    ///
    /// - Throws: ``KithError/nameTaken(_:)`` if a contact has the name.
    mutating func rename(to name: String) throws(KithError) {
        try contacts.renameUser(from: identity.name, to: name)
        identity = try callingMLS { () throws(MLSError) in try identity.renamed(to: name) }
        step.put(ProfileRecord.key, identity.encoded)
    }

    /// Renews the device's certificate if it does not cover enough time before and after now. A certificate that was made while
    /// the clock was wrong may cover too little time.
    ///
    /// - Returns: `true` if nobody could accept the old certificate, so that key packages with the old certificate have to be
    ///   replaced.
    mutating func renewCertificate() throws(KithError) -> Bool {
        let wasCurrent = identity.certificate.lifetime.contains(wall / 1000)
        let renewed = try callingMLS { () throws(MLSError) in try identity.recertified(at: wall) }
        guard let renewed else { return false }
        identity = renewed
        step.put(ProfileRecord.key, renewed.encoded)
        return !wasCurrent
    }
}

/// The maximum sizes of a commit and of a Welcome in an entry. A longer commit is sent in a parcel. If a Welcome would be
/// longer because of the tree, the tree is sent in a parcel.
package struct EntrySizes: Sendable {
    /// The longest commit that a turn may contain, in bytes.
    package var turn: Int
    /// The longest Welcome that may contain the tree, in bytes.
    package var welcome: Int

    package init(turn: Int = ClientLimits.turn, welcome: Int = ClientLimits.welcome) {
        self.turn = turn
        self.welcome = welcome
    }
}

/// The values of a profile that are damaged on the disk.
struct Damage {
    /// Whether damaged values are left out. The value is `true` in a profile that is open for reading only.
    let isTolerated: Bool
    /// The damaged entries that were found so far.
    private(set) var entries: Set<EntryPlace> = []
    /// The number of damaged values that are not entries, and were left out when the profile was opened.
    private(set) var values = 0

    init(isTolerated: Bool) { self.isTolerated = isTolerated }

    mutating func note(_ entry: EntryPlace) { entries.insert(entry) }
    mutating func noteValue() { values += 1 }
}

/// Decides which notices about invitations are reported to the user, so that no notice repeats too often.
struct InvitationNotices {
    /// Whether the user has been told that letters of strangers are waiting, since the user last decided about a stranger.
    private var isTooManyPendingTold = false
    /// The relays about which the user was told because an invitation was skipped.
    private var relays: Set<RelayAddress> = []

    /// Notes that a stranger's letter has to wait because too many conversations are pending.
    ///
    /// - Returns: whether the user has to be told that the letter waits.
    mutating func tooManyPending() -> Bool {
        defer { isTooManyPendingTold = true }
        return !isTooManyPendingTold
    }

    /// Notes that the user has decided about a stranger, so that the user is told again when a stranger's letter has to wait.
    mutating func didDecide() { isTooManyPendingTold = false }

    /// Notes that an invitation was skipped because of its relay. Anyone can send an invitation to a registered name, and can
    /// name any relay in it.
    ///
    /// - Returns: whether the invitation has to be reported to the user. Each relay is reported once. After
    ///   ``ClientLimits/relaysToldOf`` relays, no further relay is reported.
    mutating func passedOver(to relay: RelayAddress) -> Bool {
        relays.count < ClientLimits.relaysToldOf && relays.insert(relay).inserted
    }
}

/// Runs a read of the store, and converts its error to a ``KithError``.
package func reading<T>(_ body: () throws(StoreError) -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .store(error) }
}

/// Decodes a stored value. Every error means that the value is damaged.
func decodingStored<T>(_ table: StoreTable, _ body: () throws -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .store(.damaged(table)) }
}

/// Runs a call of MLS, and converts its error to a ``KithError``.
func callingMLS<T>(_ body: () throws(MLSError) -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .mls(error) }
}
