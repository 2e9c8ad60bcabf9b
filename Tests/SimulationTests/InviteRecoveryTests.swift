import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("Invites after faults of relays and devices")
struct InviteRecoveryTests {
    @Test("an inbox that the relay lost is created again, and its address works")
    func lostInbox() throws {
        let group = try SimulatedGroup(strangers: 1)
        let host = group.simulation.clients[0]
        let inbox = try #require(host.machine?.openInvites.first?.invite.inbox.channel)
        #expect(group.relay.model.channels[inbox]?.archive.isEmpty == false)
        for link in host.allLinks { link.connection.map(group.simulation.cut) }
        group.relay.model.channels[inbox] = nil
        group.wait(120)
        let before = host.machine?.contactList.count ?? 0
        group.join(3)
        group.wait(60)
        #expect(host.machine?.contactList.count == before + 1)
    }

    /// A host who is offline, and the host's open invite for one person.
    private func invite(
        of group: SimulatedGroup, lifetime: UInt64 = 86_400
    ) throws -> (host: SimulatedClient, invite: OpenInvite) {
        let (simulation, host) = (group.simulation, group.simulation.clients[0])
        var made: OpenInvite?
        let expiry = host.localNow / 1000 + lifetime
        host.perform(.createInvite(relay: group.relay.point, isReusable: false, expiresAt: expiry)) { result in
            if case .success(let open) = result { made = open }
        }
        group.wait(20)
        simulation.goOffline(host)
        return (host, try #require(made))
    }

    @Test(
        "if two people use an invite for one person, the owner leaves the second conversation, and is warned")
    func inviteUsedTwice() throws {
        let group = try SimulatedGroup(strangers: 2)
        let (host, open) = try invite(of: group)
        let simulation = group.simulation
        let inbox = open.invite.inbox.channel
        for client in simulation.clients[3...4] {
            client.perform(.join(open.invite, name: nil))
            group.wait(20)
        }
        #expect(group.relay.model.channels[inbox]?.archive.count == 2)
        simulation.goOnline(host)
        group.wait(120)
        func snapshot(_ client: Int) throws -> (status: ConversationStatus, members: Int)? {
            try simulation.clients[client].machine?.conversationSummaries().first.map { ($0.status, $0.memberCount) }
        }
        #expect(try snapshot(3)?.members == 2)
        #expect(try snapshot(4)?.members == 1)
        // The second person is told why the owner left.
        func declines(_ client: Int) throws -> Int? {
            let machine = simulation.clients[client].machine
            return try machine?.conversationSummaries().first.flatMap { summary in
                try machine?.history(of: summary.id, before: nil, limit: 100).count {
                    $0.body == .notice(.declined(by: host.name))
                }
            }
        }
        #expect(try declines(3) == 0 && declines(4) == 1)
        let names = Set(simulation.clients[3...4].map(\.name))
        let withThem = try host.machine?.conversationSummaries().filter { names.contains($0.name) } ?? []
        #expect(withThem.map(\.status).count { $0 == .active } == 1)
        #expect(withThem.map(\.status).count { $0 == .left } == 1)
        #expect(group.warnings(of: 0) == [.inviteUsedAgain])
        let trust = host.machine?.contactList.filter { names.contains($0.name) }.map(\.trust) ?? []
        #expect(Set(trust) == [.usedMyInvite, .unverified])
        #expect(group.relay.model.channels[inbox]?.isClosed == true)
        group.expectNothingFalse()
    }

    @Test("a person who used an invite in time gets in, even if its maker returns after the expiry")
    func inviteUsedInTime() throws {
        let group = try SimulatedGroup(strangers: 2)
        let (host, open) = try invite(of: group, lifetime: 120)
        let simulation = group.simulation
        simulation.clients[3].perform(.join(open.invite, name: nil))
        group.wait(600)
        // By a clock that is behind, the invite still works.
        simulation.clients[4].moveClock(by: -900_000)
        simulation.clients[4].perform(.join(open.invite, name: nil))
        group.wait(20)
        #expect(host.machine?.openInvites.contains { $0.id == open.id } == false)
        simulation.goOnline(host)
        group.wait(120)
        #expect(host.machine?.contactList.contains { $0.name == simulation.clients[3].name } == true)
        #expect(host.machine?.contactList.contains { $0.name == simulation.clients[4].name } == false)
        #expect(group.relay.model.channels[open.invite.inbox.channel]?.isClosed == true)
        group.expectNothingFalse()
    }

    @Test("an unused inbox that the relay lost is created again with key packages")
    func lostFreshInbox() throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, open) = try invite(of: group)
        group.relay.model.channels[open.invite.inbox.channel] = nil
        group.simulation.goOnline(host)
        group.wait(120)
        let before = host.machine?.contactList.count ?? 0
        group.simulation.clients[3].perform(.join(open.invite, name: nil))
        group.wait(60)
        #expect(host.machine?.contactList.count == before + 1)
        group.expectNothingFalse()
    }

    @Test(
        "repeated attempts to reach a person share one conversation, and all texts arrive once it succeeds")
    func notReachable() throws {
        let group = try SimulatedGroup(strangers: 1)
        let simulation = group.simulation
        let (host, caller) = (simulation.clients[0], simulation.clients[3])
        let name = try #require(Name("host"))
        host.perform(.register(name, group.relay.point))
        group.wait(20)
        caller.perform(.lookUp(name, group.relay.point, as: nil))
        group.wait(20)
        let contact = try #require(caller.machine?.contactList.first)
        let inbox = try #require(contact.inbox?.channel)
        let open = try #require(group.relay.model.channels[inbox])
        func say(_ text: String) {
            caller.perform(.startConversation(contact.id, waits: false)) { result in
                guard case .success(let id) = result else { return }
                caller.perform(.send(id, text: text, replyTo: nil, expiresAfter: nil))
            }
            group.wait(60)
        }
        group.relay.model.channels[inbox]?.close()
        for text in ["one", "two"] {
            say(text)
            let summaries = try caller.machine?.conversationSummaries() ?? []
            #expect(summaries.count == 1)
            guard case .stopped(_, .notReachable) = summaries.first?.status else {
                Issue.record("it is \(summaries)")
                return
            }
        }
        group.relay.model.channels[inbox] = open
        say("three")
        let atHost = try host.machine?.conversationSummaries().first { $0.name == caller.name }
        let messages = try host.machine?.history(of: try #require(atHost).id, before: nil, limit: .max) ?? []
        let texts = messages.compactMap { if case .text(let text) = $0.body { text } else { nil } }
        #expect(texts == ["one", "two", "three"])
    }

    @Test("a conversation stops if its invite is closed before the Welcome arrives")
    func closedBeforeWelcome() throws {
        let group = try SimulatedGroup(strangers: 1)
        let simulation = group.simulation
        let (host, guest) = (simulation.clients[0], simulation.clients[3])
        let inbox = try #require(host.machine?.openInvites.first?.invite.inbox.channel)
        let known = Set(group.relay.model.channels.keys)
        group.join(3)
        try group.wait { group.relay.model.channels.contains { !known.contains($0.key) && $0.value.epoch > 0 } }
        group.relay.model.channels[inbox]?.close()
        group.wait(60)
        let statuses = try guest.machine?.conversationSummaries().map(\.status) ?? []
        guard statuses.count == 1, case .stopped(_, .notReachable) = statuses.first else {
            Issue.record("it is \(statuses)")
            return
        }
        #expect(guest.machine?.undelivered == 0)
    }
}
