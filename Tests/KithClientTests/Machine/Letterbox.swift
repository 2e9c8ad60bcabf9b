import KithSimulation
import KithWire
import MLS
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// A profile with one inbox. The test plays the relay: letters go in, effects come out.
final class Letterbox {
    static let now: UInt64 = 1_750_000_000_000
    static let suite = CipherSuite.x25519AES128SHA256Ed25519

    let store: CountingStore
    let point: RelayPoint
    private(set) var alice: ProfileMachine
    private let relay = RelayID(rawValue: 1)
    private var lastSeq: UInt64 = 0
    private var packages: [KeyPackage] = []
    private(set) var events: [KithEvent] = []
    /// The time that has passed by every clock, in milliseconds.
    var passed: UInt64 = 0
    /// The time by which the device's clock is ahead of all other clocks, in milliseconds.
    var clockError: UInt64 = 0
    /// The relay of the groups in letters, if it is another than the inbox's.
    var groupRelay: RelayPoint?
    /// The first lines of letters.
    var firstLines = ""

    /// - Parameter isReusable: whether the inbox's invite is reusable.
    init(isReusable: Bool = true) throws {
        let memory = MemoryProfileStore()
        try memory.commit(
            try ProfileRecord.new(name: "alice", deviceName: "d", suite: Self.suite, now: Self.now, random: .system))
        store = CountingStore(memory)
        alice = try ProfileMachine(opening: store, now: Self.now)
        point = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))))
        let expiresAt = Self.now / 1000 + 864_000
        try handle([
            .command(
                CommandID(rawValue: 1), .createInvite(relay: point, isReusable: isReusable, expiresAt: expiresAt))
        ])
        try connect()
    }

    var inbox: InboxMachine { get throws { try #require(alice.inboxes[InboxID(rawValue: 1)]).machine } }

    /// Hands inputs to the machine, commits its transaction, and returns its effects.
    @discardableResult
    func handle(_ inputs: [ProfileInput]) throws -> [Effect] {
        try commit(alice.handle(inputs, now: Self.now + passed + clockError, steady: Self.now + passed))
    }

    private func commit(_ output: ProfileOutput) throws -> [Effect] {
        try store.commit(output.transaction)
        for case .event(let event) in output.effects { events.append(event) }
        return output.effects
    }

    /// Connects the relay, answers the deposit and begins the follow of the inbox.
    ///
    /// - Parameter timeMs: the relay's clock; the device's if it is not given.
    @discardableResult
    func connect(timeMs: UInt64? = nil) throws -> [Effect] {
        let limits = AdvertisedLimits(
            payload: 1 << 18, frame: 1 << 19, requestsPerSecond: 200, requestBurst: 400, idleSeconds: 300,
            follows: 4_096, retentionSeconds: 86_400)
        let effects = try handle([.connected(relay, limits: limits, timeMs: timeMs ?? Self.now + passed)])
        for case .request(relay, let tag, .deposit(let channel, let sealed, let last)) in effects {
            if try channel == inbox.record.channel {
                packages += try (sealed + [last].compactMap { $0 }).map { try open($0, channel) }
            }
            try handle([.answered(relay, tag: tag, .success(.done))])
        }
        try startFollow(in: effects)
        return effects
    }

    /// Answers the follow of the inbox among effects.
    func startFollow(in effects: [Effect]) throws {
        for case .follow(relay, let tag, let channel, _, let from) in effects where try channel == inbox.record.channel
        {
            try handle([.followStarted(relay, tag: tag, firstSeq: from, lastSeq: lastSeq)])
        }
    }

    /// The same profile after reopening, without a connection.
    @discardableResult
    func reopen() throws -> [Effect] {
        alice = try ProfileMachine(opening: store, now: Self.now + passed)
        return try commit(alice.start(now: Self.now + passed))
    }

    /// Changes the record of the inbox, as if it had been stored so, and opens the profile again.
    func changeInbox(_ change: (inout InboxRecord) -> Void) throws {
        var record = try inbox.record
        change(&record)
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.inbox, item: 1), record.encoded)
        try store.commit(transaction)
        try reopen()
    }

    /// Refuses the follow of the inbox.
    func refuseFollow(_ code: RelayError.Code, detail: UInt64) throws -> [Effect] {
        let tag = try #require(try inbox.connection.followTag)
        return try handle([.followRefused(relay, tag: tag, RelayError(code, "", detail: detail))])
    }

    private func open(_ sealed: KeyPackageBytes, _ channel: ChannelID) throws -> KeyPackage {
        let bytes = try inbox.record.sealKey.open(sealed.bytes, .keyPackage, channel: channel.bytes)
        guard case .keyPackage(let package) = try MLSMessage.decode(try #require(bytes)) else {
            throw KithError.wrongAccount
        }
        return package
    }

    static func person(_ name: String) throws -> ProfileRecord {
        try ProfileRecord(
            account: AccountPrivateKey(random: .system), name: name, deviceName: "d", suite: suite, now: now,
            random: .system)
    }

    /// A letter that invites to a new group of its writer, some others and alice, by one package of her inbox.
    ///
    /// - Parameters:
    ///   - tree: the address of the group's tree in the letter.
    ///   - usesLastResort: whether the letter is for the last-resort package of the first deposit.
    func letter(
        from writer: ProfileRecord, and others: [ProfileRecord] = [], isDirect: Bool = false,
        tree: TreeSource = .inWelcome,
        usesLastResort: Bool = false
    ) throws -> Entry {
        var group = try Self.group(of: writer, on: .random())
        return try letter(
            into: &group, and: others, isDirect: isDirect, tree: tree, usesLastResort: usesLastResort)
    }

    /// A group of one.
    static func group(of profile: ProfileRecord, on channel: ChannelID) throws -> Group {
        try Group(
            creating: channel.bytes, suite: suite, client: profile.client,
            lifetime: Lifetime(ofKeyPackageMadeAt: now / 1000), in: environment)
    }

    static var environment: MLSEnvironment { MLSEnvironment(authentication: CertifiedDevices(), now: now / 1000) }

    /// A letter that invites alice and others to a group, by one package of her inbox. The group is in the epoch that they
    /// join. Its log has the turns of all epochs, and no message.
    func letter(
        into group: inout Group, and others: [ProfileRecord] = [], isDirect: Bool = false,
        tree: TreeSource = .inWelcome,
        usesLastResort: Bool = false
    ) throws -> Entry {
        let isLast = usesLastResort || packages.count == 1
        let package = isLast ? try #require(packages.last) : packages.removeFirst()
        let channel = try inbox.record.channel
        var environment = Self.environment
        if case .parcel = tree { environment.configuration.includesRatchetTree = false }
        let lifetime = Lifetime(ofKeyPackageMadeAt: Self.now / 1000)
        var added = [Proposal.add(package)]
        for other in others {
            let bundle = try KeyPackageBundle(suite: Self.suite, client: other.client, lifetime: lifetime)
            added.append(.add(bundle.keyPackage))
        }
        let commit = try group.commit(CommitOptions(added), in: environment)
        guard case .welcome(let welcome)? = commit.welcome else { throw KithError.wrongAccount }
        try group.apply(commit)
        let view = LogView(
            beginning: group.epoch, of: try #require(ChannelID(group.groupID)),
            authenticator: group.epochAuthenticator, after: group.epoch)
        let message = InboxMessage(
            relay: groupRelay ?? point, title: isDirect ? "" : "a group", isDirect: isDirect,
            welcome: MLSMessage.welcome(try #require(try welcome.only(for: package))).encoded, tree: tree,
            view: view, firstLines: FirstLines([firstLines]))
        let letter = try InboxLetter(message, to: package, channel: channel, random: .system)
        let sealed = try inbox.record.sealKey.seal(letter.encoded, .message, channel: channel.bytes, random: .system)
        lastSeq += 1
        return Entry(
            seq: lastSeq, epoch: 0, kind: .message, receivedAtMs: Self.now, id: .random(),
            payload: try #require(sealed)[...])
    }

    /// An entry that is no letter.
    func garbage() -> Entry {
        lastSeq += 1
        return Entry(
            seq: lastSeq, epoch: 0, kind: .message, receivedAtMs: Self.now, id: .random(), payload: [1, 2, 3])
    }

    /// Delivers entries of the inbox.
    @discardableResult
    func bring(_ entries: [Entry]) throws -> [Effect] {
        let tag = try #require(try inbox.connection.followTag)
        return try handle([.followed(relay, tag: tag, .entries(entries))])
    }

    /// Answers the follow of another channel among effects.
    @discardableResult
    func startFollow(
        of channel: ChannelID, firstSeq: UInt64, lastSeq: UInt64, in effects: [Effect]
    ) throws -> [Effect] {
        let tag = try #require(effects.followTag(of: channel))
        return try handle([.followStarted(relay, tag: tag, firstSeq: firstSeq, lastSeq: lastSeq)])
    }

    /// Delivers entries of another channel, whose follow is among effects.
    @discardableResult
    func bring(_ entries: [Entry], of channel: ChannelID, in effects: [Effect]) throws -> [Effect] {
        let tag = try #require(effects.followTag(of: channel))
        return try handle([.followed(relay, tag: tag, .entries(entries))])
    }

    /// Answers a request among effects with `done`.
    func answerTrims(in effects: [Effect]) throws {
        for case .request(relay, let tag, .trim) in effects {
            try handle([.answered(relay, tag: tag, .success(.done))])
        }
    }

    func perform<Answer>(_ command: Command<Answer>) throws -> [Effect] {
        try handle([.command(CommandID(rawValue: 99), command)])
    }

    var summaries: [ConversationSummary] { get throws { try alice.conversationSummaries() } }
}

/// A store that counts how often all key packages of an inbox are read.
final class CountingStore: ProfileStore {
    private let store: MemoryProfileStore
    let packageReads = SharedCount()
    /// The number of transactions that erased earlier states.
    let erasures = SharedCount()

    init(_ store: MemoryProfileStore) { self.store = store }

    func value(_ key: StoreKey) throws(StoreError) -> [UInt8]? { try store.value(key) }

    func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue] {
        if table == .keyPackage { packageReads.add(1) }
        return try store.values(table, owner: owner, items: items, limit: limit, newestFirst: newestFirst)
    }

    func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue] { try store.allValues(table) }

    func rows(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredRow] {
        try store.rows(table, owner: owner, items: items, limit: limit, newestFirst: newestFirst)
    }

    func allRows(_ table: StoreTable) throws(StoreError) -> [StoredRow] { try store.allRows(table) }

    func commit(_ transaction: StoreTransaction) throws(StoreError) {
        if transaction.erasesTexts { erasures.add(1) }
        try store.commit(transaction)
    }
}

extension [Effect] {
    /// The requests that are about a channel.
    func requests(about channel: ChannelID) -> Int {
        count { effect in
            switch effect {
            case .request(_, _, .create(channel, _, _, _)), .request(_, _, .present(channel, _, _)),
                .request(_, _, .append(channel, _, _, _)), .follow(_, _, channel, _, _):
                true
            default: false
            }
        }
    }

    /// The first entries that follows of a channel ask for.
    func follows(of channel: ChannelID) -> [UInt64] {
        compactMap { if case .follow(_, _, channel, _, let from) = $0 { from } else { nil } }
    }

    /// The tag of the last follow of a channel.
    func followTag(of channel: ChannelID) -> UInt64? {
        compactMap { if case .follow(_, let tag, channel, _, _) = $0 { tag } else { nil } }.last
    }

    /// The channels that are followed.
    var followed: [ChannelID] {
        compactMap { if case .follow(_, _, let channel, _, _) = $0 { channel } else { nil } }
    }

    var deposits: Int { count { if case .request(_, _, .deposit) = $0 { true } else { false } } }

    var trims: [UInt64] {
        compactMap { if case .request(_, _, .trim(_, let seq)) = $0 { seq } else { nil } }
    }
}

extension ProfileMachine {
    /// Puts a changed copy of a conversation in its place.
    ///
    /// - Returns: the changed conversation.
    @discardableResult
    func replace(
        _ conversation: ConversationTable.Place, _ change: (inout ConversationMachine) throws -> Void
    ) rethrows -> ConversationTable.Place {
        var machine = conversation.machine
        try change(&machine)
        return state.conversations.add(machine)
    }
}
