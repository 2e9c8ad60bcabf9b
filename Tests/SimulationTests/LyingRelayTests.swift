import KithClient
import KithWire
import Testing

@testable import KithSimulation

@Suite("A relay that lies")
struct LyingRelayTests {
    @Test("and drops one entry for one member is detected by that member")
    func dropsForOne() throws {
        let group = try SimulatedGroup()
        let hidden = group.length
        group.show(to: [2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        group.say(1)
        group.say(1)
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and drops one entry for everybody is detected by its sender")
    func dropsForAll() throws {
        let group = try SimulatedGroup()
        let hidden = group.length
        group.show(to: [0, 1, 2]) { log in log.enumerated().filter { $0.offset != hidden }.map(\.element) }
        group.say(1)
        group.say(0)
        group.wait(300)
        #expect(group.warnings(of: 1).contains { if case .notKept = $0 { true } else { false } })
        group.expectNothingFalse()
    }

    @Test("and swaps two entries is detected with the next message")
    func swaps() throws {
        let group = try SimulatedGroup()
        group.swapNextTwo(to: [2])
        group.say(0)
        group.say(1)
        group.say(0)
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and shows two members different logs is detected by both")
    func forks() throws {
        let group = try SimulatedGroup()
        let first = group.length
        let simulation = group.simulation
        let channel = group.channel
        group.relay.model.lies?.log = { id, connection, truth in
            guard id == channel, let viewer = simulation.wires[connection]?.link.client.index, viewer > 0 else {
                return nil
            }
            // The relay shows each of the two members one of the next two messages.
            let hidden = first + viewer - 1
            return truth.enumerated().filter { $0.offset != hidden }
                .map { InventedEntry(entry: $0.element, truth: $0.element.seq) }
        }
        group.say(0)
        group.say(0)
        group.say(1)
        group.say(2)
        group.say(0)
        #expect(group.knowsOfDifferentLogs(1))
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and substitutes another account's key package gets no one into a conversation")
    func substitutesKeyPackage() throws {
        let group = try SimulatedGroup()
        let (alice, mallory) = (group.simulation.clients[0], group.simulation.clients[1])
        var invite: OpenInvite?
        alice.perform(.createInvite(relay: group.relay.point, isReusable: false, expiresAt: .max / 2000)) { result in
            if case .success(let open) = result { invite = open }
        }
        mallory.perform(.createInvite(relay: group.relay.point, isReusable: true, expiresAt: .max / 2000))
        group.wait(20)
        let own = try #require(mallory.machine?.openInvites.first?.invite.inbox.channel)
        let substitute = try #require(group.relay.model.channels[own]?.packages.first)
        group.relay.model.lies?.keyPackage = { _ in substitute }
        var answer: Result<ConversationID, KithError>?
        group.simulation.clients[2].perform(.join(try #require(invite).invite, name: "alice again")) { answer = $0 }
        group.wait(60)
        guard case .failure(.wrongAccount) = answer else {
            Issue.record("the key package was taken: \(String(describing: answer))")
            return
        }
        group.expectNothingFalse()
    }

    @Test("and replays an old Welcome changes nothing, and is reported")
    func replaysWelcome() throws {
        let group = try SimulatedGroup()
        let inboxes = group.relay.model.channels.filter { $0.value.epoch == 0 && $0.value.archive.count > 0 }
        group.say(1)
        let before = group.simulation.clients.map { $0.machine?.conversationOnLog(group.channel) }
        let simulation = group.simulation
        group.relay.model.lies?.log = { id, _, truth in
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
        group.wait(120)
        #expect(group.simulation.clients.map { $0.machine?.conversationOnLog(group.channel) } == before)
        #expect(simulation.checker.warnings.contains { $0.warning == .oldWelcome })
        group.expectNothingFalse()
    }

    @Test("and inserts an entry of another channel is detected")
    func otherChannel() throws {
        let group = try SimulatedGroup()
        let place = group.length
        let other = try #require(group.relay.model.channels.first { $0.key != group.channel && $0.value.epoch > 1 })
        let stranger = try #require(other.value.archive.last { $0.kind == .message })
        let epoch = group.relay.model.channels[group.channel]?.epoch ?? 0
        group.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            let entry = Entry(
                seq: 0, epoch: epoch, kind: .message, receivedAtMs: stranger.receivedAtMs, id: stranger.id,
                payload: stranger.payload)
            log.insert(InventedEntry(entry: entry, truth: nil), at: place)
            return log
        }
        group.say(1)
        group.say(0)
        #expect(group.unreadable(by: 2).contains(.notGenuine))
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and acknowledges entries without storing them is detected by the sender")
    func keepsNothing() throws {
        let group = try SimulatedGroup()
        let channel = group.channel
        group.relay.model.lies?.drops = { id, _ in id == channel }
        group.say(1)
        group.wait(300)
        #expect(group.warnings(of: 1).contains { if case .notKept = $0 { true } else { false } })
        group.expectNothingFalse()
    }

    @Test("and changes an entry's id does not get it shown")
    func changesID() throws {
        let group = try SimulatedGroup()
        let place = group.length
        let id = EntryID.random(using: &group.simulation.random)
        let before = try group.texts(of: 2)
        group.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            let entry = log[place].entry
            log[place].entry = Entry(
                seq: 0, epoch: entry.epoch, kind: entry.kind, receivedAtMs: entry.receivedAtMs, id: id,
                payload: entry.payload)
            return log
        }
        group.say(1)
        #expect(group.unreadable(by: 2).contains(.wrongID))
        #expect(try group.texts(of: 2) == before)
        group.expectNothingFalse()
    }

    @Test("and repeats an entry does not get it shown twice")
    func repeats() throws {
        let group = try SimulatedGroup()
        let place = group.length
        let before = try group.texts(of: 2)
        group.show(to: [2]) { log in
            guard log.count > place else { return log }
            var log = log
            log.insert(InventedEntry(entry: log[place].entry, truth: nil), at: place + 1)
            return log
        }
        group.say(1)
        #expect(group.unreadable(by: 2) == [.repeated])
        #expect(try group.texts(of: 2) == before + 1)
        group.say(0)
        group.say(1)
        #expect(group.knowsOfDifferentLogs(2))
        group.expectNothingFalse()
    }

    @Test("and inserts noise without end is reported in one line with a count")
    func flood() throws {
        let group = try SimulatedGroup(seed: 2)
        let place = group.length
        let epoch = group.relay.model.channels[group.channel]?.epoch ?? 0
        let simulation = group.simulation
        let noise = (0..<250).map { number in
            Entry(
                seq: 0, epoch: epoch, kind: .message, receivedAtMs: simulation.now,
                id: .random(using: &simulation.random), payload: [UInt8(number % 2), 1, 2])
        }
        group.show(to: [2]) { log in
            guard log.count > place else { return log }
            return log[..<place] + noise.map { InventedEntry(entry: $0, truth: nil) } + log[place...]
        }
        group.say(1)
        let history =
            try group.simulation.clients[2].machine?.history(of: group.conversation(of: 2), before: nil, limit: .max)
            ?? []
        let counts = history.compactMap { message -> Int? in
            if case .notice(.unreadable(_, _, let count)) = message.body { count } else { nil }
        }
        #expect(counts.reduce(0, +) == 250)
        #expect(counts.count <= 2)
        // The first, the tenth and the hundredth entry of each kind.
        #expect(group.unreadable(by: 2).count <= 6)
        group.expectNothingFalse()
    }
}

extension ProfileMachine {
    /// The number and epoch of the conversation on a channel.
    fileprivate func conversationOnLog(_ channel: ChannelID) -> [UInt64] {
        guard let id = conversation(on: channel), let snapshot = snapshot(of: id) else { return [] }
        return [id.rawValue, snapshot.epoch]
    }
}
