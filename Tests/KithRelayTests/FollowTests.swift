import KithWire
import Testing

@testable import KithRelay

@Suite("A follow of a channel")
struct FollowTests {
    private func entries(_ seqs: ClosedRange<UInt64>, epoch: UInt64 = 0, turns: Bool = false) -> [Entry] {
        seqs.map {
            Entry(
                seq: $0, epoch: epoch, kind: turns && $0 == seqs.upperBound ? .turn : .message, receivedAtMs: 0,
                id: .random(), payload: [])
        }
    }

    private func follow(next: UInt64, last: UInt64, ended: Bool = false) -> FollowProgress {
        FollowProgress(
            requestID: 1, start: FollowRange(epoch: 0, nextSeq: next, lastSeq: last, hasEnded: ended))
    }

    @Test("a live follow sends committed entries, and ends with the turn")
    func live() {
        var follow = follow(next: 1, last: 0)
        #expect(follow.resume(canSend: true) == .nothing)
        #expect(follow.committed(entries(1...3), canSend: true) == .send)
        #expect(follow.committed(entries(4...5, turns: true), canSend: true) == .sendAndEnd)
    }

    @Test("a follow that could not send reads the store when it can again, and becomes live")
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

    @Test("a follower never gets an entry of an epoch whose token it has not proved")
    func epochBound() {
        var follow = follow(next: 1, last: 5)
        #expect(follow.resume(canSend: true) == .read(first: 1, last: 5))
        let (sent, then) = follow.read(entries(1...3, turns: true) + entries(4...5, epoch: 1))
        #expect(sent.map(\.seq) == [1, 2, 3])
        #expect(then == .end)
        var other = self.follow(next: 1, last: 0)
        #expect(other.committed(entries(1...2, epoch: 1), canSend: true) == .nothing)
    }

    @Test("dropped entries are reported and never skipped silently")
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
}
