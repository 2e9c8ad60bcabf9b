import Crypto
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("The clock of retention")
struct RetentionClockTests {
    private static let day: UInt64 = 86_400

    @Test("a clock that jumps ahead by 45 days and back deletes nothing; one that stays ahead is believed after a day")
    func clockJump() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock)
        hub.open(1)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        #expect(await hub.ask(.append(channel, [1]), on: 1) == .accepted(seq: 1))
        await hub.hub.expire()
        clock.jump(seconds: 45 * 86_400)
        await hub.hub.expire()
        clock.advance(seconds: 100)
        await hub.hub.expire()
        #expect(hub.metrics.clockAheadSeconds.load(ordering: .relaxed) == 45 * 86_400)
        clock.jump(seconds: -45 * 86_400)
        await hub.hub.expire()
        #expect(hub.metrics.clockAheadSeconds.load(ordering: .relaxed) == 0)
        #expect(try await hub.hub.store.head(of: channel.id)?.firstSeq == 1)
        clock.jump(seconds: 45 * 86_400)
        for _ in 0..<24 {
            await hub.hub.expire()
            #expect(try await hub.hub.store.head(of: channel.id)?.firstSeq == 1)
            clock.advance(seconds: 3_600)
        }
        await hub.hub.expire()
        #expect(try await hub.hub.store.head(of: channel.id)?.firstSeq == 2)
        try await hub.close()
    }

    @Test("a clock far ahead of the noted time is believed a day after the start, or at once if configured as trusted")
    func clockAtStart() async throws {
        let store = MemoryStore()
        let first = BareHub(store: store)
        first.open(1)
        let channel = try #require(try await first.makeChannels(1, on: 1).first)
        #expect(await first.ask(.append(channel, [1]), on: 1) == .accepted(seq: 1))
        await first.hub.expire()
        try await first.close()
        let clock = TestClock()
        clock.jump(seconds: 45 * 86_400)
        for trusts in [false, true] {
            let hub = BareHub(clock: clock, store: store)
            await hub.hub.begin(trustingClock: trusts)
            await hub.hub.expire()
            #expect(await store.head(of: channel.id)?.firstSeq == (trusts ? 2 : 1))
            try await hub.close()
        }
    }

    @Test("a record made while the clock is doubted is not taken for old once the clock is believed")
    func madeInDoubt() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock)
        hub.open(1)
        let old = try #require(try await hub.makeChannels(1, on: 1).first)
        clock.jump(seconds: 3 * 365 * 86_400)
        let inbox = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        let packages = Request.deposit(channel: inbox.id, keyPackages: [KeyPackageBytes([1])], lastResort: nil)
        #expect(await hub.ask(packages, on: 1) == .done)
        let name = try #require(Name("alice"))
        let key = Curve25519.Signing.PrivateKey()
        let record = try NameRecord(name: name, version: 1, content: [1], signedBy: key)
        #expect(await hub.register(record, on: 1) == .done)
        let present = Request.present(channel: old.id, epoch: 0, tokens: [old.read])
        #expect(await hub.refusal(of: present, on: 1) == nil)
        await hub.hub.expire()
        #expect(hub.metrics.clockAheadSeconds.load(ordering: .relaxed) > 0)
        clock.advance(seconds: 25 * 3_600)
        await hub.hub.expire()
        #expect(hub.metrics.clockAheadSeconds.load(ordering: .relaxed) == 0)
        await hub.hub.expire()
        let store = await hub.hub.store
        for channel in [old, inbox] { #expect(try await store.head(of: channel.id) != nil) }
        #expect(try await store.shelf(of: inbox.id).count == 1)
        #expect(await hub.ask(.lookup(name: name), on: 1) == .record(record.unverified))
        try await hub.close()
    }

    @Test("a night's sleep and a clock that is set back are believed at once; each larger jump is doubted for a day")
    func clockRules() {
        let hour: UInt64 = 3_600_000
        var clock = RetentionClock(noted: NotedClock(timeMs: 1_000 * hour))
        #expect(clock.now(wallMs: 1_010 * hour, uptimeMs: 5) == 1_010 * hour)
        #expect(clock.now(wallMs: 1_033 * hour, uptimeMs: 10) == 1_033 * hour)
        #expect(clock.now(wallMs: 20 * hour, uptimeMs: 10) == 20 * hour)
        #expect(clock.now(wallMs: 120 * hour, uptimeMs: 10) == 20 * hour)
        #expect(clock.now(wallMs: 140 * hour, uptimeMs: 10 + 20 * hour) == 40 * hour)
        #expect(clock.aheadMs == 100 * hour)
        #expect(clock.now(wallMs: 500 * hour, uptimeMs: 10 + 23 * hour) == 43 * hour)
        // The first jump has lasted for a day; the second has not.
        #expect(clock.now(wallMs: 502 * hour, uptimeMs: 10 + 25 * hour) == 145 * hour)
        #expect(clock.now(wallMs: 525 * hour, uptimeMs: 10 + 48 * hour) == 168 * hour)
        #expect(clock.now(wallMs: 526 * hour, uptimeMs: 10 + 49 * hour) == 526 * hour)
        #expect(clock.aheadMs == 0 && clock.noted == NotedClock(timeMs: 526 * hour))
        // A jump that is partly undone counts as another jump.
        #expect(clock.now(wallMs: 9_000 * hour, uptimeMs: 10 + 49 * hour) == 526 * hour)
        #expect(clock.now(wallMs: 1_000 * hour, uptimeMs: 10 + 72 * hour) == 549 * hour)
        #expect(clock.now(wallMs: 1_023 * hour, uptimeMs: 10 + 95 * hour) == 572 * hour)
        #expect(clock.now(wallMs: 1_024 * hour, uptimeMs: 10 + 96 * hour) == 1_024 * hour)
    }

    @Test("a doubt continues over starts and suspensions, and ends after a day of running in total")
    func doubtOverStarts() {
        let hour: UInt64 = 3_600_000
        var noted = NotedClock(timeMs: 1_000 * hour)
        // A relay that was off for 100 days, and then runs for three hours each evening, one of them suspended.
        let firstMs = 3_400 * hour
        for evening: UInt64 in 0..<9 {
            var clock = RetentionClock(noted: noted)
            let wallMs = firstMs + evening * 25 * hour
            #expect(clock.now(wallMs: wallMs, uptimeMs: 7) == (1_000 + evening * 3) * hour)
            #expect(clock.now(wallMs: wallMs + hour, uptimeMs: 7 + hour) <= firstMs + 24 * hour)
            _ = clock.now(wallMs: wallMs + 4 * hour, uptimeMs: 7 + 3 * hour)
            noted = clock.noted ?? noted
            guard evening == 7 else { continue }
            #expect(noted.timeMs == firstMs + 24 * hour)
            #expect(noted.doubt == NotedClock.Doubt(wallMs: wallMs + 4 * hour))
            break
        }
        // After another day of running, the clock's second lead is believed.
        var clock = RetentionClock(noted: noted)
        let nowMs = firstMs + 9 * 25 * hour
        #expect(clock.now(wallMs: nowMs, uptimeMs: 1) == firstMs + 24 * hour)
        #expect(clock.now(wallMs: nowMs + 25 * hour, uptimeMs: 1 + 25 * hour) > firstMs + 7 * 25 * hour)
    }

    @Test("a relay that runs for some hours a day drops old entries, and notes its doubt for the next start")
    func doubtInStore() async throws {
        let folder = TemporaryFolder()
        for store in [MemoryStore(), try openStore(folder)] as [any ChannelStore] {
            let clock = TestClock()
            let first = BareHub(clock: clock, store: store)
            first.open(1)
            let channel = try #require(try await first.makeChannels(1, on: 1).first)
            #expect(await first.ask(.append(channel, [1]), on: 1) == .accepted(seq: 1))
            await first.hub.expire()
            try await first.close()
            for evening in 1...13 {
                clock.jump(seconds: evening == 1 ? 45 * 86_400 : 79_200)
                let hub = BareHub(clock: clock, store: store)
                await hub.hub.begin(trustingClock: false)
                clock.advance(seconds: 2 * 3_600)
                await hub.hub.expire()
                #expect(try await store.head(of: channel.id)?.firstSeq == (evening < 12 ? 1 : 2), "\(evening)")
                #expect(try await store.notedClock()?.doubt?.ranMs ?? 0 <= RelayLimits.doubtedJumpMs)
                try await hub.close()
            }
            await store.close()
        }
    }

    @Test("a clock that was configured as trusted is believed at later starts, too")
    func trustedClock() async throws {
        let store = MemoryStore()
        await store.mustCommit(.noteClock(NotedClock(timeMs: 77, doubt: NotedClock.Doubt(wallMs: 99, ranMs: 5))))
        let clock = TestClock()
        for trusts in [true, false] {
            let hub = BareHub(clock: clock, store: store)
            await hub.hub.begin(trustingClock: trusts)
            #expect(hub.metrics.clockAheadSeconds.load(ordering: .relaxed) == 0)
            #expect(await store.notedClock() == NotedClock(timeMs: clock.nowMs))
            try await hub.close()
        }
    }
}
