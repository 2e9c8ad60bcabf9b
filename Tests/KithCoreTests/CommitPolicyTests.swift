import Testing

@testable import KithCore

@Suite("Changes that nobody asked for")
struct CommitPolicyTests {
    private static let calm = CommitPolicy(
        memberCount: 3, isChanging: false, othersPropose: false, wantsToSend: false, hasRenewed: true,
        isRenewalDue: false)

    private func changed(_ change: (inout CommitPolicy) -> Void) -> CommitPolicy {
        var policy = Self.calm
        change(&policy)
        return policy
    }

    /// The change at a time, with the time for a commit before and after.
    private func decide(
        _ policy: CommitPolicy, now: UInt64 = 1_000, commitAt: UInt64? = nil
    ) -> (change: Intent.Change?, commitAt: UInt64?) {
        var at = commitAt
        let change = policy.change(now: now, commitAt: &at) { bound in bound - 1 }
        return (change, at)
    }

    @Test("a group in which nothing is due is left alone")
    func nothing() {
        #expect(decide(Self.calm) == (nil, nil))
    }

    @Test("keys are renewed when they are due, and before the first message of a member that has just joined")
    func renewal() {
        #expect(decide(changed { $0.isRenewalDue = true }).change == .renew)
        #expect(decide(changed { $0.hasRenewed = false }).change == nil)
        let firstMessage = changed {
            $0.hasRenewed = false
            $0.wantsToSend = true
        }
        #expect(decide(firstMessage).change == .renew)
        #expect(decide(changed { $0.wantsToSend = true }).change == nil)
    }

    @Test("others' proposals wait at least 200 ms and at most 2 s for the member who commits them")
    func proposals() {
        let policy = changed { $0.othersPropose = true }
        #expect(decide(policy) == (nil, 1_000 + 200 + 1_799))
        #expect(decide(policy, now: 2_998, commitAt: 2_999) == (nil, 2_999))
        #expect(decide(policy, now: 2_999, commitAt: 2_999) == (.commitProposals, nil))
    }

    @Test("a message does not wait: the proposals are committed before it")
    func proposalsBeforeMessage() {
        let policy = changed {
            $0.othersPropose = true
            $0.wantsToSend = true
        }
        #expect(decide(policy).change == .commitProposals)
    }

    @Test("a commit of proposals goes before a renewal, which it is, too")
    func proposalsBeforeRenewal() {
        let policy = changed {
            $0.othersPropose = true
            $0.isRenewalDue = true
        }
        #expect(decide(policy, now: 3_000, commitAt: 2_999).change == .commitProposals)
    }

    @Test("a time for a commit that is past is dropped when another has committed the proposals")
    func overtaken() {
        #expect(decide(Self.calm, now: 3_000, commitAt: 2_999) == (nil, nil))
    }

    @Test("nothing is begun while such a change waits, nor by a member that is alone")
    func nothingToDo() {
        for policy in [
            changed {
                $0.isChanging = true
                $0.isRenewalDue = true
                $0.othersPropose = true
            },
            changed {
                $0.memberCount = 1
                $0.isRenewalDue = true
            },
        ] {
            #expect(decide(policy) == (nil, nil))
        }
    }
}
