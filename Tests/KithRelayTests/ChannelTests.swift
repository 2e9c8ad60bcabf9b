import KithClient
import KithRelay
import KithWire
import RelayTestSupport
import Testing

@Suite("Channels")
struct ChannelTests {
    @Test("a follower gets another member's entries, earlier ones and later ones")
    func appendAndFollow() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            #expect(try await alice.append("one", to: channel) == 1)
            #expect(try await alice.append("two", to: channel) == 2)
            let bob = try await relay.connect()
            #expect(try await bob.present(channel, [channel.read]) == [.read])
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            #expect(follow.lastSeq == 2)
            #expect(try await alice.append("three", to: channel) == 3)
            let entries = try await follow.entries(3)
            #expect(entries.map(\.text) == ["one", "two", "three"])
            #expect(entries.map(\.seq) == [1, 2, 3])
            #expect(entries.allSatisfy { $0.epoch == 0 && $0.kind == .message })
        }
    }

    @Test("a follow starts at the requested entry")
    func followFromMiddle() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            for number in 1...100 { try await alice.append("\(number)", to: channel) }
            let follow = try await alice.follow(channel.id, epoch: 0, fromSeq: 98)
            #expect(try await follow.entries(3).map(\.seq) == [98, 99, 100])
        }
    }

    @Test("many concurrent requests on one connection are answered in order")
    func pipelined() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let seqs = try await withThrowingTaskGroup(of: UInt64.self) { group in
                for number in 0..<2000 { group.addTask { try await alice.append("\(number)", to: channel) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(seqs.sorted() == Array(1...2000))
            let follow = try await alice.follow(channel.id, epoch: 0, fromSeq: 1)
            let entries = try await follow.entries(2000)
            #expect(entries.map(\.seq) == Array(1...2000))
            #expect(Set(entries.map(\.text)).count == 2000)
        }
    }

    @Test("creating a channel again is accepted with the same access and refused with another")
    func createTwice() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.create(channel)
            var other = KnownChannel(id: channel.id)
            other.epoch = 0
            let create = Request.create(channel: other.id, access: other.access, retentionSeconds: nil)
            #expect(try await alice.refusal(of: create)?.code == .exists)
            // The same holds after the first epoch.
            try await alice.turn(channel, to: channel.next())
            try await alice.create(channel)
            #expect(try await alice.refusal(of: create)?.code == .exists)
        }
    }

    @Test("an entry sent again is answered with its first seq and stored once")
    func repeated() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let id = EntryID.random()
            #expect(try await alice.append("once", to: channel, id: id) == 1)
            #expect(try await alice.append("other", to: channel) == 2)
            #expect(try await alice.append("once", to: channel, id: id) == 1)
            // Concurrently from two connections.
            let bob = try await relay.connect()
            try await bob.present(channel)
            let twice = EntryID.random()
            async let first = alice.append("twice", to: channel, id: twice)
            async let second = bob.append("twice", to: channel, id: twice)
            #expect(try await first == 3)
            #expect(try await second == 3)
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            #expect(try await follow.entries(3).map(\.text) == ["once", "other", "twice"])
            #expect(try await alice.append("last", to: channel) == 4)
        }
    }

    @Test("a repeated turn is answered with its first seq, although its epoch is over")
    func repeatedTurn() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let id = EntryID.random()
            let next = channel.next()
            #expect(try await alice.turn(channel, to: next, id: id) == 1)
            #expect(try await alice.turn(channel, to: next, id: id) == 1)
            let other = Request.turn(
                channel: channel.id, epoch: 0, id: .random(), payload: [], nextAccess: next.access)
            #expect(try await alice.refusal(of: other)?.code == .staleEpoch)
        }
    }

    @Test("a whisper reaches the current followers, and is stored nowhere")
    func whispers() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let bob = try await relay.connect()
            try await bob.present(channel)
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            _ = try await alice.request(.whisper(channel: channel.id, epoch: 0, payload: [1, 2, 3]))
            var iterator = follow.makeAsyncIterator()
            #expect(try await iterator.next() == .whisper([1, 2, 3]))
            #expect(try await alice.append("stored", to: channel) == 1)
            let later = try await alice.follow(channel.id, epoch: 0, fromSeq: 1)
            #expect(try await later.entries(1).map(\.text) == ["stored"])
        }
    }

    @Test("a closed channel is `gone` to clients with its tokens, and `denied` to all others")
    func close() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.append("one", to: channel)
            let bob = try await relay.connect()
            try await bob.present(channel, [channel.read, channel.append])
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            #expect(try await follow.entries(1).count == 1)
            #expect(try await bob.refusal(of: .close(channel: channel.id))?.code == .denied)
            #expect(try await alice.refusal(of: .close(channel: channel.id)) == nil)
            await #expect(throws: RelayConnectionError.self) { try await follow.entries(1) }
            let append = Request.append(channel: channel.id, epoch: 0, id: .random(), payload: [1])
            #expect(try await alice.refusal(of: append)?.code == .gone)
            let create = Request.create(channel: channel.id, access: channel.access, retentionSeconds: nil)
            #expect(try await alice.refusal(of: create)?.code == .exists)
            let later = try await relay.connect()
            let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.append])
            #expect(try await later.refusal(of: present)?.code == .gone)
            let guess = Request.present(channel: channel.id, epoch: 0, tokens: [.random()])
            #expect(try await later.refusal(of: guess)?.code == .denied)
        }
    }

    @Test("no entries are sent after an unfollow, and another follow continues")
    func unfollow() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let follow = try await alice.follow(channel.id, epoch: 0, fromSeq: 1)
            try await alice.append("one", to: channel)
            #expect(try await follow.entries(1).count == 1)
            follow.cancel()
            try await alice.append("two", to: channel)
            let again = try await alice.follow(channel.id, epoch: 0, fromSeq: 2)
            #expect(try await again.entries(1).map(\.text) == ["two"])
        }
    }
}
