import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithCore

/// A group of two whose connection is lost and comes back. The test plays the relay and bob, the other member.
@Suite("Connection of a conversation")
struct ConversationConnectionTests {
    private var device: DeviceState
    private var machine: ConversationMachine
    private var bob: Group
    private let relay: RelayID
    /// The time that has passed, in milliseconds.
    private var passed: UInt64 = 0

    init() throws {
        device = try .sample()
        relay = try device.connectSample()
        let point = try #require(device.relays[relay])
        let channel = ChannelID.random()
        let (groups, view) = try Self.groups(on: channel, with: device)
        bob = groups.bob
        let record = ConversationRecord(
            channel: channel, relay: relay, title: "group", contact: nil, isDirect: false, isCreated: true, epoch: 1,
            memberCount: 2)
        machine = ConversationMachine(id: ConversationID(rawValue: 1), record: record)
        let message = InboxMessage(
            relay: point, title: "group", isDirect: false, welcome: [], tree: .inWelcome, view: view)
        let difference = try machine.join(
            groups.own, by: message, isBack: false, MetMembers(contacts: [], isDirect: false), in: &device)
        #expect(difference == nil)
        try machine.open(in: &device)
        try startFollow()
        #expect(machine.sync.isLive)
        _ = device.step.finish()
    }

    /// A group that bob made, after he added this device, and the view at the start of its first epoch with both.
    private static func groups(
        on channel: ChannelID, with device: DeviceState
    ) throws -> (groups: (own: Group, bob: Group), view: LogView) {
        let (suite, lifetime) = (device.identity.suite, Lifetime(ofKeyPackageMadeAt: device.wall / 1000))
        let person = try ProfileRecord(
            account: AccountPrivateKey(random: .system), name: "bob", deviceName: "d", suite: suite, now: device.wall,
            random: .system)
        let own = try KeyPackageBundle(suite: suite, client: device.identity.client, lifetime: lifetime)
        var environment = device.environment
        environment.configuration.includesRatchetTree = true
        var bob = try Group(
            creating: channel.bytes, suite: suite, client: person.client, lifetime: lifetime, in: environment)
        let commit = try bob.commit(CommitOptions([.add(own.keyPackage)]), in: environment)
        guard case .welcome(let welcome)? = commit.welcome else { throw Unexpected() }
        try bob.apply(commit)
        let opened = try OpenedWelcome(welcome, with: own, ratchetTree: nil, in: environment)
        let view = LogView(beginning: 1, of: channel, authenticator: bob.epochAuthenticator, after: 1)
        return ((try Group(joining: opened, in: environment), bob), view)
    }

    // MARK: The relay

    private mutating func startFollow() throws {
        let tag = try #require(machine.sync.following?.tag)
        let last = max(1, machine.record.lastSeq)
        try machine.handle(
            .followStarted(tag, FollowPlace(epoch: 1, firstSeq: last + 1, lastSeq: last)), in: &device)
    }

    private mutating func pass(_ ms: UInt64) {
        passed += ms
        device.advance(wall: device.wall + ms, steady: passed)
    }

    /// Loses the connection, and makes another that catches up.
    ///
    /// - Parameter ms: the time in between, in milliseconds.
    private mutating func reconnect(after ms: UInt64 = 0) throws {
        device.didDisconnect(relay)
        try machine.handle(.disconnected(relay), in: &device)
        let isOffline = if case .offline(nil) = machine.sync { true } else { false }
        #expect(isOffline && machine.sync.inFlight.isEmpty && !machine.sync.turnIsSent)
        #expect(machine.sync.commitProposalsAt == nil && machine.sync.challenge == nil)
        _ = device.step.finish()
        pass(ms)
        #expect(device.didConnect(relay, timeMs: device.now) == true)
        try machine.handle(.connected(relay), in: &device)
        try startFollow()
        #expect(machine.sync.isLive)
    }

    /// The ids of the entries, and the turns, that the relay was asked to take since the last call.
    private mutating func sent() -> [EntryID] {
        device.step.finish().effects.compactMap { effect in
            switch effect {
            case .request(_, _, .append(_, _, let id, _)), .request(_, _, .turn(_, _, let id, _, _)): id
            default: nil
            }
        }
    }

    /// The number of challenges since the last call.
    private mutating func challenges() -> Int {
        device.step.finish().effects.count { if case .request(_, _, .whisper) = $0 { true } else { false } }
    }

    // MARK: Tests

    @Test("others' proposals are committed after a wait that begins anew on each connection")
    mutating func commitTime() throws {
        let proposal = try bob.propose(.remove(bob.ownLeafIndex), in: device.environment)
        let entry = Entry(
            seq: 2, epoch: 1, kind: .message, receivedAtMs: device.now, id: .random(), payload: proposal.encoded[...])
        try machine.handle(
            .followed(try #require(machine.sync.following?.tag), epoch: 1, .entries([entry])), in: &device)
        let first = try #require(machine.sync.commitProposalsAt)
        #expect((device.now + 200..<device.now + 2_000).contains(first))
        try reconnect(after: 3_600_000)
        #expect(sent().isEmpty)
        let second = try #require(machine.sync.commitProposalsAt)
        #expect((device.now + 200..<device.now + 2_000).contains(second))
        #expect(machine.due(in: device) == [second])
        // The others have had the chance to commit first.
        pass(second - device.now)
        try machine.handle(.tick, in: &device)
        #expect(sent().count == 1)
    }

    @Test("a commit without an answer is sent again on the next connection, under its id")
    mutating func turn() throws {
        let text = OutgoingMessage(id: .random(), .text("hello"))
        try machine.send(text, Ticket(CommandID(rawValue: 2)), in: &device)
        let first = sent()
        #expect(first.count == 1 && machine.sync.turnIsSent)
        try machine.handle(.tick, in: &device)
        #expect(sent().isEmpty)
        try reconnect()
        #expect(sent() == first && machine.sync.turnIsSent)
    }

    @Test("a message without an answer is sent again on the next connection, under its id")
    mutating func message() throws {
        machine.enqueueIntent(.leave, in: &device)
        try machine.advance(in: &device)
        let first = sent()
        #expect(first.count == 1 && machine.sync.inFlight == Set(first))
        try machine.handle(.tick, in: &device)
        #expect(sent().isEmpty)
        try reconnect()
        #expect(sent() == first && machine.sync.inFlight == Set(first))
    }

    @Test("the members are challenged anew on each connection while the user watches")
    mutating func challenge() throws {
        try machine.checkPresence(in: &device)
        #expect(challenges() == 1)
        let nonce = try #require(machine.sync.withChallenge { $0.nonce(from: .system) })
        try reconnect()
        #expect(challenges() == 1)
        #expect(machine.sync.challenge?.isAwaited(nonce) == false)
    }
}
