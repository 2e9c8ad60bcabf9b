import KithClient
import KithWire
import Testing

@testable import KithSimulation

/// People in one group on one relay, each of whom has sent a text. Afterwards, the relay may lie.
struct SimulatedGroup {
    let simulation: Simulation
    let channel: ChannelID
    private let workload: Workload

    /// - Parameter strangers: the number of further people, who have no contacts yet. They come last.
    init(_ count: Int = 3, strangers: Int = 0, seed: UInt64 = 1) throws {
        simulation = Simulation(seed: seed, profile: .small, clients: count + strangers, relays: 1)
        workload = Workload(simulation, operations: 0, mostGroups: 0)
        simulation.workload = workload
        for client in simulation.clients { client.create() }
        workload.invite(simulation.clients[0], isReusable: true)
        simulation.run(until: simulation.now + 5_000)
        let invite = try #require(workload.invites.first?.invite)
        for client in simulation.clients[1..<count] {
            workload.join(client, invite)
            simulation.run(until: simulation.now + 10_000)
        }
        let contacts = simulation.clients[0].machine?.contactList.map(\.id) ?? []
        simulation.clients[0].perform(.createGroup(title: "circle", simulation.relays[0].point, contacts))
        simulation.run(until: simulation.now + 10_000)
        let summaries = try simulation.clients[0].machine?.conversationSummaries() ?? []
        let group = try #require(summaries.first { $0.contact == nil }?.id)
        channel = try #require(simulation.clients[0].machine?.snapshot(of: group)?.channel)
        for client in simulation.clients[..<count] { say(client.index) }
        #expect(simulation.violations.isEmpty)
        simulation.checker.relaysAreHonest = false
        simulation.relays[0].model.lies = RelayLies()
    }

    var relay: SimulatedRelay { simulation.relays[0] }

    /// A member's number of the conversation.
    func conversation(of client: Int) -> ConversationID {
        simulation.clients[client].machine?.conversation(on: channel) ?? ConversationID(rawValue: 0)
    }

    /// Sends a text, and waits until it arrives.
    func say(_ client: Int, waits: Bool = true) {
        workload.say(simulation.clients[client], conversation(of: client))
        if waits { wait(20) }
    }

    /// Sends a text in any conversation of a client.
    func say(_ client: Int, in conversation: ConversationID) { workload.say(simulation.clients[client], conversation) }

    /// Has a client use the invite of the group.
    func join(_ client: Int) { workload.join(simulation.clients[client], workload.invites.first?.invite) }

    /// Expects that a text of one member reaches another.
    func expectHearing(_ listener: Int, from speaker: Int) throws {
        let before = try words(of: listener)
        say(speaker)
        // Some texts expire, and an earlier one may expire meanwhile.
        #expect(try words(of: listener).subtracting(before).count == 1)
    }

    func status(of client: Int) throws -> ConversationStatus? {
        try simulation.clients[client].machine?.conversationSummaries().first { $0.id == conversation(of: client) }?
            .status
    }

    func wait(_ seconds: UInt64) { simulation.run(until: simulation.now + seconds * 1000) }

    /// Waits until a condition is met, to the millisecond.
    func wait(until isSo: () throws -> Bool) throws {
        let end = simulation.now + 3_600_000
        while try !isSo() {
            guard simulation.now < end else {
                Issue.record("it never came")
                return
            }
            simulation.run(until: simulation.now + 1)
        }
    }

    /// The true number of entries in the log.
    var length: Int { relay.model.channels[channel]?.archive.count ?? 0 }

    /// Has the relay show some members an altered log of the group.
    func show(to viewers: Set<Int>, _ edit: @escaping ([InventedEntry]) -> [InventedEntry]) {
        lie(about: channel, to: viewers, edit)
    }

    /// Has the relay show some members the next two entries in the other order.
    func swapNextTwo(to viewers: Set<Int>) {
        let first = length
        show(to: viewers) { log in
            guard log.count > first else { return log }
            guard log.count > first + 1 else { return Array(log.dropLast()) }
            var log = log
            log.swapAt(first, first + 1)
            return log
        }
    }

    /// Has the relay show some people an altered log of a channel.
    func lie(about lied: ChannelID, to viewers: Set<Int>, _ edit: @escaping ([InventedEntry]) -> [InventedEntry]) {
        let simulation = simulation
        relay.model.lies?.log = { id, connection, truth in
            guard id == lied, let viewer = simulation.wires[connection]?.link.client.index, viewers.contains(viewer)
            else { return nil }
            return edit(truth.map { InventedEntry(entry: $0, truth: $0.seq) })
        }
    }

    /// The number of others' texts that a member has in the group.
    func texts(of client: Int) throws -> Int { try words(of: client).count }

    /// The others' texts that a member has in the group. No two texts are equal.
    private func words(of client: Int) throws -> Set<String> {
        let messages =
            try simulation.clients[client].machine?.history(of: conversation(of: client), before: nil, limit: .max)
            ?? []
        return Set(
            messages.compactMap { message in
                if case .text(let text) = message.body, message.author != .me { text } else { nil }
            })
    }

    /// The warnings of a member.
    func warnings(of client: Int) -> [Warning] {
        simulation.checker.warnings.filter { $0.client == client }.map(\.warning)
    }

    /// Whether a member was warned that the relay shows different logs.
    func knowsOfDifferentLogs(_ client: Int) -> Bool {
        warnings(of: client).contains { if case .differentLogs = $0 { true } else { false } }
    }

    /// The reasons why a member could not read entries.
    func unreadable(by client: Int) -> [UnreadableReason] {
        simulation.checker.unreadable.filter { $0.client == client }.map(\.reason)
    }

    /// Expects that no member believes anything false: no invented, repeated or misattributed text, and no text meant for others.
    func expectNothingFalse() {
        simulation.checker.giveVerdict(mayMiss: true)
        #expect(simulation.violations.isEmpty)
    }
}
