import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import KithSimulation

private let day: Int64 = 86_400_000
private let year = 365 * day

@Suite("A wrong clock does no lasting harm")
struct WrongClockTests {
    private static let offsets = [-10 * year, -30 * day, -5 * day, 30 * day, 100 * day, 10 * year]

    /// Moves a member's clock while `body` runs.
    private func withClock(_ client: SimulatedClient, off offset: Int64, _ body: () throws -> Void) throws {
        client.moveClock(by: offset)
        try body()
        client.moveClock(by: -offset)
    }

    /// Expects that a text without an expiry reaches one member from another.
    private func expectHearing(_ listener: Int, from speaker: Int, _ group: SimulatedGroup) throws {
        let text = "text \(group.length) by \(speaker)"
        let (_, said) = group.simulation.checker.newText(by: speaker, words: text)
        group.simulation.clients[speaker].perform(
            .send(group.conversation(of: speaker), text: said, replyTo: nil, expiresAfter: nil))
        group.wait(20)
        let machine = group.simulation.clients[listener].machine
        let history = try machine?.history(of: group.conversation(of: listener), before: nil, limit: 10) ?? []
        #expect(history.contains { $0.body == .text(said) })
    }

    private func reconnect(_ client: SimulatedClient, _ group: SimulatedGroup) {
        for link in client.allLinks { link.connection.map(group.simulation.cut) }
        group.wait(120)
    }

    /// The number of a member's active conversations with a name.
    private func active(_ client: SimulatedClient, named name: String) throws -> Int {
        try client.machine?.conversationSummaries().count { $0.name == name && $0.status == .active } ?? 0
    }

    private func contact(of client: SimulatedClient, _ other: SimulatedClient) throws -> ContactID {
        try #require(client.machine?.contactList.first { $0.name == other.name }?.id)
    }

    @Test("a member whose clock is wrong enters the next epoch with the others", arguments: offsets)
    func commit(offset: Int64) throws {
        let group = try SimulatedGroup()
        let reader = group.simulation.clients[1]
        try withClock(reader, off: offset) { () throws in
            group.simulation.clients[0].perform(.renewKeys(group.conversation(of: 0)))
            group.wait(60)
            try expectHearing(1, from: 0, group)
        }
        try expectHearing(1, from: 0, group)
        try expectHearing(0, from: 1, group)
        group.expectNothingFalse()
    }

    @Test("a device can be added while its clock is wrong", arguments: offsets)
    func join(offset: Int64) throws {
        let group = try SimulatedGroup()
        let (host, guest) = (group.simulation.clients[0], group.simulation.clients[1])
        let id = try contact(of: host, guest)
        try withClock(guest, off: offset) { () throws in
            host.perform(.createGroup(title: "new", group.relay.point, [id]))
            group.wait(60)
            #expect(try active(guest, named: "new") == 1)
        }
        group.expectNothingFalse()
    }

    @Test("a device whose clock was wrong for a while can be added afterwards", arguments: offsets)
    func deposit(offset: Int64) throws {
        let group = try SimulatedGroup()
        let (host, guest) = (group.simulation.clients[0], group.simulation.clients[1])
        let id = try contact(of: host, guest)
        try withClock(guest, off: offset) { () throws in reconnect(guest, group) }
        reconnect(guest, group)
        for number in 1...4 {
            host.perform(.createGroup(title: "new \(number)", group.relay.point, [id]))
            group.wait(60)
            #expect(try active(guest, named: "new \(number)") == 1)
        }
        group.expectNothingFalse()
    }

    @Test("an address with key packages made by a wrong clock works once the clock is right", arguments: offsets)
    func firstDeposit(offset: Int64) throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, guest) = (group.simulation.clients[0], group.simulation.clients[3])
        let name = try #require(Name("host"))
        try withClock(host, off: offset) { () throws in
            host.perform(.register(name, group.relay.point))
            group.wait(60)
            guest.perform(.lookUp(name, group.relay.point, as: nil))
            group.wait(60)
            let id = try #require(guest.machine?.contactList.first?.id)
            guest.perform(.startConversation(id, waits: true))
            group.wait(600)
        }
        group.wait(3_600)
        #expect(try active(guest, named: "host") == 1)
        #expect(try active(host, named: guest.name) == 1)
        group.expectNothingFalse()
    }

    @Test("a person who uses an invite with a wrong clock gets in once the clock is right", arguments: offsets)
    func useInvite(offset: Int64) throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, guest) = (group.simulation.clients[0], group.simulation.clients[3])
        try withClock(guest, off: offset) { () throws in
            group.join(3)
            group.wait(600)
        }
        // If the invite had expired by the wrong clock, it was refused at once.
        group.join(3)
        group.wait(1_200)
        #expect(try active(guest, named: host.name) == 1)
        #expect(try active(host, named: guest.name) == 1)
        group.expectNothingFalse()
    }

    @Test("a profile made while the clock was wrong works once the clock is right", arguments: offsets)
    func create(offset: Int64) throws {
        let simulation = Simulation(seed: 1, profile: .small, clients: 2, relays: 1)
        let workload = Workload(simulation, operations: 0, mostGroups: 0)
        simulation.workload = workload
        let (host, guest) = (simulation.clients[0], simulation.clients[1])
        for client in [host, guest] {
            client.clockOffset = offset
            client.create()
        }
        var refusals: [KithError] = []
        let expiresAt = host.localNow / 1000 + 86_400
        host.perform(.createInvite(relay: simulation.relays[0].point, isReusable: false, expiresAt: expiresAt)) {
            if case .failure(let error) = $0 { refusals.append(error) }
        }
        simulation.run(until: simulation.now + 60_000)
        guard case .wrongClock(let difference)? = refusals.first, refusals.count == 1 else {
            Issue.record("\(refusals)")
            return
        }
        #expect(difference.witness == .relay(simulation.relays[0].point.address))
        #expect((difference.aheadMs - offset).magnitude < 1_000)
        for client in [host, guest] { client.clockOffset = 0 }
        simulation.meetAgain()
        simulation.run(until: simulation.now + 60_000)
        #expect(try active(host, named: guest.name) == 1)
        #expect(simulation.violations.isEmpty)
        simulation.checker.giveVerdict(mayMiss: false)
        #expect(simulation.violations.isEmpty)
    }

    @Test("a member without a valid key package does not delay other additions")
    func others() throws {
        let group = try SimulatedGroup()
        let (host, late, other) = (
            group.simulation.clients[0], group.simulation.clients[1], group.simulation.clients[2]
        )
        // All of its device's key packages have expired by everybody's clock.
        group.simulation.goOffline(late)
        group.wait(UInt64(100 * day / 1000))
        let members = try [contact(of: host, late), contact(of: host, other)]
        var result: Result<ConversationID, KithError>?
        host.perform(.createGroup(title: "new", group.relay.point, members)) { result = $0 }
        group.wait(60)
        guard case .failure(.keyPackageNotCurrent(late.name, clockDoubt: nil))? = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(try active(other, named: "new") == 1)
        group.simulation.goOnline(late)
        group.wait(1_800)
        #expect(try active(late, named: "new") == 1)
    }

    @Test("an invite is closed when it has expired by the relay's clock, too")
    func invite() throws {
        let group = try SimulatedGroup(strangers: 1)
        let host = group.simulation.clients[0]
        try withClock(host, off: 10 * year) { () throws in
            #expect(host.machine?.openInvites.count == 1)
            reconnect(host, group)
            #expect(host.machine?.openInvites.isEmpty == true)
        }
        reconnect(host, group)
        #expect(host.machine?.openInvites.count == 1)
        group.join(3)
        group.wait(60)
        #expect(try active(host, named: group.simulation.clients[3].name) == 1)
        group.wait(UInt64(20 * day / 1000))
        #expect(host.machine?.inboxes.all.contains { $0.machine.record.purpose.isInvite } == false)
        group.expectNothingFalse()
    }

    /// The key packages whose private keys a device has.
    private func keyPackages(of client: SimulatedClient) throws -> Set<InboxItem> {
        Set(
            try client.store.allValues(.keyPackage).map {
                InboxItem(inbox: InboxID(rawValue: $0.owner), number: $0.item)
            })
    }

    @Test("private keys are deleted when no longer needed by both clocks, and not before")
    func privateKeys() throws {
        let group = try SimulatedGroup()
        let guest = group.simulation.clients[1]
        let first = try keyPackages(of: guest)
        #expect(!first.isEmpty)
        // Key packages are valid for 90 days, a letter may come 30 days later, and the next deposit after that is on day 150.
        group.wait(UInt64(119 * day / 1000))
        #expect(try keyPackages(of: guest).isSuperset(of: first))
        group.simulation.goOffline(guest)
        try withClock(guest, off: 10 * year) { () throws in
            group.wait(7_200)
            group.simulation.goOnline(guest)
            group.wait(120)
            #expect(try keyPackages(of: guest).isSuperset(of: first))
        }
        group.wait(UInt64(32 * day / 1000))
        #expect(try keyPackages(of: guest).isDisjoint(with: first))
    }

    // MARK: Texts that expire

    @Test("every reader hides a text at once when it expires, and it is erased when the relay's clock agrees")
    func expiry() throws {
        let group = try SimulatedGroup()
        let reader = group.simulation.clients[1]
        let text = try ExpiringText(in: group)
        #expect(try text.isShown(by: reader))
        try withClock(reader, off: 10 * year) { () throws in
            #expect(try !text.isShown(by: reader))
            reconnect(reader, group)
            #expect(try text.stored(by: reader) == .text(MessageText(ExpiringText.words)))
        }
        #expect(try text.isShown(by: reader))
        group.simulation.goOffline(reader)
        group.wait(3_600)
        #expect(try !text.isShown(by: reader))
        group.simulation.goOnline(reader)
        group.wait(120)
        #expect(try text.stored(by: reader) == .expired)
    }

    @Test("a text received while the clock was ahead expires in time once the clock is right")
    func expiryAfterFuture() throws {
        let group = try SimulatedGroup()
        let reader = group.simulation.clients[1]
        reader.moveClock(by: 10 * year)
        let text = try ExpiringText(in: group)
        reader.moveClock(by: -10 * year)
        reconnect(reader, group)
        #expect(try text.isShown(by: reader))
        group.wait(3_600)
        #expect(try !text.isShown(by: reader))
        group.wait(3_600)
        #expect(try text.stored(by: reader) == .expired)
    }

    // MARK: Relays that lie about the time

    @Test("a relay that lies about the time erases nothing and is reported", arguments: [-10 * year, 10 * year])
    func lyingRelay(offset: Int64) throws {
        let group = try SimulatedGroup()
        let reader = group.simulation.clients[1]
        let text = try ExpiringText(in: group)
        let keys = try keyPackages(of: reader)
        group.relay.model.lies?.time = { UInt64(Int64($0) + offset) }
        for client in group.simulation.clients { reconnect(client, group) }
        group.wait(600)
        #expect(try text.isShown(by: reader))
        #expect(try text.stored(by: reader) == .text(MessageText(ExpiringText.words)))
        #expect(try keyPackages(of: reader) == keys)
        let told = group.simulation.checker.clocks.filter { $0.client == 1 }.map(\.difference)
        #expect(told.map(\.witness) == [.relay(group.relay.point.address)])
        #expect(told.allSatisfy { ($0.aheadMs + offset).magnitude < 1_000 })
        #expect(reader.machine?.openInvites == [])
        group.wait(3_600)
        #expect(try !text.isShown(by: reader))
        try expectHearing(1, from: 0, group)
        group.wait(3_600)
        #expect(try text.stored(by: reader) == .expired)
        group.expectNothingFalse()
    }

    @Test("a contact who signs with a time in the future is reported once")
    func contactAhead() throws {
        let group = try SimulatedGroup()
        let writer = group.simulation.clients[0]
        try withClock(writer, off: 30 * day) { () throws in
            group.say(0)
            group.say(0)
        }
        let told = group.simulation.checker.clocks.filter { $0.client == 1 }.map(\.difference)
        #expect(told.count == 1)
        let difference = try #require(told.first)
        #expect(
            difference.sentence
                == "p0's clock is 30 days ahead of this device's and the relay's; ask p0 to check the date")
        #expect(difference.witness == .contactAlone(try contact(of: group.simulation.clients[1], writer), name: "p0"))
    }
}

extension InboxRecord.Purpose {
    fileprivate var isInvite: Bool { if case .invite = self { true } else { false } }
}
