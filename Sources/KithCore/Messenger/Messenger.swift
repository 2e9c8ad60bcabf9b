import KithWire
import MLS

/// Everything that Kith does with conversations, as a state machine: inputs in, what to store and what to do out. No clock, no
/// network, and no disk but the store that it reads from.
///
/// One rule makes it correct: a conversation's state changes only as the log brings its entries, in their order, this device's
/// own among them. Answers to requests only tell when to try again.
///
/// A step that throws leaves the machine unusable: what it has in memory may be ahead of the store. Drop it and open another.
package final class Messenger {
    let store: any ProfileStore
    let random: RandomSource
    var profile: ProfileRecord
    let sizes: EntrySizes

    var relays = RelayDirectory()
    var contacts: ContactBook
    var conversations: [ConversationID: Conversation] = [:]
    var conversationsByChannel: [ChannelID: ConversationID] = [:]
    var inboxes: [InboxID: Inbox] = [:]
    var deliveries = DeliveryQueue()
    var parcels = ParcelFetches()
    var erasures = ErasureSchedule()

    /// The time, as of the input that is being handled.
    var clocks: Clocks
    /// The clock's lead over each relay's when the user was told of it, in milliseconds.
    var clockTold: [RelayID: Int64] = [:]
    /// Whether the user was told that a contact's clock differs.
    var isContactClockTold = false

    /// Entries that were read and are damaged on the disk.
    package var damagedEntries: Set<EntryPlace> = []
    /// Other values that are damaged and were left out when the profile was opened.
    package var damagedValues = 0
    /// Whether damaged values are left out: for profiles that are opened for reading. One that sends must know everything.
    let toleratesDamage: Bool

    var step = Step()
    /// Conversations to be stored at the end of this step.
    var touched: Set<ConversationID> = []
    /// Key packages that were made in this step and are not in the store yet.
    var freshBundles: [InboxItem: KeyPackageBundle] = [:]
    /// Counts the uses of groups, to tell which were not used for the longest time.
    var groupUses: UInt64 = 0
    /// Whether the user was told that strangers' letters wait.
    var isTooManyPendingTold = false
    /// Relays to which somebody invited in vain, and of which the user was told.
    var toldRelays: Set<RelayAddress> = []
    /// Conversations whose contact cards are sent once the input has been handled.
    var cardsDue: [ConversationID] = []
    var commands = WaitingCommands()
    var nameRequests = NameRequests()
    /// The cursors of programs that read messages; `nil` until one is used.
    var cursors: CursorBook?

    /// Reads a profile's state.
    ///
    /// - Parameters:
    ///   - now: the device's clock, in milliseconds since 1970.
    ///   - steady: milliseconds since any moment, by a clock that nobody sets; `nil` if nobody sets the device's clock either.
    ///   - sizes: what goes into an entry, and what into a parcel.
    ///   - folding: which names look the same.
    /// - Throws: ``KithError/noProfile``, ``KithError/store(_:)``.
    package init(
        opening store: any ProfileStore, now: UInt64, steady: UInt64? = nil, random: RandomSource = .system,
        sizes: EntrySizes = EntrySizes(), folding: NameFolding
    ) throws(KithError) {
        self.store = store
        self.sizes = sizes
        self.random = random
        toleratesDamage = false
        clocks = Clocks(wall: now, steady: steady ?? now)
        profile = try Self.profile(in: store)
        contacts = ContactBook(folding: folding, own: profile.name)
        try load()
    }

    /// Reads what can be read of a profile's state: what is damaged is left out and counted. No input may follow.
    ///
    /// - Throws: as the other.
    package init(reading store: any ProfileStore, now: UInt64, folding: NameFolding) throws(KithError) {
        self.store = store
        sizes = EntrySizes()
        random = .system
        toleratesDamage = true
        clocks = Clocks(wall: now, steady: now)
        profile = try Self.profile(in: store)
        contacts = ContactBook(folding: folding, own: profile.name)
        try load()
    }

    private static func profile(in store: any ProfileStore) throws(KithError) -> ProfileRecord {
        guard let stored = try reading({ () throws(StoreError) in try store.value(ProfileRecord.key) }) else {
            throw .noProfile
        }
        return try ProfileRecord(stored: stored)
    }

    /// Returns the first things to do.
    ///
    /// - Parameters: as for opening.
    package func start(now: UInt64, steady: UInt64? = nil) throws(KithError) -> MessengerOutput {
        try run(now, steady) { () throws(KithError) in
            try renewCertificate()
            try eraseExpired()
            for relay in relaysInUse { relays.want(relay, in: &step) }
        }
    }

    /// Takes inputs that came together. What they change is stored together.
    ///
    /// - Parameters: as for opening.
    package func handle(
        _ inputs: [MessengerInput], now: UInt64, steady: UInt64? = nil
    ) throws(KithError) -> MessengerOutput {
        try run(now, steady) { () throws(KithError) in
            for input in inputs { try handle(input) }
        }
    }

    private func run(
        _ wall: UInt64, _ steady: UInt64?, _ body: () throws(KithError) -> Void
    ) throws(KithError) -> MessengerOutput {
        clocks.advance(wall: wall, steady: steady ?? wall)
        if clocks.didSet() { try eraseExpired() }
        try body()
        tellOfClocks()
        takeLettersAside()
        try storeTouched()
        unloadIdleGroups()
        freshBundles = [:]
        return step.finish()
    }

    private func handle(_ input: MessengerInput) throws(KithError) {
        switch input {
        case .connected(let relay, _, let time):
            if let time { clocks.relay(relay, says: time) }
            try didConnect(relay)
        case .disconnected(let relay): didDisconnect(relay)
        case .answered(let relay, let tag, let result): try didAnswer(relay, tag, result)
        case .followStarted(let relay, let tag, let firstSeq, let lastSeq):
            try didStartFollow(relay, tag, firstSeq: firstSeq, lastSeq: lastSeq)
        case .followed(let relay, let tag, let event): try didFollow(relay, tag, event)
        case .followRefused(let relay, let tag, let error): try didRefuseFollow(relay, tag, error)
        case .command(let command): try perform(command)
        case .tick: try didTick()
        }
        try sendCardsDue()
    }

    // MARK: Telling and asking

    func tell(_ event: KithEvent) { step.tell(event) }

    /// Ends a command.
    func finish<Answer>(_ ticket: Ticket<Answer>, _ result: Result<Answer, KithError>) { step.finish(ticket, result) }

    /// Fails the commands that wait for an inbox.
    func fail(at inbox: InboxID, _ error: KithError) { commands.fail(at: inbox, error, in: &step) }

    /// Ends the commands that wait for an intent.
    func finish(at place: IntentPlace, _ result: Result<ConversationID, KithError>) {
        commands.finish(at: place, result, in: &step)
    }

    /// Makes a request of a relay that is connected; what the answer is for is remembered.
    func request(_ relay: RelayID, _ request: Request, for purpose: RequestPurpose) {
        guard relays.isConnected(relay) else { return }
        step.request(relay, request, for: purpose)
    }

    /// A number below a bound.
    func jitter(_ bound: UInt64) -> UInt64 {
        var generator = SourceGenerator(source: random)
        return generator.next() % max(1, bound)
    }

    /// The clock, randomness and policy for MLS.
    var environment: MLSEnvironment {
        var environment = MLSEnvironment(authentication: CertifiedDevices(), now: wall / 1000, random: random)
        // A member whose clock is wrong could not follow the others into an epoch.
        environment.configuration.checksReceivedLifetimes = false
        // Members add members; nobody proposes from outside.
        environment.configuration.acceptsNewcomers = false
        // Nothing in Kith uses others, and external senders may do nothing here.
        environment.configuration.allowedGroupExtensions = [.requiredCapabilities]
        return environment
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

/// An entry of a conversation.
package struct EntryPlace: Hashable, Sendable {
    let conversation: ConversationID
    let seq: UInt64
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
