import KithClient
import KithRelay
import KithWire
import RelayTestSupport
import Testing

@Suite("Epochs")
struct TurnTests {
    @Test("a turn ends the epoch for its followers; the next epoch needs its own token")
    func turn() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let bob = try await relay.connect()
            try await bob.present(channel, [channel.read])
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            try await alice.append("in 0", to: channel)
            let next = channel.next()
            #expect(try await alice.turn(channel, to: next) == 2)
            try await alice.present(next)
            #expect(try await alice.append("in 1", to: next) == 3)

            var events: [FollowEvent] = []
            for try await event in follow { events.append(event) }
            #expect(events.last == .epochEnded(0))
            let entries = events.flatMap { if case .entries(let entries) = $0 { entries } else { [Entry]() } }
            #expect(entries.map(\.seq) == [1, 2])
            #expect(entries.map(\.kind) == [.message, .turn])

            try await bob.present(next, [next.read])
            let later = try await bob.follow(channel.id, epoch: 1, fromSeq: 3)
            #expect(try await later.entries(1).map(\.text) == ["in 1"])
        }
    }

    @Test("after a turn, the old tokens no longer append, and read only their epoch")
    func oldTokens() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.append("in 0", to: channel)
            let next = channel.next()
            try await alice.turn(channel, to: next)
            try await alice.present(next)
            try await alice.append("in 1", to: next)

            let removed = try await relay.connect()
            #expect(try await removed.present(channel) == .all)
            let append = Request.append(channel: channel.id, epoch: 0, id: .random(), payload: [1])
            #expect(
                try await removed.refusal(of: append)
                    == RelayError(.staleEpoch, "the channel is in another epoch", detail: 1))
            let turn = Request.turn(
                channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.access)
            #expect(try await removed.refusal(of: turn)?.code == .staleEpoch)
            let whisper = Request.whisper(channel: channel.id, epoch: 0, payload: [1])
            #expect(try await removed.refusal(of: whisper)?.code == .staleEpoch)
            for request: Request in [
                .append(channel: channel.id, epoch: 1, id: .random(), payload: [1]),
                .turn(channel: channel.id, epoch: 1, id: .random(), payload: [1], nextAccess: channel.access),
                .present(channel: channel.id, epoch: 1, tokens: channel.tokens), .close(channel: channel.id),
                .deposit(channel: channel.id, keyPackages: [], lastResort: nil), .withdraw(channel: channel.id),
            ] {
                #expect(try await removed.refusal(of: request)?.code == .denied, "\(request)")
            }
            await #expect(throws: RelayConnectionError.self) {
                _ = try await removed.follow(channel.id, epoch: 1, fromSeq: 1)
            }
            // All of the old epoch and nothing after its turn, whatever seq is requested.
            let follow = try await removed.follow(channel.id, epoch: 0, fromSeq: 1)
            #expect(try await follow.entries(10).map(\.seq) == [1, 2])
            let beyond = try await removed.follow(channel.id, epoch: 0, fromSeq: 3)
            #expect(try await beyond.entries(10).isEmpty)
        }
    }

    @Test("of 50 concurrent turns of one epoch, exactly one is accepted, 1,000 times over")
    func concurrentTurns() async throws {
        try await withRelay { relay in
            let (alice, first) = try await relay.connectWithChannel()
            var channel = first
            var members = [alice]
            for _ in 1..<50 { members.append(try await relay.connect()) }
            for round in 0..<1000 {
                let next = (0..<50).map { _ in channel.next() }
                let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
                    for (index, member) in members.enumerated() {
                        let (channel, next) = (channel, next[index])
                        group.addTask {
                            try await member.present(channel)
                            let turn = Request.turn(
                                channel: channel.id, epoch: channel.epoch, id: .random(), payload: [UInt8(index)],
                                nextAccess: next.access)
                            guard let refusal = try await member.refusal(of: turn) else { return index }
                            #expect(refusal.code == .staleEpoch && refusal.detail == channel.epoch + 1)
                            return nil
                        }
                    }
                    return try await group.reduce(into: [Int]()) { if let index = $1 { $0.append(index) } }
                }
                #expect(winners.count == 1, "round \(round)")
                guard let winner = winners.first else { return }
                channel = next[winner]
            }
            try await alice.present(channel)
            #expect(try await alice.append("still one channel", to: channel) == 1001)
        }
    }

    @Test("catching up over many epochs, each with its own token, misses no entry")
    func manyEpochs() async throws {
        try await withRelay { relay in
            let (alice, first) = try await relay.connectWithChannel()
            var channels = [first]
            for number in 0..<30 {
                let channel = channels[number]
                for _ in 0..<3 { try await alice.append("\(number)", to: channel) }
                let next = channel.next()
                try await alice.turn(channel, to: next)
                try await alice.present(next)
                channels.append(next)
            }
            let bob = try await relay.connect()
            var seqs: [UInt64] = []
            for channel in channels.dropLast() {
                try await bob.present(channel, [channel.read])
                let follow = try await bob.follow(channel.id, epoch: channel.epoch, fromSeq: (seqs.last ?? 0) + 1)
                seqs += try await follow.entries(100).map(\.seq)
            }
            #expect(seqs == Array(1...120))
        }
    }
}
