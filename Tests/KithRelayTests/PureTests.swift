import KithWire
import NIOCore
import Testing

@testable import KithRelay

@Suite("Token bucket, entry id window and follow")
struct PureTests {
    @Test("a bucket lets its burst through, then one at a time, and fills up again")
    func bucket() {
        var bucket = TokenBucket(burst: 3, nanosecondsEach: 100)
        for _ in 0..<3 { #expect(bucket.take(atNanoseconds: 1000) == 0) }
        #expect(bucket.take(atNanoseconds: 1000) == 100)
        #expect(bucket.take(atNanoseconds: 1099) == 1)
        #expect(bucket.take(atNanoseconds: 1100) == 0)
        #expect(bucket.take(atNanoseconds: 1100) == 100)
        for _ in 0..<3 { #expect(bucket.take(atNanoseconds: 5000) == 0) }
        #expect(bucket.take(atNanoseconds: 5000) == 100)
    }

    @Test("the hub waits awake for a while where rounds follow each other closely, and not at all where they do not")
    func linger() {
        var linger = Linger(longest: .nanoseconds(100))
        func at(_ nanoseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(nanoseconds) }
        linger.roundBegins(at: at(1000))
        linger.roundEnded(at: at(1010))
        // The first round came after a long silence.
        #expect(!linger.staysAwake(at: at(1010)))
        linger.roundBegins(at: at(1060))
        linger.roundEnded(at: at(1070))
        #expect(linger.staysAwake(at: at(1070)))
        #expect(linger.staysAwake(at: at(1169)))
        #expect(!linger.staysAwake(at: at(1170)))
        // It did not pay.
        linger.roundBegins(at: at(1300))
        linger.roundEnded(at: at(1310))
        #expect(!linger.staysAwake(at: at(1310)))
    }

    @Test("a hub that may not wait awake never does")
    func noLinger() {
        var linger = Linger(longest: .nanoseconds(0))
        let now = NIODeadline.uptimeNanoseconds(1)
        linger.roundEnded(at: now)
        linger.roundBegins(at: now)
        linger.roundEnded(at: now)
        #expect(!linger.staysAwake(at: now))
    }

    @Test("an id is known for at least its lifetime and at most about twice that")
    func window() {
        var limits = RelayLimits()
        limits.entryIDSeconds = 1
        var window = EntryIDWindow(EntryIDWindow.Bounds(limits), uptimeMs: 0)
        let ids = (0..<50).map { _ in EntryID.random() }
        for (index, id) in ids.enumerated() {
            let now = UInt64(index) * 100
            window.insert(id, seq: UInt64(index), uptimeMs: now)
            for (older, id) in ids[...index].enumerated() where now - UInt64(older) * 100 <= 1000 {
                #expect(window.seq(of: id) == UInt64(older))
            }
        }
        #expect(window.seq(of: ids[0]) == nil)
        #expect(window.count <= 21)
    }

    @Test("a window never holds more ids than its bound, and shrinking leaves the newest")
    func windowBounds() {
        var limits = RelayLimits()
        limits.channelEntries = 100
        let bounds = EntryIDWindow.Bounds(limits)
        let known = (1...300).map { (id: EntryID.random(), seq: UInt64($0)) }
        var window = EntryIDWindow(bounds, uptimeMs: 0, known: known)
        #expect(window.count == 100)
        #expect(window.seq(of: known[199].id) == nil && window.seq(of: known[200].id) == 201)
        var ids = known
        for seq: UInt64 in 301...1000 {
            ids.append((.random(), seq))
            window.insert(ids[ids.count - 1].id, seq: seq, uptimeMs: 0)
            #expect(window.count <= 100)
            for (id, seq) in ids.suffix(50) { #expect(window.seq(of: id) == seq) }
        }
        while window.canShrink { window.shrink() }
        #expect(window.count == 50)
        for (id, seq) in ids.suffix(50) { #expect(window.seq(of: id) == seq) }
    }

    @Test("a table of recent values is bounded, and keeps the last half")
    func recentTable() {
        var table = RecentTable<Int, Int>(atMost: 20)
        for number in 0..<1_000 {
            table.set(number, for: number % 300)
            #expect(table.count <= 20)
            for recent in max(0, number - 9)...number { #expect(table[recent % 300] == recent) }
        }
    }

    private func entries(_ seqs: ClosedRange<UInt64>, epoch: UInt64 = 0, turns: Bool = false) -> [Entry] {
        seqs.map {
            Entry(
                seq: $0, epoch: epoch, kind: turns && $0 == seqs.upperBound ? .turn : .message, receivedAtMs: 0,
                id: .random(), payload: [])
        }
    }

    private func follow(next: UInt64, last: UInt64, ended: Bool = false) -> Follow {
        Follow(
            requestID: 1, start: FollowStart(epoch: 0, nextSeq: next, lastSeq: last, hasEnded: ended))
    }

    @Test("a follow that is up to date sends what is committed, and ends with the turn")
    func live() {
        var follow = follow(next: 1, last: 0)
        #expect(follow.resume(canSend: true) == .nothing)
        #expect(follow.committed(entries(1...3), canSend: true) == .send)
        #expect(follow.committed(entries(4...5, turns: true), canSend: true) == .sendAndEnd)
    }

    @Test("a follow that cannot send reads the store when it can again, and then goes on live")
    func lagging() {
        var follow = follow(next: 1, last: 0)
        #expect(follow.committed(entries(1...3), canSend: false) == .nothing)
        #expect(follow.committed(entries(4...4), canSend: true) == .read(first: 1, last: 4))
        #expect(follow.committed(entries(5...5), canSend: true) == .nothing)
        let (sent, then) = follow.read(entries(1...4))
        #expect(sent.map(\.seq) == [1, 2, 3, 4] && then == .nothing)
        #expect(follow.resume(canSend: true) == .read(first: 5, last: 5))
        #expect(follow.read(entries(5...5)).send.map(\.seq) == [5])
        #expect(follow.committed(entries(6...6), canSend: true) == .send)
    }

    @Test("a reader is never given an entry of an epoch it has not proved")
    func epochBound() {
        var follow = follow(next: 1, last: 5)
        #expect(follow.resume(canSend: true) == .read(first: 1, last: 5))
        let (sent, then) = follow.read(entries(1...3, turns: true) + entries(4...5, epoch: 1))
        #expect(sent.map(\.seq) == [1, 2, 3])
        #expect(then == .end)
        var other = self.follow(next: 1, last: 0)
        #expect(other.committed(entries(1...2, epoch: 1), canSend: true) == .nothing)
    }

    @Test("entries that are gone are said to be, never passed over")
    func gone() {
        var follow = follow(next: 1, last: 9)
        _ = follow.resume(canSend: true)
        #expect(follow.read(entries(4...9)).then == .trimmed(firstSeq: 4))
        var empty = self.follow(next: 1, last: 9)
        _ = empty.resume(canSend: true)
        #expect(empty.read([]).then == .trimmed(firstSeq: 10))
    }

    @Test("a follow of an epoch that is over ends after its last entry, or at once")
    func ended() {
        var over = follow(next: 6, last: 5, ended: true)
        #expect(over.resume(canSend: false) == .end)
        var follow = follow(next: 4, last: 5, ended: true)
        #expect(follow.resume(canSend: true) == .read(first: 4, last: 5))
        #expect(follow.read(entries(4...5, turns: true)).then == .end)
    }

    @Test("a bucket of the largest size that can be asked for counts on")
    func largestBucket() {
        var bucket = TokenBucket(burst: Int(UInt32.max), nanosecondsEach: Int64(UInt32.max) * 1_000_000)
        // Even its bound is past what the clock can say.
        for _ in 0..<500 { #expect(bucket.take(atNanoseconds: 1_000_000_000) == 0) }
        for _ in 0..<500 { _ = bucket.take(atNanoseconds: 1_000_000_000) }
        #expect(bucket.take(atNanoseconds: 1_000_000_000) > 0)
    }

    @Test("a limit is set by its name, within what the protocol allows")
    func limits() {
        var limits = RelayLimits()
        for (name, value, isAllowed) in [
            ("requests-per-second", 7, true), ("no-such-limit", 7, false), ("payload", WireLimits.payload + 1, false),
            ("follows", 0, false), ("denied-ms", 0, true), ("linger-us", 0, true),
        ] {
            let isSet = limits.override(name, with: value)
            #expect(isSet == isAllowed, "\(name)")
        }
        #expect(limits.requestsPerSecond == 7)
    }
}
