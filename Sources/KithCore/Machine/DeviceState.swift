import KithWire
import MLS

/// The state that the machines of one device share: its identity, the relays and people it knows, the time, and the step that is
/// being made. Each part is a machine of its own and changes only by its methods.
struct DeviceState {
    /// The profile's values as of the last step.
    let store: any ProfileStore
    let random: RandomSource
    let sizes: EntrySizes
    private(set) var identity: ProfileRecord

    var relays = RelayDirectory()
    var contacts: ContactBook
    var deliveries = DeliveryQueue()
    var parcels = ParcelFetches()
    var erasures = ErasureSchedule()
    var commands = WaitingCommands()
    var nameRequests = NameRequests()
    /// The time, as of the input that is being handled.
    var clocks: Clocks
    var clockNotices = ClockNotices()
    var invitationNotices = InvitationNotices()
    var damage: Damage
    var step = Step()

    /// - Parameter isForReading: whether damaged values are left out. A profile that sends must know everything.
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

    /// This device's account.
    var account: AccountKey { identity.account.publicKey }

    /// The device's clock, in milliseconds since 1970: for dates, which others see or which outlast this process.
    var wall: UInt64 { clocks.wall }

    /// The time by which waiting is measured, in milliseconds: see ``Clocks/now``.
    var now: UInt64 { clocks.now }

    /// The clock, randomness and policy for MLS.
    var environment: MLSEnvironment {
        var environment = MLSEnvironment(authentication: CertifiedDevices(), now: wall / 1000, random: random)
        // A member whose clock is wrong could not follow the others into an epoch.
        environment.configuration.checksReceivedLifetimes = false
        // Members add members; nobody proposes from outside.
        environment.configuration.acceptsNewcomers = false
        // Kith uses no other extension, and external senders may do nothing here.
        environment.configuration.allowedGroupExtensions = [.requiredCapabilities]
        return environment
    }

    /// A random number below a bound.
    func jitter(_ bound: UInt64) -> UInt64 {
        var generator = SourceGenerator(source: random)
        return generator.next() % max(1, bound)
    }

    // MARK: Effects

    /// Tells the user.
    mutating func emit(_ event: KithEvent) { step.emit(event) }

    /// Makes a request of a relay that is connected; the purpose comes back with the answer.
    mutating func request(_ relay: RelayID, _ request: Request, for purpose: RequestPurpose) {
        guard relays.isConnected(relay) else { return }
        step.request(relay, request, for: purpose)
    }

    /// Keeps a connection to a relay from now on.
    mutating func keepConnected(to relay: RelayID) { relays.keepConnected(to: relay, in: &step) }

    /// A relay is connected.
    ///
    /// - Returns: whether its connection is kept.
    mutating func didConnect(_ relay: RelayID, timeMs: UInt64?) -> Bool {
        if let timeMs { clocks.relay(relay, says: timeMs) }
        return relays.didConnect(relay)
    }

    /// A connection is over: forgets what was under way there.
    mutating func didDisconnect(_ relay: RelayID) {
        relays.didDisconnect(relay)
        step.forget(relay)
        nameRequests.didDisconnect(relay)
    }

    // MARK: People

    /// The contact that a device belongs to. A person who is new is remembered with the key at hand.
    ///
    /// - Parameter isStranger: whether the contact is met in a pending conversation.
    mutating func remember(
        _ certificate: DeviceCertificate, trust: Trust, alias: String? = nil, isStranger: Bool = false
    ) -> ContactID {
        let person = Acquaintance(
            accountKey: certificate.accountKey, name: alias ?? certificate.name, trust: trust, isStranger: isStranger)
        return contacts.remember(person, in: &step)
    }

    /// The author of an entry, by the leaf that signed it.
    func author(of sender: Sender, _ group: Group) -> EntryRecord.Author {
        guard case .member(let leaf) = sender, let certificate = group.tree[leaf]?.credential.deviceCertificate else {
            return .unknown
        }
        if certificate.accountKey == account { return .me }
        return contacts[certificate.accountKey].map { .contact($0.id) } ?? .unknown
    }

    /// The name of an entry's author here.
    func name(of author: EntryRecord.Author) -> String {
        switch author {
        case .me: identity.name
        case .contact(let id): contacts[id]?.name ?? "somebody"
        case .unknown: "somebody"
        }
    }

    // MARK: The device's certificate

    /// Certifies the device anew when its certificate is not valid for long before and after now: the clock may have been wrong
    /// when the profile was made.
    ///
    /// - Returns: whether nobody could accept the certificate before. Key packages that hold it have to be replaced.
    mutating func renewCertificate() throws(KithError) -> Bool {
        let wasCurrent = identity.certificate.lifetime.contains(wall / 1000)
        let renewed = try callingMLS { () throws(MLSError) in try identity.recertified(at: wall) }
        guard let renewed else { return false }
        identity = renewed
        step.put(ProfileRecord.key, renewed.encoded)
        return !wasCurrent
    }
}

/// The lengths up to which a commit and a Welcome go into an entry itself. Longer ones go into parcels.
package struct EntrySizes: Sendable {
    /// The longest commit in a turn, in bytes.
    package var turn: Int
    /// The longest Welcome with the tree in it, in bytes.
    package var welcome: Int

    package init(turn: Int = ClientLimits.turn, welcome: Int = ClientLimits.welcome) {
        self.turn = turn
        self.welcome = welcome
    }
}

/// The values of a profile that are damaged on the disk.
struct Damage {
    /// Whether damaged values are left out: in profiles that are opened for reading.
    let isTolerated: Bool
    /// Entries that were read and are damaged.
    private(set) var entries: Set<EntryPlace> = []
    /// The number of other values that were left out when the profile was opened.
    private(set) var values = 0

    init(isTolerated: Bool) { self.isTolerated = isTolerated }

    mutating func note(_ entry: EntryPlace) { entries.insert(entry) }
    mutating func noteValue() { values += 1 }
}

/// The notices about invitations that the user gets once.
struct InvitationNotices {
    /// Whether the user was told that strangers' letters wait.
    private var isTooManyPendingTold = false
    /// Relays to which an invitation led that was passed over.
    private var relays: Set<RelayAddress> = []

    /// More letters of strangers wait than are shown.
    ///
    /// - Returns: whether to tell the user.
    mutating func tooManyPending() -> Bool {
        defer { isTooManyPendingTold = true }
        return !isTooManyPendingTold
    }

    /// The user has decided about a stranger.
    mutating func didDecide() { isTooManyPendingTold = false }

    /// An invitation to another relay was passed over. Anybody can send one to a name.
    ///
    /// - Returns: whether to tell the user: of each relay once, and of few.
    mutating func passedOver(to relay: RelayAddress) -> Bool {
        relays.count < ClientLimits.relaysToldOf && relays.insert(relay).inserted
    }
}

/// Runs a read of the store and gives its error the SDK's type.
package func reading<T>(_ body: () throws(StoreError) -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .store(error) }
}

/// Decodes what was stored.
func decodingStored<T>(_ table: StoreTable, _ body: () throws -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .store(.damaged(table)) }
}

/// Runs a call of MLS and gives its error the SDK's type.
func callingMLS<T>(_ body: () throws(MLSError) -> T) throws(KithError) -> T {
    do { return try body() } catch { throw .mls(error) }
}
