import KithClient
import KithRelay
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@Suite("Store failures and limits")
struct StoreFailureTests {
    @Test("a full disk refuses appends, reads still work, and the relay recovers without a restart")
    func diskFull() async throws {
        let store = FailingStore(MemoryStore())
        try await withRelay(store: store) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.append("before", to: channel)
            let bob = try await relay.connect()
            try await bob.present(channel)
            let live = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            for failure in [StoreFailure.full, .io("disk I/O error")] {
                store.fail(with: failure)
                let id = EntryID.random()
                let append = Request.append(channel: channel.id, epoch: 0, id: id, payload: Array("after".utf8)[...])
                let expected: RelayError.Code = failure == .full ? .full : .unavailable
                #expect(try await alice.refusal(of: append)?.code == expected)
                let turn = Request.turn(
                    channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.next().access)
                #expect(try await alice.refusal(of: turn)?.code == expected)
                let create = KnownChannel()
                #expect(
                    try await alice.refusal(
                        of: .create(channel: create.id, access: create.access, retentionSeconds: nil))?.code == expected
                )
                // Reads still work.
                let reader = try await relay.connect()
                try await reader.present(channel)
                let follow = try await reader.follow(channel.id, epoch: 0, fromSeq: 1)
                #expect(try await follow.entries(1).map(\.text) == ["before"])
                store.recover()
            }
            #expect(try await alice.append("after", to: channel) == 2)
            #expect(try await live.entries(2).map(\.text) == ["before", "after"])
        }
    }

    @Test("requests over the rate are answered later and not refused", .timeLimit(.minutes(5)))
    func tooFast() async throws {
        try await withRelay(limits: {
            $0.requestsPerSecond = 50
            $0.requestBurst = 20
        }) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let refusals = try await withThrowingTaskGroup(of: RelayError?.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await alice.refusal(
                            of: .append(channel: channel.id, epoch: 0, id: .random(), payload: [1]))
                    }
                }
                return try await group.reduce(into: [RelayError]()) { if let refusal = $1 { $0.append(refusal) } }
            }
            #expect(refusals.isEmpty)
            #expect(try await alice.append("later", to: channel) == 61)
        }
    }

    @Test("an address has a limit of connections, and another fits when one closes")
    func perAddress() async throws {
        try await withRelay(limits: { $0.connectionsPerAddress = 3 }) { relay in
            var connections: [RelayConnection] = []
            for _ in 0..<3 { connections.append(try await relay.connect()) }
            await #expect(throws: RelayConnectionError.self) { try await relay.connect() }
            await connections.removeLast().close()
            try await eventually("the relay accepts another") { (try? await relay.connect()) != nil }
        }
    }

    @Test("a payload over the relay's own limit is refused and the connection stays open")
    func tooLarge() async throws {
        try await withRelay(limits: { $0.payload = 1000 }) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            #expect(alice.welcome.limits.payload == 1000)
            let append = Request.append(
                channel: channel.id, epoch: 0, id: .random(), payload: [UInt8](repeating: 1, count: 1001)[...])
            #expect(try await alice.refusal(of: append)?.code == .tooLarge)
            #expect(try await alice.append("short", to: channel) == 1)
        }
    }

    @Test("a channel over its size loses its oldest entries, and a follow of dropped entries is told `trimmed`")
    func trimmed() async throws {
        try await withRelay(limits: { $0.channelEntries = 100 }) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            for number in 1...200 { try await alice.append("\(number)", to: channel) }
            let refusal = await #expect(throws: RelayConnectionError.self) {
                _ = try await alice.follow(channel.id, epoch: 0, fromSeq: 1)
            }
            guard case .refused(let error) = refusal else {
                Issue.record("no refusal")
                return
            }
            #expect(error.code == .trimmed)
            #expect((101...110).contains(error.detail))
            let follow = try await alice.follow(channel.id, epoch: 0, fromSeq: error.detail)
            #expect(try await follow.entries(Int(201 - error.detail)).last?.seq == 200)
        }
    }

    @Test("an evicted channel is loaded again, with its entry ids")
    func reloaded() async throws {
        try await withRelay(limits: { $0.cachedChannels = 2 }) { relay in
            let alice = try await relay.connect()
            var channels: [(KnownChannel, EntryID)] = []
            for number in 0..<20 {
                let channel = KnownChannel()
                try await alice.create(channel)
                try await alice.present(channel)
                let id = EntryID.random()
                #expect(try await alice.append("\(number)", to: channel, id: id) == 1)
                channels.append((channel, id))
            }
            for (channel, id) in channels {
                #expect(try await alice.append("again", to: channel, id: id) == 1)
                #expect(try await alice.append("more", to: channel) == 2)
            }
        }
    }

    @Test("entries past their retention are dropped, and followers are told")
    func retention() async throws {
        let clock = TestClock()
        let store = MemoryStore()
        try await withRelay(store: store, clock: clock) { relay in
            let alice = try await relay.connect()
            let channel = KnownChannel()
            try await alice.create(channel, retentionSeconds: 3600)
            try await alice.present(channel)
            try await alice.append("old", to: channel)
            clock.advance(seconds: 3000)
            try await alice.append("newer", to: channel)
            clock.advance(seconds: 1000)
            let expired = await store.expire(nowMs: clock.nowMs)
            #expect(expired.map(\.firstSeq) == [2])
            let follow = try await alice.follow(channel.id, epoch: 0, fromSeq: 2)
            #expect(try await follow.entries(1).map(\.text) == ["newer"])
        }
    }

    @Test(
        "with a slow store that another relay writes, too, no entry is lost, doubled or out of order")
    func contended() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("contended store: seed \(seed)")
        let store = ContendedStore(seed: seed)
        try await withRelay(store: store) { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            let bob = try await relay.connect()
            try await bob.present(channel)
            let follow = try await bob.follow(channel.id, epoch: 0, fromSeq: 1)
            let accepted = try await withThrowingTaskGroup(of: (UInt64, String).self) { group in
                for number in 0..<300 {
                    group.addTask { (try await alice.append("\(number)", to: channel), "\(number)") }
                    // Spreads the requests over several commits. No result depends on how they are spread.
                    if number % 20 == 0 { try await Task.sleep(for: .milliseconds(2)) }
                }
                return try await group.reduce(into: [UInt64: String]()) { $0[$1.0] = $1.1 }
            }
            #expect(accepted.count == 300)
            #expect(store.foreignEntries > 0)
            let turned = try await alice.turn(channel, to: channel.next())
            #expect(turned == UInt64(301 + store.foreignEntries))
            let entries = try await follow.entries(Int(turned))
            #expect(entries.map(\.seq) == Array(1...turned))
            for (seq, text) in accepted { #expect(entries[Int(seq) - 1].text == text) }
        }
    }
}
