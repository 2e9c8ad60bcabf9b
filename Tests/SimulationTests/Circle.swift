import KithClient
import KithWire
import Testing

@testable import KithSimulation

/// Some people in one group on one relay, who have all said something. From then on the relay may lie.
struct Circle {
    let simulation: Simulation
    let channel: ChannelID
    private let people: People

    /// - Parameter strangers: people beside them who have met nobody yet. They come last.
    init(_ count: Int = 3, strangers: Int = 0, seed: UInt64 = 1) throws {
        simulation = Simulation(seed: seed, profile: .small, clients: count + strangers, relays: 1)
        people = People(simulation, operations: 0, mostGroups: 0)
        simulation.people = people
        for client in simulation.clients { client.create() }
        people.invite(simulation.clients[0], isReusable: true)
        simulation.run(until: simulation.now + 5_000)
        let invite = try #require(people.invites.first?.invite)
        for client in simulation.clients[1..<count] {
            people.join(client, invite)
            simulation.run(until: simulation.now + 10_000)
        }
        let contacts = simulation.clients[0].messenger?.contactList.map(\.id) ?? []
        simulation.clients[0].perform(.createGroup(title: "circle", simulation.relays[0].point, contacts))
        simulation.run(until: simulation.now + 10_000)
        let summaries = try simulation.clients[0].messenger?.conversationSummaries() ?? []
        let group = try #require(summaries.first { $0.contact == nil }?.id)
        channel = try #require(simulation.clients[0].messenger?.standing(of: group)?.channel)
        for client in simulation.clients[..<count] { say(client.index) }
        #expect(simulation.violations.isEmpty)
        simulation.judge.relaysAreHonest = false
        simulation.relays[0].model.lies = RelayLies()
    }

    var relay: SimulatedRelay { simulation.relays[0] }

    /// The conversation as a member knows it.
    func group(of client: Int) -> ConversationID {
        simulation.clients[client].messenger?.conversation(on: channel) ?? ConversationID(rawValue: 0)
    }

    /// Says something, and lets it arrive.
    func say(_ client: Int, waits: Bool = true) {
        people.say(simulation.clients[client], group(of: client))
        if waits { wait(20) }
    }

    /// Says something in any conversation of somebody's.
    func say(_ client: Int, in conversation: ConversationID) { people.say(simulation.clients[client], conversation) }

    /// Has somebody use the invite that the circle was made with.
    func join(_ client: Int) { people.join(simulation.clients[client], people.invites.first?.invite) }

    /// What one member says comes to another.
    func expectHearing(_ listener: Int, from speaker: Int) throws {
        let before = try words(of: listener)
        say(speaker)
        // Some texts expire, and an earlier one may do so meanwhile.
        #expect(try words(of: listener).subtracting(before).count == 1)
    }

    func status(of client: Int) throws -> ConversationStatus? {
        try simulation.clients[client].messenger?.conversationSummaries().first { $0.id == group(of: client) }?.status
    }

    func wait(_ seconds: UInt64) { simulation.run(until: simulation.now + seconds * 1000) }

    /// Lets time pass until something is so, in the very millisecond.
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

    /// How many entries the log has in truth.
    var length: Int { relay.model.channels[channel]?.archive.count ?? 0 }

    /// Has the relay show some members the group's log otherwise than it is.
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

    /// Has the relay show some people a channel's log otherwise than it is.
    func lie(about lied: ChannelID, to viewers: Set<Int>, _ edit: @escaping ([InventedEntry]) -> [InventedEntry]) {
        let simulation = simulation
        relay.model.lies?.log = { id, connection, truth in
            guard id == lied, let viewer = simulation.wires[connection]?.link.client.index, viewers.contains(viewer)
            else { return nil }
            return edit(truth.map { InventedEntry(entry: $0, truth: $0.seq) })
        }
    }

    /// The number of texts of others that a member was shown in the group.
    func texts(of client: Int) throws -> Int { try words(of: client).count }

    /// The texts of others that a member was shown in the group. No two people say the same.
    private func words(of client: Int) throws -> Set<String> {
        let messages = try simulation.clients[client].messenger?.wholeHistory(of: group(of: client)) ?? []
        return Set(
            messages.compactMap { message in
                if case .text(let text) = message.body, message.author != .me { text } else { nil }
            })
    }

    /// What a member was warned of.
    func warnings(of client: Int) -> [Warning] {
        simulation.judge.warnings.filter { $0.client == client }.map(\.warning)
    }

    /// Whether a member was told that it is shown another log than others are.
    func knowsOfDifferentLogs(_ client: Int) -> Bool {
        warnings(of: client).contains { if case .differentLogs = $0 { true } else { false } }
    }

    /// Why a member could not read something.
    func unreadable(by client: Int) -> [UnreadableReason] {
        simulation.judge.unreadable.filter { $0.client == client }.map(\.reason)
    }

    /// Nothing false was believed: no text that nobody said, none twice, none as another's, none by those it was not for.
    func expectNothingFalse() {
        simulation.judge.giveVerdict(mayMiss: true)
        #expect(simulation.violations.isEmpty)
    }
}
