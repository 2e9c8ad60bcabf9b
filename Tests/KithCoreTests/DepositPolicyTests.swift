import Testing

@testable import KithCore

@Suite("Deposits of key packages")
struct DepositPolicyTests {
    private static let depositedAt: UInt64 = 1_750_000_000_000

    /// The policy of an open inbox, at a time after its last deposit.
    ///
    /// - Parameter ms: milliseconds since the deposit.
    private func policy(after ms: UInt64, _ change: (inout DepositPolicy) -> Void = { _ in }) -> DepositPolicy {
        var policy = DepositPolicy(
            wall: Self.depositedAt + ms, depositedAt: Self.depositedAt, isOwed: false, isHeld: false,
            isUnderWay: false, isPaused: false, isOver: false)
        change(&policy)
        return policy
    }

    private func delay(_ policy: DepositPolicy) -> UInt64? { policy.delay(isClockDoubtful: false) }

    @Test("key packages are replaced after a fixed time")
    func age() {
        let least = ClientLimits.depositMs
        for (age, isDue) in [(0, false), (least - 1, false), (least, true), (least + 1, true)] {
            let policy = policy(after: age)
            #expect(policy.isDueAtOpening == isDue && policy.isDueWhileOpen == isDue, "\(age)")
            #expect(delay(policy) == least - min(least, age), "\(age)")
        }
    }

    @Test("a deposit that is dated ahead of the clock is made anew, because one of the clocks was wrong")
    func dated() {
        let policy = policy(after: 0) { $0.depositedAt = $0.wall + ClientLimits.clockSlackMs + 1 }
        #expect(policy.isDueAtOpening && policy.isDueWhileOpen && delay(policy) == 0)
    }

    @Test("the first deposit is made when the inbox is opened, and not again until the relay has answered")
    func first() {
        let first = policy(after: 0) { $0.depositedAt = 0 }
        #expect(first.isDueAtOpening && !first.isDueWhileOpen && delay(first) == nil)
        #expect(delay(policy(after: 0) { $0.isUnderWay = true }) == nil)
    }

    @Test("a deposit that the relay has not accepted is repeated at the next opening")
    func owed() {
        let owed = policy(after: 0) { $0.isOwed = true }
        #expect(owed.isDueAtOpening && !owed.isDueWhileOpen && delay(owed) == ClientLimits.depositMs)
    }

    @Test("a deposit that was put off is made as soon as the clocks agree")
    func held() {
        let held = policy(after: 0) { $0.isHeld = true }
        #expect(held.isDueAtOpening && held.isDueWhileOpen && delay(held) == 0)
        #expect(held.delay(isClockDoubtful: true) == ClientLimits.clockRecheckMs)
    }

    @Test("nothing is deposited in an inbox whose invite is over, nor during a pause")
    func none() {
        let over = policy(after: 2 * ClientLimits.depositMs) { $0.isOver = true }
        #expect(!over.isDueAtOpening && !over.isDueWhileOpen && delay(over) == nil)
        let paused = policy(after: 2 * ClientLimits.depositMs) { $0.isPaused = true }
        #expect(!paused.isDueWhileOpen && delay(paused) == nil && paused.isDueAtOpening)
        #expect(policy(after: 0) { ($0.isOver, $0.isOwed, $0.depositedAt) = (true, true, 0) }.isDueAtOpening == false)
    }
}
