import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("Inboxes, names and strangers with an honest relay")
struct InboxTests {
    /// A member of the circle, and a stranger who has looked up the member's name.
    private func found(_ circle: Circle) throws -> (host: SimulatedClient, caller: SimulatedClient, contact: Contact) {
        let (host, caller) = (circle.simulation.clients[0], circle.simulation.clients[3])
        let name = try #require(Name("host"))
        host.perform(.register(name, circle.relay.point))
        circle.wait(20)
        caller.perform(.lookUp(name, circle.relay.point, as: nil))
        circle.wait(20)
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
        let messages = try client.machine?.wholeHistory(of: summary.id) ?? []
        return messages.compactMap { if case .text(let text) = $0.body { text } else { nil } }
    }

    @Test("a stranger learns nothing of a device until the user accepts, and then everything arrives")
    func consent() throws {
        let circle = try Circle(strangers: 1)
        let (host, caller, contact) = try found(circle)
        host.acceptsStrangers = false
        say("hello", caller, to: contact)
        circle.wait(30)
        let pending = try #require(try host.machine?.conversationSummaries().first { $0.isPending })
        let atCaller = try #require(try caller.machine?.conversationSummaries().first)
        #expect(!atCaller.hasAnswer && !atCaller.isInviting)
        let channel = try #require(caller.machine?.snapshot(of: atCaller.id)?.channel)
        let length = circle.relay.model.channels[channel]?.archive.count
        caller.perform(.liveCheck(atCaller.id))
        host.die("test")
        circle.wait(120)
        caller.perform(.liveCheck(atCaller.id))
        circle.wait(20)
        #expect(circle.relay.model.channels[channel]?.archive.count == length)
        #expect(circle.relay.model.followers[channel]?.count == 1)
        #expect(try texts(host, of: caller.name) == [])

        host.perform(.accept(pending.id))
        circle.wait(30)
        #expect(try texts(host, of: caller.name) == ["hello"])
        #expect(try caller.machine?.conversationSummaries().first?.hasAnswer == true)
        #expect(circle.simulation.violations.isEmpty)
    }

    @Test("an invitation to a full inbox is reported, kept, and delivered once the owner has read the inbox")
    func fullInbox() throws {
        let circle = try Circle(strangers: 1)
        let (host, caller, contact) = try found(circle)
        let inbox = try #require(contact.inbox?.channel)
        circle.simulation.goOffline(host)
        circle.relay.model.limits.inboxEntries = 2
        for _ in 1...2 {
            _ = circle.relay.model.channels[inbox]?.append(
                id: .random(), payload: [1], nextAccess: nil, nowMs: circle.simulation.now)
        }
        say("hello", caller, to: contact)
        circle.wait(30)
        #expect(circle.warnings(of: 3) == [.invitationWaits(for: contact.name, .inboxFull)])
        #expect(try caller.machine?.conversationSummaries().map(\.isInviting) == [true])
        #expect(caller.machine?.undelivered == 1)
        // The invitation survives a restart, and is reported once per run.
        caller.die("test")
        circle.wait(30)
        #expect(circle.warnings(of: 3).count == 2)
        circle.simulation.goOnline(host)
        // The inbox of a name is read at once, and is trimmed within two days.
        circle.wait(3 * 86_400)
        #expect(caller.machine?.undelivered == 0)
        #expect(try texts(host, of: caller.name) == ["hello"])
        #expect(circle.simulation.violations.isEmpty)
    }

    @Test("an owner trims letters it has read, so that an inbox takes any number of letters in sequence")
    func readInbox() throws {
        let circle = try Circle(strangers: 1)
        let (host, caller, contact) = try found(circle)
        circle.relay.model.limits.inboxEntries = 1
        for number in 1...3 {
            caller.perform(.createGroup(title: "group \(number)", circle.relay.point, [contact.id]))
            circle.wait(3 * 86_400)
        }
        let names = try host.machine?.conversationSummaries().map(\.name) ?? []
        #expect(Set(names).isSuperset(of: ["group 1", "group 2", "group 3"]))
        #expect(circle.warnings(of: 3) == [])
        circle.expectNothingFalse()
    }

    @Test("a registered name is renewed every month, also if the clock was wrong at the registration")
    func renewedName() throws {
        let circle = try Circle(strangers: 1)
        let name = try #require(Name("host"))
        let host = circle.simulation.clients[0]
        func version() -> UInt64 { circle.relay.model.names[name]?.version ?? 0 }
        host.moveClock(by: 10 * 86_400_000)
        host.perform(.register(name, circle.relay.point))
        circle.wait(20)
        let first = version()
        #expect(first > 0)
        circle.wait(3_600)
        #expect(version() == first)
        host.moveClock(by: 0 - host.clockOffset)
        circle.wait(7_200)
        let second = version()
        #expect(second > first, "a time in the future was believed")
        circle.wait(29 * 86_400)
        #expect(version() == second)
        circle.wait(2 * 86_400)
        #expect(version() > second)
    }

    @Test("a withdrawn invite is closed once the relay is connected, and later users are refused")
    func revoke() throws {
        let circle = try Circle(strangers: 1)
        let (host, guest) = (circle.simulation.clients[0], circle.simulation.clients[3])
        let open = try #require(host.machine?.openInvites.first)
        circle.simulation.goOffline(host)
        circle.wait(10)
        var isDone = false
        host.perform(.revokeInvite(open.id)) { if case .success = $0 { isDone = true } }
        circle.wait(60)
        #expect(!isDone)
        #expect(host.machine?.openInvites.isEmpty == true)
        circle.simulation.goOnline(host)
        circle.wait(120)
        #expect(isDone)
        #expect(circle.relay.model.channels[open.invite.inbox.channel]?.isClosed == true)
        var refusal: KithError?
        guest.perform(.join(open.invite, name: nil)) { if case .failure(let error) = $0 { refusal = error } }
        circle.wait(30)
        #expect(refusal == .inviteUsed)
    }

    @Test("idle groups are not in memory, and are loaded when used")
    func idleGroups() throws {
        let circle = try Circle()
        let host = circle.simulation.clients[0]
        let contacts = (host.machine?.contactList ?? []).filter { $0.inbox != nil }
        let count = ClientLimits.loadedGroups + 8
        for number in 1...count {
            host.perform(.createGroup(title: "group \(number)", circle.relay.point, [contacts[0].id]))
        }
        circle.wait(600)
        let groups = try host.machine?.conversationSummaries().filter { $0.name.hasPrefix("group ") } ?? []
        #expect(groups.count == count && groups.allSatisfy { $0.status == .active && $0.memberCount == 2 })
        #expect(host.machine?.loadedGroups == ClientLimits.loadedGroups)
        for client in [host, circle.simulation.clients[1]] {
            for link in client.allLinks { link.connection.map(circle.simulation.cut) }
            client.die("test")
        }
        circle.wait(600)
        let other = try #require(circle.simulation.clients.first { $0.name == contacts[0].name })
        #expect((host.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        #expect((other.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        for group in groups { circle.say(0, in: group.id) }
        circle.wait(60)
        for group in groups { #expect(try texts(other, of: group.name).count == 1) }
        #expect((other.machine?.loadedGroups ?? .max) <= ClientLimits.loadedGroups)
        circle.expectNothingFalse()
    }
}
