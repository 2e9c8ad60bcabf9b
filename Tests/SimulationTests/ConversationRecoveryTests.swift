import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("Conversations after faults of relays and devices")
struct ConversationRecoveryTests {
    @Test("a name that is registered again still leads to its holder, also after the clock was set back")
    func registeringAgain() throws {
        let group = try SimulatedGroup(strangers: 1)
        let simulation = group.simulation
        let (host, caller) = (simulation.clients[0], simulation.clients[3])
        let name = try #require(Name("host"))
        var results: [Bool] = []
        func register(_ client: SimulatedClient) {
            client.perform(.register(name, group.relay.point)) { result in
                if case .success = result { results.append(true) } else { results.append(false) }
            }
            group.wait(20)
        }
        register(host)
        host.moveClock(by: -86_400_000)
        register(host)
        register(caller)
        #expect(results == [true, true, false])
        caller.perform(.lookUp(name, group.relay.point, as: nil))
        group.wait(20)
        let contact = try #require(caller.machine?.contactList.first)
        let before = host.machine?.contactList.count ?? 0
        caller.perform(.startConversation(contact.id, waits: true))
        group.wait(60)
        #expect(host.machine?.contactList.count == before + 1)
        group.expectNothingFalse()
    }

    @Test("a text too long for the relay is dropped with a warning, and later texts are sent")
    func tooLongForRelay() throws {
        let group = try SimulatedGroup()
        let client = group.simulation.clients[1]
        let limit = group.relay.model.limits.payload
        group.relay.model.limits.payload = 2_000
        let before = try group.texts(of: 2)
        let long = String(repeating: "long ", count: 1_000)
        client.perform(.send(group.conversation(of: 1), text: long, replyTo: nil, expiresAfter: nil))
        group.wait(20)
        guard case .longerThanRelayTakes(_, limit: 2_000)? = group.warnings(of: 1).first else {
            Issue.record("\(group.warnings(of: 1))")
            return
        }
        #expect(group.warnings(of: 1).count == 1)
        client.perform(.send(group.conversation(of: 1), text: "short", replyTo: nil, expiresAfter: nil))
        group.wait(20)
        #expect(try group.texts(of: 2) == before + 1)
        #expect(client.machine?.queuedCount == 0)
        group.relay.model.limits.payload = limit
        for link in client.allLinks { link.connection.map(group.simulation.cut) }
        group.wait(120)
        #expect(try group.texts(of: 2) == before + 1)
    }

    @Test("a full relay is reported once, texts wait, and it is reported again when it has room")
    func fullRelay() throws {
        let group = try SimulatedGroup()
        let client = group.simulation.clients[1]
        func states() -> [RelayState] { group.simulation.checker.relayStates.filter { $0.client == 1 }.map(\.state) }
        let before = try group.texts(of: 2)
        group.relay.model.limits.hasRoom = false
        for text in ["one", "two"] {
            client.perform(.send(group.conversation(of: 1), text: text, replyTo: nil, expiresAfter: nil))
            group.wait(90)
        }
        #expect(states() == [.full])
        #expect(client.machine?.queuedCount == 2)
        group.relay.model.limits.hasRoom = true
        group.wait(120)
        #expect(states() == [.full, .connected])
        #expect(try group.texts(of: 2) == before + 2)
    }

    @Test("a member that leaves is removed, even if all others restart first")
    func leavingBeforeRestart() throws {
        let group = try SimulatedGroup()
        let length = group.length
        let simulation = group.simulation
        simulation.clients[2].perform(.leave(group.conversation(of: 2)))
        try group.wait { group.length > length }
        simulation.run(until: simulation.now + 100)
        #expect(group.length == length + 1)
        #expect(try group.status(of: 2) == .active)
        simulation.clients[0].die("test")
        simulation.clients[1].die("test")
        group.wait(120)
        #expect(try group.status(of: 2) == .left)
        group.expectNothingFalse()
    }

    @Test("a device that crashes while its commit is in flight still sends the Welcome after a restart")
    func dyingBeforeWelcome() throws {
        // With this seed, every commit is in a parcel.
        let group = try SimulatedGroup(strangers: 1, seed: 1)
        let simulation = group.simulation
        let (host, guest) = (simulation.clients[0], simulation.clients[3])
        let before = host.machine?.contactList.count ?? 0
        let known = Set(group.relay.model.channels.keys)
        group.join(3)
        try group.wait { group.relay.model.channels.contains { !known.contains($0.key) && $0.value.epoch > 0 } }
        #expect(try guest.machine?.conversationSummaries().map(\.status) == [.preparing])
        guest.die("test")
        try group.wait { try guest.machine?.conversationSummaries().map(\.status) == [.active] }
        // The Welcome is in flight, and may get lost.
        #expect(guest.machine?.undelivered == 1)
        group.wait(120)
        #expect(host.machine?.contactList.count == before + 1)
        group.expectNothingFalse()
    }

    @Test("a device whose clock is set back during a pause does not wait for the old time")
    func clockSetBack() throws {
        let group = try SimulatedGroup()
        let simulation = group.simulation
        let device = simulation.clients[2]
        simulation.faults.unavailable = 1
        for link in device.allLinks { link.connection.map(simulation.cut) }
        group.wait(10)
        device.moveClock(by: -86_400_000)
        simulation.faults.unavailable = 0
        group.wait(30)
        try group.expectHearing(2, from: 1)
        group.expectNothingFalse()
    }

    @Test("a parcel with repeated parts is read")
    func repeatedParts() throws {
        // With this seed, every commit is in a parcel.
        let group = try SimulatedGroup(seed: 1)
        let known = Set(group.relay.model.channels.keys)
        group.relay.model.lies?.log = { id, _, truth in
            guard !known.contains(id) else { return nil }
            return (truth + truth).map { InventedEntry(entry: $0, truth: $0.seq) }
        }
        let length = group.length
        group.simulation.clients[1].perform(.renewKeys(group.conversation(of: 1)))
        group.wait(30)
        #expect(group.length == length + 1)
        try group.expectHearing(2, from: 1)
        group.expectNothingFalse()
    }

    @Test("a commit that can't be fetched stops only the member that needs it")
    func damagedParcel() throws {
        // With this seed, every commit is in a parcel.
        let group = try SimulatedGroup(seed: 1)
        let known = Set(group.relay.model.channels.keys)
        let simulation = group.simulation
        group.relay.model.lies?.log = { id, connection, truth in
            guard !known.contains(id), simulation.wires[connection]?.link.client.index == 2 else { return nil }
            return truth.map { entry in
                var payload = Array(entry.payload)
                payload[0] ^= 1
                return InventedEntry(
                    entry: Entry(
                        seq: entry.seq, epoch: entry.epoch, kind: entry.kind, receivedAtMs: entry.receivedAtMs,
                        id: entry.id, payload: payload[...]), truth: entry.seq)
            }
        }
        simulation.clients[1].perform(.renewKeys(group.conversation(of: 1)))
        group.wait(30)
        guard case .stopped(_, .brokenLog) = try group.status(of: 2) else {
            Issue.record("it is \(String(describing: try group.status(of: 2)))")
            return
        }
        try group.expectHearing(0, from: 1)
        group.expectNothingFalse()
    }
}
