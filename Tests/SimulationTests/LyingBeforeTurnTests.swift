import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import KithSimulation

@Suite("A relay that lies before a turn")
struct LyingBeforeTurnTests {
    /// Has the relay lie to member 2 about two messages, and withhold both from member 0, which commits meanwhile. So the view in
    /// that commit does not cover them.
    private func lie(_ kind: TurnLie.Kind, in group: SimulatedGroup) throws {
        let turns = group.relay.model.channels[group.channel]?.archive.count { $0.kind == .turn } ?? 0
        let lie = TurnLie(kind: kind, victim: 2, turn: turns + 1)
        let (simulation, channel) = (group.simulation, group.channel)
        group.relay.model.lies?.log = { id, connection, truth in
            guard id == channel, let viewer = simulation.wires[connection]?.link.client.index else { return nil }
            switch viewer {
            case 0:
                guard truth.count(where: { $0.kind == .turn }) == turns else { return nil }
                let end = truth.lastIndex { $0.kind == .turn } ?? 0
                return truth[...end].map { InventedEntry(entry: $0, truth: $0.seq) }
            case 2: return lie.log(truth)
            default: return nil
            }
        }
        // Both are sent at once, so that neither sender has seen the other's message.
        group.say(1, waits: false)
        group.say(3, waits: false)
        group.wait(10)
        #expect(group.warnings(of: 2).isEmpty)
    }

    private func turn(_ group: SimulatedGroup, by client: Int) {
        group.simulation.clients[client].perform(.renewKeys(group.conversation(of: client)))
        group.wait(30)
    }

    @Test("is detected with the next message, although the commit was made before", arguments: TurnLie.Kind.allCases)
    func nextMessage(kind: TurnLie.Kind) throws {
        let group = try SimulatedGroup(4, seed: 2)
        turn(group, by: 0)
        try lie(kind, in: group)
        turn(group, by: 0)
        #expect(!group.knowsOfDifferentLogs(2))
        group.say(1)
        #expect(group.knowsOfDifferentLogs(2))
        #expect(try group.status(of: 2) == .active)
        group.expectNothingFalse()
    }

    @Test("is detected with the next commit, even without a message in between", arguments: TurnLie.Kind.allCases)
    func nextCommit(kind: TurnLie.Kind) throws {
        let group = try SimulatedGroup(4, seed: 3)
        turn(group, by: 0)
        try lie(kind, in: group)
        turn(group, by: 0)
        turn(group, by: 1)
        #expect(group.knowsOfDifferentLogs(2))
        // A false view does not keep a member out of the epoch.
        #expect(try group.status(of: 2) == .active)
        let epochs = (0..<4).map {
            group.simulation.clients[$0].machine?.snapshot(of: group.conversation(of: $0))?.epoch
        }
        #expect(Set(epochs).count == 1)
        group.expectNothingFalse()
    }

    @Test("is detected even if a new member makes the next commit", arguments: TurnLie.Kind.allCases)
    func newcomer(kind: TurnLie.Kind) throws {
        let group = try SimulatedGroup(4, strangers: 1, seed: 2)
        group.join(4)
        group.wait(20)
        turn(group, by: 0)
        try lie(kind, in: group)
        let host = group.simulation.clients[0]
        let newcomer = try #require(host.machine?.contactList.first { $0.name == "p4" })
        host.perform(.add(group.conversation(of: 0), [newcomer.id]))
        group.wait(30)
        #expect(!group.knowsOfDifferentLogs(2))
        // The new member renews its keys before it sends a text.
        group.simulation.clients[4].perform(.renewKeys(group.conversation(of: 4)))
        group.wait(30)
        #expect(group.knowsOfDifferentLogs(2))
        #expect(group.warnings(of: 1).isEmpty)
        #expect(group.warnings(of: 4).isEmpty)
    }

    @Test("is reported to the author, too, once the other member continues; then all members agree again")
    func authorIsTold() throws {
        let group = try SimulatedGroup(4, seed: 2)
        turn(group, by: 0)
        try lie(.replace, in: group)
        turn(group, by: 0)
        group.say(1)
        #expect(group.knowsOfDifferentLogs(2))
        #expect(!group.knowsOfDifferentLogs(1))
        for client in [2, 1, 0, 3] {
            group.simulation.clients[client].perform(.trustLog(group.conversation(of: client)))
            group.wait(30)
        }
        #expect(group.knowsOfDifferentLogs(1))
        #expect(group.knowsOfDifferentLogs(0))
        let before = (0..<4).map { group.warnings(of: $0).count }
        turn(group, by: 1)
        for client in 0..<4 { try group.expectHearing((client + 1) % 4, from: client) }
        #expect((0..<4).map { group.warnings(of: $0).count } == before)
        group.expectNothingFalse()
    }

    @Test("a message missing at a turn is reported with its sender's next message")
    func gap() throws {
        let group = try SimulatedGroup(seed: 2)
        turn(group, by: 0)
        let hidden = group.length
        group.show(to: [2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        // Both texts are encrypted before the first is in the log.
        group.say(1, waits: false)
        group.say(1, waits: false)
        group.wait(10)
        turn(group, by: 0)
        #expect(!group.warnings(of: 2).contains(.missingBefore(1)))
        group.say(1)
        #expect(group.knowsOfDifferentLogs(2))
        #expect(group.warnings(of: 2).contains(.missingBefore(1)))
        group.expectNothingFalse()
    }

    @Test("a false view in a commit warns the other members and keeps none of them out")
    func falseView() throws {
        let group = try SimulatedGroup(seed: 2)
        turn(group, by: 0)
        let liar = try #require(group.simulation.clients[1].machine)
        let conversation = group.conversation(of: 1)
        let view = try #require(liar.state.conversations[conversation]?.machine.record.view)

        /// Lets the liar believe in another view of the log.
        func stand(at view: LogView) throws {
            var machine = try #require(liar.state.conversations[conversation]?.machine)
            machine.record.stand(at: view)
            liar.state.conversations.add(machine)
        }
        try stand(at: LogView(seq: view.seq, hash: LogView.noPrevious, previous: view.previous))
        group.simulation.clients[1].perform(.renewKeys(conversation))
        try group.wait { liar.state.conversations[conversation]?.machine.keptGroup.hasPendingCommit == true }
        try stand(at: view)
        group.wait(30)
        for client in [0, 2] {
            #expect(group.knowsOfDifferentLogs(client))
            #expect(try group.status(of: client) == .active)
            group.simulation.clients[client].perform(.trustLog(group.conversation(of: client)))
            group.wait(30)
        }
        let before = (0..<3).map { group.warnings(of: $0).count }
        for client in 0..<3 { try group.expectHearing((client + 1) % 3, from: client) }
        #expect((0..<3).map { group.warnings(of: $0).count } == before)
        group.expectNothingFalse()
    }

    @Test("lies in random schedules are detected by a member who was shown a different log")
    func schedules() {
        var judged = 0
        for seed in 1...24 as ClosedRange<UInt64> {
            let report = Simulation.run(seed: seed, profile: .lying)
            #expect(report.violations.isEmpty, "kith-simulate --profile lying --seeds \(seed) --trace")
            judged += report.lies
        }
        #expect(judged > 0)
    }
}

@Suite("A relay that withholds the end of the log")
struct HeldBackTests {
    @Test("is detected by a live check that it forwards")
    func ahead() throws {
        let group = try SimulatedGroup(seed: 2)
        let length = group.length
        group.show(to: [2]) { Array($0.prefix(length)) }
        group.say(1)
        group.say(0)
        #expect(group.warnings(of: 2).isEmpty)
        group.simulation.clients[2].perform(.liveCheck(group.conversation(of: 2)))
        group.wait(5)
        let answers = group.simulation.checker.presences
        #expect(answers.contains { $0.client == 2 && $0.log == .ahead(by: 2) })
        group.wait(300)
        #expect(group.warnings(of: 2) == [.heldBack(through: UInt64(length) + 2)])
        group.simulation.clients[1].perform(.liveCheck(group.conversation(of: 1)))
        group.wait(5)
        #expect(group.simulation.checker.presences.contains { $0.client == 1 && $0.log == .behind(by: 2) })
        #expect(group.simulation.checker.presences.contains { $0.client == 1 && $0.log == .same })
        group.expectNothingFalse()
    }

    @Test("is detected by the deceived member when another member makes a live check")
    func aheadOfAnswerer() throws {
        let group = try SimulatedGroup(seed: 2)
        let length = group.length
        group.show(to: [2]) { Array($0.prefix(length)) }
        group.say(1)
        group.say(0)
        group.simulation.clients[1].perform(.liveCheck(group.conversation(of: 1)))
        group.wait(300)
        #expect(group.warnings(of: 2) == [.heldBack(through: UInt64(length) + 2)])
        group.expectNothingFalse()
    }

    @Test("and alters entries is detected by the deceived member when another member makes a live check")
    func differsFromChallenger() throws {
        let group = try SimulatedGroup(seed: 2)
        group.swapNextTwo(to: [2])
        group.say(0, waits: false)
        group.say(1, waits: false)
        group.wait(20)
        group.simulation.clients[1].perform(.liveCheck(group.conversation(of: 1)))
        group.wait(5)
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and alters entries is detected by a live check before the next message")
    func differs() throws {
        let group = try SimulatedGroup(seed: 2)
        group.swapNextTwo(to: [2])
        group.say(0, waits: false)
        group.say(1, waits: false)
        group.wait(20)
        #expect(group.warnings(of: 2).isEmpty)
        group.simulation.clients[2].perform(.liveCheck(group.conversation(of: 2)))
        group.wait(5)
        #expect(group.simulation.checker.presences.contains { $0.client == 2 && $0.log == .differs })
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }
}
