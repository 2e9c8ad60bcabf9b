import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("View comparison")
struct ViewComparisonTests {
    private var comparison = ViewComparison(of: ConversationID(rawValue: 1))
    private let bob = LeafIndex(rawValue: 1)
    private let carol = LeafIndex(rawValue: 2)

    private func view(_ seq: UInt64) -> LogView {
        LogView(seq: seq, hash: [UInt8](repeating: UInt8(seq), count: 32), previous: LogView.noPrevious)
    }

    @Test("hashes are kept for one epoch")
    mutating func hashes() {
        comparison.advance(to: view(4))
        #expect(comparison.hash(at: 4) == view(4).hash && comparison.hash(at: 5) == nil)
        comparison.enterEpoch()
        #expect(comparison.hash(at: 4) == nil)
    }

    @Test("missing messages are reported once, after a number of further entries")
    mutating func gaps() {
        let limit = ClientLimits.entriesBeforeGap
        #expect(comparison.newlyMissing(of: bob, 2, at: 10) == 0)
        #expect(comparison.newlyMissing(of: bob, 2, at: 9 + limit) == 0)
        #expect(comparison.newlyMissing(of: bob, 2, at: 10 + limit) == 2)
        #expect(comparison.newlyMissing(of: bob, 2, at: 11 + limit) == 0)
        #expect(comparison.newlyMissing(of: bob, 3, at: 12 + limit) == 1)
        // One message came late; the others were reported before.
        #expect(comparison.newlyMissing(of: bob, 2, at: 12 + limit) == 0)
        #expect(comparison.newlyMissing(of: bob, 3, at: 12 + limit) == 0)
        // All messages came, so a new gap begins.
        #expect(comparison.newlyMissing(of: bob, 0, at: 13 + limit) == 0)
        #expect(comparison.newlyMissing(of: bob, 1, at: 14 + limit) == 0)
        #expect(comparison.newlyMissing(of: bob, 1, at: 14 + 2 * limit) == 1)
    }

    @Test("unreported missing messages are kept over a turn for members that stay")
    mutating func turn() {
        #expect(comparison.newlyMissing(of: bob, 1, at: 10) == 0)
        #expect(comparison.newlyMissing(of: carol, 5, at: 10) == 0)
        #expect(comparison.newlyMissing(of: bob, 1, at: 10 + ClientLimits.entriesBeforeGap) == 1)
        comparison.keepGaps(missing: { $0 == bob ? 3 : 5 }, stays: { $0 == bob })
        #expect(comparison.takeMissingAtTurn(of: bob) == 2)
        #expect(comparison.takeMissingAtTurn(of: bob) == nil && comparison.takeMissingAtTurn(of: carol) == nil)
    }

    @Test("a view that is ahead is awaited, and a later view of the same member does not delay it")
    mutating func claims() {
        comparison.claim(view(20), of: bob, at: 100)
        comparison.claim(view(30), of: bob, at: 50_000)
        comparison.claim(view(40), of: carol, at: 100)
        #expect(comparison.takeClaims(through: 19).isEmpty)
        #expect(comparison.takeClaims(through: 20) == [view(20)])
        #expect(comparison.hasClaims && comparison.due == [100 + ClientLimits.keptMs])
        comparison.restartClaims(at: 1_000)
        #expect(comparison.due == [1_000 + ClientLimits.keptMs])
        comparison.dropClaims()
        #expect(!comparison.hasClaims)
    }

    @Test("entries that the relay withholds are reported once, after the log was requested again")
    mutating func heldBack() {
        let wait = ClientLimits.keptMs
        comparison.claim(view(20), of: bob, at: 0)
        comparison.claim(view(19), of: carol, at: 0)
        var found = comparison.checkClaims(at: wait - 1)
        #expect(found.heldBack.isEmpty && !found.asksAnew)
        found = comparison.checkClaims(at: wait)
        #expect(found.heldBack.isEmpty && found.asksAnew)
        found = comparison.checkClaims(at: 2 * wait)
        #expect(found.heldBack == [20] && !found.asksAnew && !comparison.hasClaims)
    }

    @Test("a device that rejoins the log compares no earlier views")
    mutating func forget() {
        comparison.advance(to: view(4))
        comparison.claim(view(20), of: bob, at: 0)
        #expect(comparison.newlyMissing(of: bob, 1, at: 1) == 0)
        comparison.keepGaps(missing: { _ in 1 }, stays: { _ in true })
        comparison.forget()
        #expect(comparison.hash(at: 4) == nil && !comparison.hasClaims)
        #expect(comparison.takeMissingAtTurn(of: bob) == nil)
    }

    @Test(
        "a repeated warning is reported the first, tenth and hundredth time, and different logs always")
    func notices() {
        var notices = RepeatedNotices()
        let told = (1...100).filter { _ in notices.times(.notKept(seq: 1), at: 5) != nil }
        #expect(told == [1, 10, 100])
        #expect(notices.times(.notKept(seq: 1), at: 5 + ClientLimits.repeatMs) == 1)
        for _ in 0..<5 { #expect(notices.times(.differentLogs(first: 1, last: 2), at: 5) == 1) }
    }
}
