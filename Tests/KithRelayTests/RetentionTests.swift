import Crypto
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("Retention and budgets")
struct RetentionTests {
    private static let day: UInt64 = 86_400

    @Test("a store that fills up first refuses new data, then letters and recent channels, then old conversations")
    func levels() async throws {
        let clock = TestClock()
        let store = FailingStore(MemoryStore())
        let hub = BareHub(clock: clock, store: store) { $0.storeMiB = 100 }
        hub.open(1)
        let old = try #require(try await hub.makeChannels(1, on: 1).first)
        let oldInbox = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        clock.advance(seconds: 8 * Self.day)
        let late = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        let deposit = Request.deposit(channel: late.id, keyPackages: [KeyPackageBytes([1])], lastResort: nil)
        let (name, taken) = try (#require(Name("new")), #require(Name("taken")))
        let key = Curve25519.Signing.PrivateKey()
        func record(_ name: Name, _ version: UInt64) throws -> NameRecord {
            try NameRecord(name: name, version: version, content: [1], signedBy: key)
        }
        #expect(await hub.register(try record(taken, 1), on: 1) == .done)
        func refusals(_ mib: UInt64) async throws -> [RelayError.Code?] {
            store.pretend(StoreSpace(usedBytes: mib << 20, freeBytes: 1 << 40))
            await hub.hub.checkSpace()
            let other = KnownChannel()
            return [
                await hub.refusal(
                    of: .create(channel: other.id, access: other.access, retentionSeconds: nil), on: 1),
                await hub.refusal(of: deposit, on: 1),
                await hub.register(try record(name, mib), on: 1).refusal,
                await hub.refusal(of: .append(late, [1]), on: 1),
                await hub.refusal(of: .append(oldInbox, [1]), on: 1),
                await hub.refusal(of: .append(old, [1]), on: 1),
            ]
        }
        #expect(try await refusals(90) == [.full, .full, .full, nil, nil, nil])
        #expect(await hub.register(try record(taken, 2), on: 1) == .done)
        #expect(try await refusals(95) == [.full, .full, .full, .full, .full, nil])
        #expect(try await refusals(100) == [.full, .full, .full, .full, .full, .full])
        #expect(await hub.hub.unreadiness() == "the store is full")
        // Requests that free room are accepted.
        #expect(await hub.ask(.trim(channel: late.id, throughSeq: 9), on: 1) == .done)
        #expect(await hub.ask(.close(channel: late.id), on: 1) == .done)
        #expect(try await refusals(10) == [nil, .gone, nil, .gone, nil, nil])
        try await hub.close()
    }

    @Test("an address that has used up its daily budget waits, also on a new connection; others do not")
    func budgets() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock) {
            $0.addressMiBPerDay = 1
            $0.addressChannelsPerDay = 3
            $0.addressNamesPerDay = 2
            $0.addressKeyPackagesPerDay = 5
            $0.inboxAddresses = 1
        }
        hub.open(1, from: "hostile")
        hub.open(2, from: "other")
        let channels = try await hub.makeChannels(3, .inbox, on: 1)
        let more = KnownChannel()
        let create = Request.create(channel: more.id, access: more.access, retentionSeconds: nil)
        #expect(await hub.refusal(of: create, on: 1) == .tooFast)
        hub.hub.submit([HubEvent(connection: 1, event: .closed)])
        hub.open(3, from: "hostile")
        #expect(await hub.refusal(of: create, on: 3) == .tooFast)
        _ = try await hub.makeChannels(1, on: 2)

        let inbox = channels[0]
        let present = Request.present(channel: inbox.id, epoch: 0, tokens: inbox.tokens)
        for connection: ConnectionNumber in 2...3 { #expect(await hub.refusal(of: present, on: connection) == nil) }
        let packages = (0..<3).map { KeyPackageBytes([$0]) }
        let deposit = Request.deposit(channel: inbox.id, keyPackages: packages, lastResort: nil)
        for expected in [nil, nil, .tooFast] as [RelayError.Code?] {
            #expect(await hub.refusal(of: deposit, on: 3) == expected)
        }
        let letter = [UInt8](repeating: 1, count: 250_000)
        for _ in 0..<5 { #expect(await hub.refusal(of: .append(inbox, letter), on: 3) == nil) }
        #expect(await hub.refusal(of: .append(inbox, letter), on: 3) == .tooFast)
        #expect(await hub.refusal(of: .append(inbox, letter), on: 2) == nil)

        let key = Curve25519.Signing.PrivateKey()
        let tries: [(String, UInt64, RelayError.Code?)] = [
            ("a", 1, nil), ("b", 1, nil), ("c", 1, .tooFast), ("a", 2, nil),
        ]
        for (text, version, expected) in tries {
            let name = try #require(Name(text))
            let record = try NameRecord(name: name, version: version, content: [1], signedBy: key)
            #expect(await hub.register(record, on: 3).refusal == expected)
        }
        clock.advance(seconds: Self.day)
        #expect(await hub.refusal(of: create, on: 3) == nil)
        #expect(await hub.refusal(of: .append(inbox, letter), on: 3) == nil)
        try await hub.close()
    }

    @Test("addresses in an IPv6 site have budgets of their own, and share eight times as much")
    func siteBudgets() async throws {
        let hub = BareHub { $0.addressChannelsPerDay = 2 }
        func created(_ connection: ConnectionNumber, from source: ClientSource) async -> Int {
            hub.open(connection, from: source)
            var count = 0
            for _ in 0..<3 {
                let channel = KnownChannel()
                let create = Request.create(channel: channel.id, access: channel.access, retentionSeconds: nil)
                if await hub.refusal(of: create, on: connection) == nil { count += 1 }
            }
            return count
        }
        for number in 1...10 as ClosedRange<ConnectionNumber> {
            let source = ClientSource(address: "address \(number)", site: "site")
            #expect(await created(number, from: source) == (number <= 8 ? 2 : 0))
            // The site's debt is remembered, whichever of its addresses are connected.
            hub.hub.submit([HubEvent(connection: number, event: .closed)])
        }
        #expect(await created(11, from: ClientSource(address: "address 11", site: "other")) == 2)
        try await hub.close()
    }

    @Test("a name that is not renewed is not found after a year, reserved for its key for another, and then free")
    func names() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock)
        hub.open(1)
        let name = try #require(Name("alice"))
        let (key, other) = (Curve25519.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
        func record(_ version: UInt64, _ key: Curve25519.Signing.PrivateKey) throws -> NameRecord {
            try NameRecord(name: name, version: version, content: [1], signedBy: key)
        }
        func years(_ count: Double) { clock.advance(seconds: UInt64(count * 365 * 86_400)) }
        let (first, second, thief) = try (record(1, key), record(2, key), record(1, other))
        #expect(await hub.register(first, on: 1) == .done)
        years(0.9)
        #expect(await hub.ask(.lookup(name: name), on: 1) == .record(first.unverified))
        years(0.2)
        #expect(await hub.refusal(of: .lookup(name: name), on: 1) == .notFound)
        #expect(await hub.register(thief, on: 1).refusal == .exists)
        // Any client can send an old record again.
        #expect(await hub.register(first, on: 1).refusal == .exists)
        #expect(await hub.register(second, on: 1) == .done)
        #expect(await hub.ask(.lookup(name: name), on: 1) == .record(second.unverified))
        years(1.9)
        #expect(await hub.register(thief, on: 1).refusal == .exists)
        years(0.2)
        #expect(await hub.register(thief, on: 1) == .done)
        years(2.1)
        #expect(await hub.refusal(of: .lookup(name: name), on: 1) == .notFound)
        for _ in 0..<2 { await hub.hub.expire() }
        clock.advance(seconds: 90_000)
        await hub.hub.expire()
        #expect(try await hub.hub.store.record(under: name) == nil)
        try await hub.close()
    }

    @Test("an unused channel without entries is forgotten; one that is followed or used is not")
    func idleChannels() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock)
        hub.open(1)
        let channels = try await hub.makeChannels(5, on: 1)
        let (unused, followed, used, closed, written) = (
            channels[0], channels[1], channels[2], channels[3], channels[4]
        )
        #expect(await hub.refusal(of: .follow(channel: followed.id, epoch: 0, fromSeq: 1), on: 1) == nil)
        #expect(await hub.ask(.close(channel: closed.id), on: 1) == .done)
        for _ in 0..<13 {
            clock.advance(seconds: 10 * Self.day)
            let present = Request.present(channel: used.id, epoch: 0, tokens: [used.read])
            #expect(await hub.refusal(of: present, on: 1) == nil)
            #expect(await hub.refusal(of: .append(written, [1]), on: 1) == nil)
            await hub.hub.expire()
        }
        let store = await hub.hub.store
        #expect(try await store.head(of: unused.id) == nil)
        #expect(try await store.head(of: closed.id) == nil)
        #expect(try await store.head(of: used.id) != nil)
        #expect(try await store.head(of: followed.id) != nil)
        #expect(try await store.head(of: written.id)?.lastSeq == 13)
        #expect(await hub.refusal(of: .append(unused, [1]), on: 1) == .denied)
        try await hub.close()
    }

    @Test("a resting conversation is kept for two years after its last use")
    func quietConversation() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock)
        hub.open(1)
        let (quiet, tried) = (
            try #require(try await hub.makeChannels(1, on: 1).first),
            try #require(try await hub.makeChannels(1, on: 1).first)
        )
        func use(_ channel: KnownChannel) async {
            let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.read])
            #expect(await hub.refusal(of: present, on: 1) == nil)
        }
        clock.advance(seconds: 6 * Self.day)
        await use(tried)
        clock.advance(seconds: 2 * Self.day)
        #expect(await hub.ask(.append(quiet, [1]), on: 1) == .accepted(seq: 1))
        let store = await hub.hub.store
        func days(_ count: Int) async {
            // Each step is too small for the clock to be doubted.
            for _ in 0..<count {
                clock.advance(seconds: Self.day)
                await hub.hub.expire()
            }
        }
        await days(150)
        #expect(try await store.head(of: tried.id) == nil)
        #expect(try await store.head(of: quiet.id)?.hasEntries == false)
        await days(579)
        #expect(try await store.head(of: quiet.id) != nil)
        await days(2)
        #expect(try await store.head(of: quiet.id) == nil)
        try await hub.close()
    }
}
