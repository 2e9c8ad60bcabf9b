import Testing

@testable import KithCore

@Suite("Commits that a device makes by itself")
struct CommitPolicyTests {
    private static let calm = CommitPolicy(
        memberCount: 3, isChanging: false, othersPropose: false, wantsToSend: false, hasRenewed: true,
        isRenewalDue: false)

    private func changed(_ change: (inout CommitPolicy) -> Void) -> CommitPolicy {
        var policy = Self.calm
        change(&policy)
        return policy
    }

    /// Returns the change at a time, and the time of the commit after that, given the time of the commit before.
    private func decide(
        _ policy: CommitPolicy, now: UInt64 = 1_000, commitAt: UInt64? = nil
    ) -> (change: Intent.Change?, commitAt: UInt64?) {
        var at = commitAt
        let change = policy.change(now: now, commitAt: &at) { bound in bound - 1 }
        return (change, at)
    }

    @Test("nothing is committed if nothing is due")
    func nothing() {
        #expect(decide(Self.calm) == (nil, nil))
    }

    @Test("keys are renewed when due, and before the first message of a new member")
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

    @Test("others' proposals are committed after 200 ms to 2 s")
    func proposals() {
        let policy = changed { $0.othersPropose = true }
        #expect(decide(policy) == (nil, 1_000 + 200 + 1_799))
        #expect(decide(policy, now: 2_998, commitAt: 2_999) == (nil, 2_999))
        #expect(decide(policy, now: 2_999, commitAt: 2_999) == (.commitProposals, nil))
    }

    @Test("others' proposals are committed at once before a message")
    func proposalsBeforeMessage() {
        let policy = changed {
            $0.othersPropose = true
            $0.wantsToSend = true
        }
        #expect(decide(policy).change == .commitProposals)
    }

    @Test("a commit of proposals replaces a renewal")
    func proposalsBeforeRenewal() {
        let policy = changed {
            $0.othersPropose = true
            $0.isRenewalDue = true
        }
        #expect(decide(policy, now: 3_000, commitAt: 2_999).change == .commitProposals)
    }

    @Test("the time of a commit is dropped when another member has committed the proposals")
    func overtaken() {
        #expect(decide(Self.calm, now: 3_000, commitAt: 2_999) == (nil, nil))
    }

    @Test("nothing is committed while such a change is pending, nor in a group of one member")
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
