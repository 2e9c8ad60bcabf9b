import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("The hub's thread and memory")
struct HubTests {
    @Test(
        "other work on the hub's thread runs between two rounds, however full the queue is", .timeLimit(.minutes(5)))
    func turnsBetweenRounds() async throws {
        let hub = BareHub()
        // Every answer triggers the next request before the round is over, so another round always follows.
        hub.forEachAnswer { hub.submit(.ping, on: 1) }
        hub.open(1)
        hub.open(2)
        #expect(await hub.hub.unreadiness() == nil)
        let name = try #require(Name("nobody"))
        let reply = await hub.ask(.lookup(name: name), on: 2)
        guard case .error(let error) = reply else { throw UnexpectedReply(reply) }
        #expect(error.code == .notFound)
        try await hub.close()
    }

    @Test("the count of entry ids in memory is exact after ids expire and channels leave")
    func exactCount() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock) {
            $0.entryIDSeconds = 100
            $0.cachedEntryIDs = 60
        }
        hub.open(1)
        let channels = try await hub.makeChannels(3, on: 1)
        for _ in 0..<10 {
            clock.advance(seconds: 60)
            for channel in channels {
                for _ in 0..<5 { _ = await hub.ask(.append(channel, [1]), on: 1) }
                #expect(await hub.hub.countedEntryIDs == hub.metrics.cachedEntryIDs.load(ordering: .relaxed))
            }
        }
        #expect(hub.metrics.cachedEntryIDs.load(ordering: .relaxed) <= 60)
        for channel in channels { #expect(await hub.ask(.close(channel: channel.id), on: 1) == .done) }
        #expect(await hub.hub.countedEntryIDs == 0)
        #expect(hub.metrics.cachedEntryIDs.load(ordering: .relaxed) == 0)
        try await hub.close()
    }

    @Test("a channel used in every round holds no more entry ids than its share of the total")
    func idsOfOneChannel() async throws {
        let hub = BareHub { $0.cachedEntryIDs = 100 }
        hub.open(1)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        var last = Request.ping
        for seq: UInt64 in 1...2_000 {
            last = .append(channel, [1])
            #expect(await hub.ask(last, on: 1) == .accepted(seq: seq))
            #expect(hub.metrics.cachedEntryIDs.load(ordering: .relaxed) <= 25)
        }
        #expect(await hub.ask(last, on: 1) == .accepted(seq: 2_000))
        try await hub.close()
    }

    @Test("channels used in every round hold no more entry ids than the total, and still recognise repeated entries")
    func idsOfAllChannels() async throws {
        let hub = BareHub { $0.cachedEntryIDs = 200 }
        hub.open(1)
        let channels = try await hub.makeChannels(40, on: 1)
        for _ in 0..<30 {
            let appends = channels.map { Request.append($0, [1]) }
            let frames = appends.map { ClientFrame(requestID: 0, request: $0) }
            hub.hub.submit(frames.map { HubEvent(connection: 1, event: .request($0)) })
            // Rounds that reload evicted ids exceed the total slightly.
            let seqs = await hub.ask(appends[39], on: 1)
            guard case .accepted = seqs else { throw UnexpectedReply(seqs) }
            #expect(await hub.ask(appends[39], on: 1) == seqs)
            for _ in 0..<3 { _ = await hub.ask(.ping, on: 1) }
            #expect(hub.metrics.cachedEntryIDs.load(ordering: .relaxed) <= 200)
            #expect(await hub.hub.countedEntryIDs == hub.metrics.cachedEntryIDs.load(ordering: .relaxed))
        }
        for channel in channels {
            let head = try #require(try await hub.hub.store.head(of: channel.id))
            #expect(head.lastSeq == 30)
        }
        try await hub.close()
    }

    @Test("channels over the limit are evicted, except followed ones")
    func forgetting() async throws {
        let hub = BareHub { $0.cachedChannels = 10 }
        hub.open(1)
        let followed = try await hub.makeChannels(20, on: 1)
        for channel in followed {
            _ = await hub.ask(.follow(channel: channel.id, epoch: 0, fromSeq: 1), on: 1)
        }
        let others = try await hub.makeChannels(100, on: 1)
        // One round evicts some channels, so this may take several rounds.
        for _ in 0..<50 { _ = await hub.ask(.ping, on: 1) }
        let ids = await hub.hub.channelsInMemory
        #expect(ids.count <= 30)
        #expect(followed.allSatisfy { ids.contains($0.id) })
        #expect(hub.metrics.cachedChannels.load(ordering: .relaxed) == ids.count)
        for channel in others { #expect(await hub.ask(.append(channel, [1]), on: 1) == .accepted(seq: 1)) }
        try await hub.close()
    }

    @Test("an append to a closed channel that has to be loaded is refused as `gone`", .timeLimit(.minutes(5)))
    func closedAndCold() async throws {
        let hub = BareHub()
        hub.open(1)
        hub.open(2)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        #expect(await hub.ask(.present(channel: channel.id, epoch: 0, tokens: channel.tokens), on: 2) != .done)
        #expect(await hub.ask(.close(channel: channel.id), on: 1) == .done)
        for _ in 0..<2 {
            guard case .error(let error) = await hub.ask(.append(channel, [1]), on: 2) else {
                Issue.record("the append was not refused")
                return
            }
            #expect(error.code == .gone)
        }
        try await hub.close()
    }

    @Test("a create behind an append to a forgotten channel creates it again", .timeLimit(.minutes(5)))
    func createBehindAppend() async throws {
        let hub = BareHub()
        hub.open(1)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        #expect(await hub.ask(.close(channel: channel.id), on: 1) == .done)
        let head = try #require(try await hub.hub.store.head(of: channel.id))
        #expect(await hub.hub.store.commit([.forget(channel: channel.id, usedMs: head.usedMs)]) == [.committed])
        let create = Request.create(channel: channel.id, access: channel.access, retentionSeconds: nil)
        let replies = await hub.askAtOnce([(1, .append(channel, [1])), (1, create)])
        #expect(replies == [.error(.denied), .done])
        #expect(await hub.ask(.append(channel, [1]), on: 1) == .accepted(seq: 1))
        try await hub.close()
    }

    @Test("the cost of an eviction does not depend on the number of channels, and departed ones leave the queue")
    func boundedLooking() {
        var queue = SecondChanceQueue<Int>()
        for number in 0..<10_000 { queue.enter(number) }
        var asked = 0
        let none = queue.next { _ in
            asked += 1
            return false
        }
        #expect(none == nil && asked <= 16)
        #expect(queue.next { $0 == 20 } == 20)

        var left = SecondChanceQueue<Int>()
        for number in 0..<10_000 {
            left.enter(number)
            left.keepFew(beside: 1) { $0 == number }
            #expect(left.count <= 64)
        }
    }
}

@Suite("Loading entry ids")
struct LoadingTests {
    @Test("an address with too many loaded ids waits; loaded ids stay, and requests without a need for ids load none")
    func charged() async throws {
        let clock = TestClock()
        let store = FailingStore(MemoryStore())
        let (a, b) = (KnownChannel(), KnownChannel())
        let first = EntryID.random()
        try await withRelay(store: store, clock: clock) { relay in
            let alice = try await relay.connect()
            for channel in [a, b] {
                try await alice.create(channel)
                try await alice.present(channel)
                try await alice.append("first", to: channel, id: channel.id == a.id ? first : .random())
                for _ in 1..<100 { try await alice.append("more", to: channel) }
            }
        }
        // Another relay on the same store has an empty memory.
        try await withRelay(
            store: store,
            limits: {
                $0.loadedEntryIDs = 100
                $0.loadedEntryIDsPerSecond = 1
            }, clock: clock
        ) { relay in
            let alice = try await relay.connect()
            for channel in [a, b] { try await alice.present(channel) }
            #expect(try await alice.append("again", to: a, id: first) == 1)
            #expect(try await alice.append("more", to: a) == 101)
            let append = Request.append(channel: b.id, epoch: 0, id: .random(), payload: [1])
            let refusal = try await alice.refusal(of: append)
            #expect(refusal?.code == .tooFast && (refusal?.retryAfterMs ?? 0) > 0)
            #expect(try await alice.refusal(of: .whisper(channel: b.id, epoch: 0, payload: [1])) == nil)
            // A full disk does not cause another load.
            store.fail(with: .full)
            let more = Request.append(channel: a.id, epoch: 0, id: .random(), payload: [1])
            #expect(try await alice.refusal(of: more)?.code == .full)
            store.recover()
            #expect(try await alice.append("more", to: a) == 102)
            clock.advance(seconds: 1)
            #expect(try await alice.append("now", to: b) == 101)
        }
    }

    @Test("each address is charged for its own loads, and its debt passes with time")
    func charges() {
        var limits = RelayLimits()
        limits.loadedEntryIDs = 10
        limits.loadedEntryIDsPerSecond = 10
        var charges = SourceBuckets(ofLoadedEntryIDs: limits)
        #expect(charges.wait(of: "a", atNanoseconds: 0) == 0)
        charges.charge(30, to: "a", atNanoseconds: 0)
        #expect(charges.wait(of: "a", atNanoseconds: 0) == 2_100_000_000)
        #expect(charges.wait(of: "b", atNanoseconds: 0) == 0)
        #expect(charges.wait(of: "a", atNanoseconds: 2_100_000_000) == 0)
        charges.charge(.max, to: "a", atNanoseconds: 3_000_000_000)
        charges.charge(.max, to: "a", atNanoseconds: 3_000_000_000)
        #expect(charges.wait(of: "a", atNanoseconds: 4_000_000_000) > 0)
    }
}
