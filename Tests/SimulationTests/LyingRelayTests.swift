import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("A relay that lies")
struct LyingRelayTests {
    @Test("and drops one entry for one member is detected by that member")
    func dropsForOne() throws {
        let circle = try Circle()
        let hidden = circle.length
        circle.show(to: [2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        circle.say(1)
        circle.say(1)
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and drops one entry for everybody is detected by its sender")
    func dropsForAll() throws {
        let circle = try Circle()
        let hidden = circle.length
        circle.show(to: [0, 1, 2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        circle.say(1)
        circle.say(0)
        circle.wait(300)
        #expect(circle.warnings(of: 1).contains { if case .notKept = $0 { true } else { false } })
        circle.expectNothingFalse()
    }

    @Test("and swaps two entries is detected with the next message")
    func swaps() throws {
        let circle = try Circle()
        circle.swapNextTwo(to: [2])
        circle.say(0)
        circle.say(1)
        circle.say(0)
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and shows two members different logs is detected by both")
    func forks() throws {
        let circle = try Circle()
        let first = circle.length
        let simulation = circle.simulation
        let channel = circle.channel
        circle.relay.model.lies?.log = { id, connection, truth in
            guard id == channel, let viewer = simulation.wires[connection]?.link.client.index, viewer > 0 else {
                return nil
            }
            // The relay shows each of the two members one of the next two messages.
            let hidden = first + viewer - 1
            return truth.enumerated().filter { $0.offset != hidden }
                .map { InventedEntry(entry: $0.element, truth: $0.element.seq) }
        }
        circle.say(0)
        circle.say(0)
        circle.say(1)
        circle.say(2)
        circle.say(0)
        #expect(circle.knowsOfDifferentLogs(1))
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and substitutes another account's key package gets no one into a conversation")
    func substitutesKeyPackage() throws {
        let circle = try Circle()
        let (alice, mallory) = (circle.simulation.clients[0], circle.simulation.clients[1])
        var invite: OpenInvite?
        alice.perform(.createInvite(relay: circle.relay.point, isReusable: false, expiresAt: .max / 2000)) { result in
            if case .success(let open) = result { invite = open }
        }
        mallory.perform(.createInvite(relay: circle.relay.point, isReusable: true, expiresAt: .max / 2000))
        circle.wait(20)
        let own = try #require(mallory.machine?.openInvites.first?.invite.inbox.channel)
        let substitute = try #require(circle.relay.model.channels[own]?.packages.first)
        circle.relay.model.lies?.keyPackage = { _ in substitute }
        var answer: Result<ConversationID, KithError>?
        circle.simulation.clients[2].perform(.join(try #require(invite).invite, name: "alice again")) { answer = $0 }
        circle.wait(60)
        guard case .failure(.wrongAccount) = answer else {
            Issue.record("the key package was taken: \(String(describing: answer))")
            return
        }
        circle.expectNothingFalse()
    }

    @Test("and replays an old Welcome changes nothing, and is reported")
    func replaysWelcome() throws {
        let circle = try Circle()
        let inboxes = circle.relay.model.channels.filter { $0.value.epoch == 0 && $0.value.archive.count > 0 }
        circle.say(1)
        let before = circle.simulation.clients.map { $0.machine?.conversationOnLog(circle.channel) }
        let simulation = circle.simulation
        circle.relay.model.lies?.log = { id, _, truth in
            guard inboxes[id] != nil else { return nil }
            let entries = truth.map { InventedEntry(entry: $0, truth: $0.seq) }
            let again = truth.map { entry in
                InventedEntry(
                    entry: Entry(
                        seq: 0, epoch: entry.epoch, kind: entry.kind, receivedAtMs: entry.receivedAtMs,
                        id: EntryID.random(using: &simulation.random), payload: entry.payload),
                    truth: nil)
            }
            return entries + again
        }
        for client in simulation.clients { for link in client.allLinks { link.connection.map(simulation.cut) } }
        circle.wait(120)
        #expect(circle.simulation.clients.map { $0.machine?.conversationOnLog(circle.channel) } == before)
        #expect(simulation.checker.warnings.contains { $0.warning == .oldWelcome })
        circle.expectNothingFalse()
    }

    @Test("and inserts an entry of another channel is detected")
    func otherChannel() throws {
        let circle = try Circle()
        let place = circle.length
        let other = try #require(circle.relay.model.channels.first { $0.key != circle.channel && $0.value.epoch > 1 })
        let stranger = try #require(other.value.archive.last { $0.kind == .message })
        let epoch = circle.relay.model.channels[circle.channel]?.epoch ?? 0
        circle.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            let entry = Entry(
                seq: 0, epoch: epoch, kind: .message, receivedAtMs: stranger.receivedAtMs, id: stranger.id,
                payload: stranger.payload)
            log.insert(InventedEntry(entry: entry, truth: nil), at: place)
            return log
        }
        circle.say(1)
        circle.say(0)
        #expect(circle.unreadable(by: 2).contains(.notGenuine))
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and acknowledges entries without storing them is detected by the sender")
    func keepsNothing() throws {
        let circle = try Circle()
        let channel = circle.channel
        circle.relay.model.lies?.drops = { id, _ in id == channel }
        circle.say(1)
        circle.wait(300)
        #expect(circle.warnings(of: 1).contains { if case .notKept = $0 { true } else { false } })
        circle.expectNothingFalse()
    }

    @Test("and changes an entry's id does not get it shown")
    func changesID() throws {
        let circle = try Circle()
        let place = circle.length
        let id = EntryID.random(using: &circle.simulation.random)
        let before = try circle.texts(of: 2)
        circle.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            let entry = log[place].entry
            log[place].entry = Entry(
                seq: 0, epoch: entry.epoch, kind: entry.kind, receivedAtMs: entry.receivedAtMs, id: id,
                payload: entry.payload)
            return log
        }
        circle.say(1)
        #expect(circle.unreadable(by: 2).contains(.wrongID))
        #expect(try circle.texts(of: 2) == before)
        circle.expectNothingFalse()
    }

    @Test("and repeats an entry does not get it shown twice")
    func repeats() throws {
        let circle = try Circle()
        let place = circle.length
        let before = try circle.texts(of: 2)
        circle.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            log.insert(InventedEntry(entry: log[place].entry, truth: nil), at: place + 1)
            return log
        }
        circle.say(1)
        #expect(circle.unreadable(by: 2) == [.repeated])
        #expect(try circle.texts(of: 2) == before + 1)
        circle.say(0)
        circle.say(1)
        #expect(circle.knowsOfDifferentLogs(2))
        circle.expectNothingFalse()
    }

    @Test("and inserts noise without end is reported in one line with a count")
    func flood() throws {
        let circle = try Circle(seed: 2)
        let place = circle.length
        let epoch = circle.relay.model.channels[circle.channel]?.epoch ?? 0
        let simulation = circle.simulation
        let noise = (0..<250).map { number in
            Entry(
                seq: 0, epoch: epoch, kind: .message, receivedAtMs: simulation.now,
                id: .random(using: &simulation.random), payload: [UInt8(number % 2), 1, 2])
        }
        circle.show(to: [2]) { log in
            guard log.count > place else { return log }
            return log[..<place] + noise.map { InventedEntry(entry: $0, truth: nil) } + log[place...]
        }
        circle.say(1)
        let history = try circle.simulation.clients[2].machine?.wholeHistory(of: circle.group(of: 2)) ?? []
        let counts = history.compactMap { message -> Int? in
            if case .notice(.unreadable(_, _, let count)) = message.body { count } else { nil }
        }
        #expect(counts.reduce(0, +) == 250)
        #expect(counts.count <= 2)
        // The first, the tenth and the hundredth entry of each kind.
        #expect(circle.unreadable(by: 2).count <= 6)
        circle.expectNothingFalse()
    }
}

extension ProfileMachine {
    /// The number and epoch of the conversation on a channel.
    fileprivate func conversationOnLog(_ channel: ChannelID) -> [UInt64] {
        guard let id = conversation(on: channel), let snapshot = snapshot(of: id) else { return [] }
        return [id.rawValue, snapshot.epoch]
    }
}
