import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("Inboxes, names and strangers with an honest relay")
struct InboxTests {
    /// A member of the group, and a stranger who has looked up the member's name.
    private func found(_ group: SimulatedGroup) throws -> (
        host: SimulatedClient, caller: SimulatedClient, contact: Contact
    ) {
        let (host, caller) = (group.simulation.clients[0], group.simulation.clients[3])
        let name = try #require(Name("host"))
        host.perform(.register(name, group.relay.point))
        group.wait(20)
        caller.perform(.lookUp(name, group.relay.point, as: nil))
        group.wait(20)
        return (host, caller, try #require(caller.machine?.contactList.first))
    }

    private func say(_ text: String, _ caller: SimulatedClient, to contact: Contact) {
        caller.perform(.startConversation(contact.id, waits: false)) { result in
            guard case .success(let id) = result else { return }
            caller.perform(.send(id, text: text, replyTo: nil, expiresAfter: nil))
        }
    }

    private func texts(_ client: SimulatedClient, of name: String) throws -> [String] {
        let summary = try client.machine?.conversationSummaries().first { $0.name == name }
        guard let summary else { return [] }
        let messages = try client.machine?.history(of: summary.id, before: nil, limit: .max) ?? []
        return messages.compactMap { if case .text(let text) = $0.body { text } else { nil } }
    }

    @Test("a stranger learns nothing of a device until the user accepts, and then everything arrives")
    func consent() throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, caller, contact) = try found(group)
        host.acceptsStrangers = false
        say("hello", caller, to: contact)
        group.wait(30)
        let pending = try #require(try host.machine?.conversationSummaries().first { $0.isPending })
        let atCaller = try #require(try caller.machine?.conversationSummaries().first)
        #expect(!atCaller.hasAnswer && !atCaller.isInviting)
        let channel = try #require(caller.machine?.snapshot(of: atCaller.id)?.channel)
        let length = group.relay.model.channels[channel]?.archive.count
        caller.perform(.liveCheck(atCaller.id))
        host.die("test")
        group.wait(120)
        caller.perform(.liveCheck(atCaller.id))
        group.wait(20)
        #expect(group.relay.model.channels[channel]?.archive.count == length)
        #expect(group.relay.model.followers[channel]?.count == 1)
        #expect(try texts(host, of: caller.name) == [])

        host.perform(.accept(pending.id))
        group.wait(30)
        #expect(try texts(host, of: caller.name) == ["hello"])
        #expect(try caller.machine?.conversationSummaries().first?.hasAnswer == true)
        #expect(group.simulation.violations.isEmpty)
    }

    @Test("an invitation to a full inbox is reported, kept, and delivered once the owner has read the inbox")
    func fullInbox() throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, caller, contact) = try found(group)
        let inbox = try #require(contact.inbox?.channel)
        group.simulation.goOffline(host)
        group.relay.model.limits.inboxEntries = 2
        for _ in 1...2 {
            _ = group.relay.model.channels[inbox]?.append(
                id: .random(), payload: [1], nextAccess: nil, nowMs: group.simulation.now)
        }
        say("hello", caller, to: contact)
        group.wait(30)
        #expect(group.warnings(of: 3) == [.invitationWaits(for: contact.name, .inboxFull)])
        #expect(try caller.machine?.conversationSummaries().map(\.isInviting) == [true])
        #expect(caller.machine?.undelivered == 1)
        // The invitation survives a restart, and is reported once per run.
        caller.die("test")
        group.wait(30)
        #expect(group.warnings(of: 3).count == 2)
        group.simulation.goOnline(host)
        // The inbox of a name is read at once, and is trimmed within two days.
        group.wait(3 * 86_400)
        #expect(caller.machine?.undelivered == 0)
        #expect(try texts(host, of: caller.name) == ["hello"])
        #expect(group.simulation.violations.isEmpty)
    }

    @Test("an owner trims letters it has read, so that an inbox takes any number of letters in sequence")
    func readInbox() throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, caller, contact) = try found(group)
        group.relay.model.limits.inboxEntries = 1
        for number in 1...3 {
            caller.perform(.createGroup(title: "group \(number)", group.relay.point, [contact.id]))
            group.wait(3 * 86_400)
        }
        let names = try host.machine?.conversationSummaries().map(\.name) ?? []
        #expect(Set(names).isSuperset(of: ["group 1", "group 2", "group 3"]))
        #expect(group.warnings(of: 3) == [])
        group.expectNothingFalse()
    }

    @Test("a registered name is renewed every month, also if the clock was wrong at the registration")
    func renewedName() throws {
        let group = try SimulatedGroup(strangers: 1)
        let name = try #require(Name("host"))
        let host = group.simulation.clients[0]
        func version() -> UInt64 { group.relay.model.names[name]?.version ?? 0 }
        host.moveClock(by: 10 * 86_400_000)
        host.perform(.register(name, group.relay.point))
        group.wait(20)
        let first = version()
        #expect(first > 0)
        group.wait(3_600)
        #expect(version() == first)
        host.moveClock(by: 0 - host.clockOffset)
        group.wait(7_200)
        let second = version()
        #expect(second > first, "a time in the future was believed")
        group.wait(29 * 86_400)
        #expect(version() == second)
        group.wait(2 * 86_400)
        #expect(version() > second)
    }

    @Test("a withdrawn invite is closed once the relay is connected, and later users are refused")
    func revoke() throws {
        let group = try SimulatedGroup(strangers: 1)
        let (host, guest) = (group.simulation.clients[0], group.simulation.clients[3])
        let open = try #require(host.machine?.openInvites.first)
        group.simulation.goOffline(host)
        group.wait(10)
        var isDone = false
        host.perform(.revokeInvite(open.id)) { if case .success = $0 { isDone = true } }
        group.wait(60)
        #expect(!isDone)
        #expect(host.machine?.openInvites.isEmpty == true)
        group.simulation.goOnline(host)
        group.wait(120)
        #expect(isDone)
        #expect(group.relay.model.channels[open.invite.inbox.channel]?.isClosed == true)
        var refusal: KithError?
        guest.perform(.join(open.invite, name: nil)) { if case .failure(let error) = $0 { refusal = error } }
        group.wait(30)
        #expect(refusal == .inviteUsed)
    }

    @Test("idle groups are not in memory, and are loaded when used")
    func idleGroups() throws {
        let group = try SimulatedGroup()
        let host = group.simulation.clients[0]
        let contacts = (host.machine?.contactList ?? []).filter { $0.inbox != nil }
        let count = ClientLimits.loadedGroups + 8
        for number in 1...count {
            host.perform(.createGroup(title: "group \(number)", group.relay.point, [contacts[0].id]))
        }
        group.wait(600)
        let groups = try host.machine?.conversationSummaries().filter { $0.name.hasPrefix("group ") } ?? []
        #expect(groups.count == count && groups.allSatisfy { $0.status == .active && $0.memberCount == 2 })
        #expect(host.machine?.loadedGroups == ClientLimits.loadedGroups)
        for client in [host, group.simulation.clients[1]] {
            for link in client.allLinks { link.connection.map(group.simulation.cut) }
            client.die("test")
        }
        group.wait(600)
        let other = try #require(group.simulation.clients.first { $0.name == contacts[0].name })
        #expect((host.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        #expect((other.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        for idle in groups { group.say(0, in: idle.id) }
        group.wait(60)
        for idle in groups { #expect(try texts(other, of: idle.name).count == 1) }
        #expect((other.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        group.expectNothingFalse()
    }
}
