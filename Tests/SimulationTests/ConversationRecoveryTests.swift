import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("Conversations after faults of relays and devices")
struct ConversationRecoveryTests {
    @Test("a name that is registered again still leads to its holder, also after the clock was set back")
    func registeringAgain() throws {
        let circle = try Circle(strangers: 1)
        let simulation = circle.simulation
        let (host, caller) = (simulation.clients[0], simulation.clients[3])
        let name = try #require(Name("host"))
        var results: [Bool] = []
        func register(_ client: SimulatedClient) {
            client.perform(.register(name, circle.relay.point)) { result in
                if case .success = result { results.append(true) } else { results.append(false) }
            }
            circle.wait(20)
        }
        register(host)
        host.moveClock(by: -86_400_000)
        register(host)
        register(caller)
        #expect(results == [true, true, false])
        caller.perform(.lookUp(name, circle.relay.point, as: nil))
        circle.wait(20)
        let contact = try #require(caller.machine?.contactList.first)
        let before = host.machine?.contactList.count ?? 0
        caller.perform(.startConversation(contact.id, waits: true))
        circle.wait(60)
        #expect(host.machine?.contactList.count == before + 1)
        circle.expectNothingFalse()
    }

    @Test("a text too long for the relay is dropped with a warning, and later texts are sent")
    func tooLongForRelay() throws {
        let circle = try Circle()
        let client = circle.simulation.clients[1]
        let limit = circle.relay.model.limits.payload
        circle.relay.model.limits.payload = 2_000
        let before = try circle.texts(of: 2)
        let long = String(repeating: "long ", count: 1_000)
        client.perform(.send(circle.group(of: 1), text: long, replyTo: nil, expiresAfter: nil))
        circle.wait(20)
        guard case .longerThanRelayTakes(_, limit: 2_000)? = circle.warnings(of: 1).first else {
            Issue.record("\(circle.warnings(of: 1))")
            return
        }
        #expect(circle.warnings(of: 1).count == 1)
        client.perform(.send(circle.group(of: 1), text: "short", replyTo: nil, expiresAfter: nil))
        circle.wait(20)
        #expect(try circle.texts(of: 2) == before + 1)
        #expect(client.machine?.queuedCount == 0)
        circle.relay.model.limits.payload = limit
        for link in client.allLinks { link.connection.map(circle.simulation.cut) }
        circle.wait(120)
        #expect(try circle.texts(of: 2) == before + 1)
    }

    @Test("a full relay is reported once, texts wait, and it is reported again when it has room")
    func fullRelay() throws {
        let circle = try Circle()
        let client = circle.simulation.clients[1]
        func states() -> [RelayState] { circle.simulation.checker.relayStates.filter { $0.client == 1 }.map(\.state) }
        let before = try circle.texts(of: 2)
        circle.relay.model.limits.hasRoom = false
        for text in ["one", "two"] {
            client.perform(.send(circle.group(of: 1), text: text, replyTo: nil, expiresAfter: nil))
            circle.wait(90)
        }
        #expect(states() == [.full])
        #expect(client.machine?.queuedCount == 2)
        circle.relay.model.limits.hasRoom = true
        circle.wait(120)
        #expect(states() == [.full, .connected])
        #expect(try circle.texts(of: 2) == before + 2)
    }

    @Test("a member that leaves is removed, even if all others restart first")
    func leavingBeforeRestart() throws {
        let circle = try Circle()
        let length = circle.length
        let simulation = circle.simulation
        simulation.clients[2].perform(.leave(circle.group(of: 2)))
        try circle.wait { circle.length > length }
        simulation.run(until: simulation.now + 100)
        #expect(circle.length == length + 1)
        #expect(try circle.status(of: 2) == .active)
        simulation.clients[0].die("test")
        simulation.clients[1].die("test")
        circle.wait(120)
        #expect(try circle.status(of: 2) == .left)
        circle.expectNothingFalse()
    }

    @Test("a device that crashes while its commit is in flight still sends the Welcome after a restart")
    func dyingBeforeWelcome() throws {
        // With this seed, every commit is in a parcel.
        let circle = try Circle(strangers: 1, seed: 1)
        let simulation = circle.simulation
        let (host, guest) = (simulation.clients[0], simulation.clients[3])
        let before = host.machine?.contactList.count ?? 0
        let known = Set(circle.relay.model.channels.keys)
        circle.join(3)
        try circle.wait { circle.relay.model.channels.contains { !known.contains($0.key) && $0.value.epoch > 0 } }
        #expect(try guest.machine?.conversationSummaries().map(\.status) == [.preparing])
        guest.die("test")
        try circle.wait { try guest.machine?.conversationSummaries().map(\.status) == [.active] }
        // The Welcome is in flight, and may get lost.
        #expect(guest.machine?.undelivered == 1)
        circle.wait(120)
        #expect(host.machine?.contactList.count == before + 1)
        circle.expectNothingFalse()
    }

    @Test("a device whose clock is set back during a pause does not wait for the old time")
    func clockSetBack() throws {
        let circle = try Circle()
        let simulation = circle.simulation
        let device = simulation.clients[2]
        simulation.faults.unavailable = 1
        for link in device.allLinks { link.connection.map(simulation.cut) }
        circle.wait(10)
        device.moveClock(by: -86_400_000)
        simulation.faults.unavailable = 0
        circle.wait(30)
        try circle.expectHearing(2, from: 1)
        circle.expectNothingFalse()
    }

    @Test("a parcel with repeated parts is read")
    func repeatedParts() throws {
        // With this seed, every commit is in a parcel.
        let circle = try Circle(seed: 1)
        let known = Set(circle.relay.model.channels.keys)
        circle.relay.model.lies?.log = { id, _, truth in
            guard !known.contains(id) else { return nil }
            return (truth + truth).map { InventedEntry(entry: $0, truth: $0.seq) }
        }
        let length = circle.length
        circle.simulation.clients[1].perform(.renewKeys(circle.group(of: 1)))
        circle.wait(30)
        #expect(circle.length == length + 1)
        try circle.expectHearing(2, from: 1)
        circle.expectNothingFalse()
    }

    @Test("a commit that can't be fetched stops only the member that needs it")
    func damagedParcel() throws {
        // With this seed, every commit is in a parcel.
        let circle = try Circle(seed: 1)
        let known = Set(circle.relay.model.channels.keys)
        let simulation = circle.simulation
        circle.relay.model.lies?.log = { id, connection, truth in
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
        simulation.clients[1].perform(.renewKeys(circle.group(of: 1)))
        circle.wait(30)
        guard case .stopped(_, .brokenLog) = try circle.status(of: 2) else {
            Issue.record("it is \(String(describing: try circle.status(of: 2)))")
            return
        }
        try circle.expectHearing(0, from: 1)
        circle.expectNothingFalse()
    }
}
