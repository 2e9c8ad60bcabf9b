import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import KithSimulation

@Suite("A relay that lies before a turn")
struct LyingBeforeTurnTests {
    /// Has the relay lie to member 2 about two messages, and withhold both from member 0, which commits meanwhile. So the view in
    /// that commit does not cover them.
    private func lie(_ kind: TurnLie.Kind, in circle: Circle) throws {
        let turns = circle.relay.model.channels[circle.channel]?.archive.count { $0.kind == .turn } ?? 0
        let lie = TurnLie(kind: kind, victim: 2, turn: turns + 1)
        let (simulation, channel) = (circle.simulation, circle.channel)
        circle.relay.model.lies?.log = { id, connection, truth in
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
        circle.say(1, waits: false)
        circle.say(3, waits: false)
        circle.wait(10)
        #expect(circle.warnings(of: 2).isEmpty)
    }

    private func turn(_ circle: Circle, by client: Int) {
        circle.simulation.clients[client].perform(.renewKeys(circle.group(of: client)))
        circle.wait(30)
    }

    @Test("is detected with the next message, although the commit was made before", arguments: TurnLie.Kind.allCases)
    func nextMessage(kind: TurnLie.Kind) throws {
        let circle = try Circle(4, seed: 2)
        turn(circle, by: 0)
        try lie(kind, in: circle)
        turn(circle, by: 0)
        #expect(!circle.knowsOfDifferentLogs(2))
        circle.say(1)
        #expect(circle.knowsOfDifferentLogs(2))
        #expect(try circle.status(of: 2) == .active)
        circle.expectNothingFalse()
    }

    @Test("is detected with the next commit, even without a message in between", arguments: TurnLie.Kind.allCases)
    func nextCommit(kind: TurnLie.Kind) throws {
        let circle = try Circle(4, seed: 3)
        turn(circle, by: 0)
        try lie(kind, in: circle)
        turn(circle, by: 0)
        turn(circle, by: 1)
        #expect(circle.knowsOfDifferentLogs(2))
        // A false view does not keep a member out of the epoch.
        #expect(try circle.status(of: 2) == .active)
        let epochs = (0..<4).map { circle.simulation.clients[$0].machine?.snapshot(of: circle.group(of: $0))?.epoch }
        #expect(Set(epochs).count == 1)
        circle.expectNothingFalse()
    }

    @Test("is detected even if a new member makes the next commit", arguments: TurnLie.Kind.allCases)
    func newcomer(kind: TurnLie.Kind) throws {
        let circle = try Circle(4, strangers: 1, seed: 2)
        circle.join(4)
        circle.wait(20)
        turn(circle, by: 0)
        try lie(kind, in: circle)
        let host = circle.simulation.clients[0]
        let newcomer = try #require(host.machine?.contactList.first { $0.name == "p4" })
        host.perform(.add(circle.group(of: 0), [newcomer.id]))
        circle.wait(30)
        #expect(!circle.knowsOfDifferentLogs(2))
        // The new member renews its keys before it sends a text.
        circle.simulation.clients[4].perform(.renewKeys(circle.group(of: 4)))
        circle.wait(30)
        #expect(circle.knowsOfDifferentLogs(2))
        #expect(circle.warnings(of: 1).isEmpty)
        #expect(circle.warnings(of: 4).isEmpty)
    }

    @Test("is reported to the author, too, once the other member continues; then all members agree again")
    func authorIsTold() throws {
        let circle = try Circle(4, seed: 2)
        turn(circle, by: 0)
        try lie(.replace, in: circle)
        turn(circle, by: 0)
        circle.say(1)
        #expect(circle.knowsOfDifferentLogs(2))
        #expect(!circle.knowsOfDifferentLogs(1))
        for client in [2, 1, 0, 3] {
            circle.simulation.clients[client].perform(.trustLog(circle.group(of: client)))
            circle.wait(30)
        }
        #expect(circle.knowsOfDifferentLogs(1))
        #expect(circle.knowsOfDifferentLogs(0))
        let before = (0..<4).map { circle.warnings(of: $0).count }
        turn(circle, by: 1)
        for client in 0..<4 { try circle.expectHearing((client + 1) % 4, from: client) }
        #expect((0..<4).map { circle.warnings(of: $0).count } == before)
        circle.expectNothingFalse()
    }

    @Test("a message missing at a turn is reported with its sender's next message")
    func gap() throws {
        let circle = try Circle(seed: 2)
        turn(circle, by: 0)
        let hidden = circle.length
        circle.show(to: [2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        // Both texts are encrypted before the first is in the log.
        circle.say(1, waits: false)
        circle.say(1, waits: false)
        circle.wait(10)
        turn(circle, by: 0)
        #expect(!circle.warnings(of: 2).contains(.missingBefore(1)))
        circle.say(1)
        #expect(circle.knowsOfDifferentLogs(2))
        #expect(circle.warnings(of: 2).contains(.missingBefore(1)))
        circle.expectNothingFalse()
    }

    @Test("a false view in a commit warns the other members and keeps none of them out")
    func falseView() throws {
        let circle = try Circle(seed: 2)
        turn(circle, by: 0)
        let liar = try #require(circle.simulation.clients[1].machine)
        let group = circle.group(of: 1)
        let view = try #require(liar.state.conversations[group]?.machine.record.view)

        /// Lets the liar believe in another view of the log.
        func stand(at view: LogView) throws {
            var machine = try #require(liar.state.conversations[group]?.machine)
            machine.record.stand(at: view)
            liar.state.conversations.add(machine)
        }
        try stand(at: LogView(seq: view.seq, hash: LogView.noPrevious, previous: view.previous))
        circle.simulation.clients[1].perform(.renewKeys(group))
        try circle.wait { liar.state.conversations[group]?.machine.keptGroup.hasPendingCommit == true }
        try stand(at: view)
        circle.wait(30)
        for client in [0, 2] {
            #expect(circle.knowsOfDifferentLogs(client))
            #expect(try circle.status(of: client) == .active)
            circle.simulation.clients[client].perform(.trustLog(circle.group(of: client)))
            circle.wait(30)
        }
        let before = (0..<3).map { circle.warnings(of: $0).count }
        for client in 0..<3 { try circle.expectHearing((client + 1) % 3, from: client) }
        #expect((0..<3).map { circle.warnings(of: $0).count } == before)
        circle.expectNothingFalse()
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
        let circle = try Circle(seed: 2)
        let length = circle.length
        circle.show(to: [2]) { Array($0.prefix(length)) }
        circle.say(1)
        circle.say(0)
        #expect(circle.warnings(of: 2).isEmpty)
        circle.simulation.clients[2].perform(.liveCheck(circle.group(of: 2)))
        circle.wait(5)
        let answers = circle.simulation.checker.presences
        #expect(answers.contains { $0.client == 2 && $0.log == .ahead(by: 2) })
        circle.wait(300)
        #expect(circle.warnings(of: 2) == [.heldBack(through: UInt64(length) + 2)])
        circle.simulation.clients[1].perform(.liveCheck(circle.group(of: 1)))
        circle.wait(5)
        #expect(circle.simulation.checker.presences.contains { $0.client == 1 && $0.log == .behind(by: 2) })
        #expect(circle.simulation.checker.presences.contains { $0.client == 1 && $0.log == .same })
        circle.expectNothingFalse()
    }

    @Test("is detected by the deceived member when another member makes a live check")
    func aheadOfAnswerer() throws {
        let circle = try Circle(seed: 2)
        let length = circle.length
        circle.show(to: [2]) { Array($0.prefix(length)) }
        circle.say(1)
        circle.say(0)
        circle.simulation.clients[1].perform(.liveCheck(circle.group(of: 1)))
        circle.wait(300)
        #expect(circle.warnings(of: 2) == [.heldBack(through: UInt64(length) + 2)])
        circle.expectNothingFalse()
    }

    @Test("and alters entries is detected by the deceived member when another member makes a live check")
    func differsFromChallenger() throws {
        let circle = try Circle(seed: 2)
        circle.swapNextTwo(to: [2])
        circle.say(0, waits: false)
        circle.say(1, waits: false)
        circle.wait(20)
        circle.simulation.clients[1].perform(.liveCheck(circle.group(of: 1)))
        circle.wait(5)
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and alters entries is detected by a live check before the next message")
    func differs() throws {
        let circle = try Circle(seed: 2)
        circle.swapNextTwo(to: [2])
        circle.say(0, waits: false)
        circle.say(1, waits: false)
        circle.wait(20)
        #expect(circle.warnings(of: 2).isEmpty)
        circle.simulation.clients[2].perform(.liveCheck(circle.group(of: 2)))
        circle.wait(5)
        #expect(circle.simulation.checker.presences.contains { $0.client == 2 && $0.log == .differs })
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }
}
