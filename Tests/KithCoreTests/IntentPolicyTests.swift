import Testing

@testable import KithCore

@Suite("Next step of a pending change")
struct IntentPolicyTests {
    private typealias Candidate = IntentPolicy.Candidate

    private func policy(
        memberCount: Int = 3, othersPropose: Bool = false, isLeavingProposed: Bool = false
    ) -> IntentPolicy {
        IntentPolicy(memberCount: memberCount, othersPropose: othersPropose, isLeavingProposed: isLeavingProposed)
    }

    @Test("a renewal is committed at once, and a change that has become pointless is dropped")
    func simpleChanges() {
        #expect(policy().step(for: .renew) == .commit)
        #expect(policy().step(for: .commitProposals) == .drop)
        #expect(policy(othersPropose: true).step(for: .commitProposals) == .commit)
        #expect(policy().step(for: .remove(isMember: true)) == .commit)
        #expect(policy().step(for: .remove(isMember: false)) == .drop)
    }

    @Test("a member proposes to leave once per epoch, and the last member closes the channel")
    func leaving() {
        for (memberCount, isProposed, step) in [
            (3, false, .proposeLeaving), (3, true, .wait), (2, false, .proposeLeaving), (2, true, .wait),
            (1, false, .closeChannel), (1, true, .closeChannel),
        ] as [(Int, Bool, IntentPolicy.Step)] {
            let policy = policy(memberCount: memberCount, isLeavingProposed: isProposed)
            #expect(policy.step(for: .leave) == step, "\(memberCount), \(isProposed)")
        }
    }

    private static let valid = Candidate.valid(isMember: false)
    private static let member = Candidate.valid(isMember: true)
    private static let requested = Candidate.requested(isReplacement: false)
    private static let replacement = Candidate.requested(isReplacement: true)

    @Test(
        "people are added once the first that is missing is here, but nobody waits for a key package that is not valid",
        arguments: [
            ([.notRequested], .requestKeyPackages), ([requested], .wait), ([replacement], .wait), ([valid], .commit),
            ([.notValid], .wait), ([.failed], .dropTarget(0)), ([], .drop),
            // The first that is missing decides.
            ([valid, .notRequested], .requestKeyPackages), ([valid, requested], .wait),
            ([valid, .failed], .dropTarget(1)),
            ([requested, .failed], .wait), ([.failed, requested], .dropTarget(0)),
            ([.notRequested, .failed], .requestKeyPackages),
            // Key packages that are not valid are left out.
            ([valid, .notValid], .commit), ([.notValid, valid], .commit), ([valid, replacement], .commit),
            ([.notValid, replacement], .wait), ([.notValid, .failed], .dropTarget(1)), ([.notValid, requested], .wait),
        ] as [([IntentPolicy.Candidate], IntentPolicy.Step)])
    func additions(candidates: [IntentPolicy.Candidate], step: IntentPolicy.Step) {
        #expect(policy().step(for: .add(candidates)) == step)
    }

    @Test("an addition is dropped if every person is a member already, and committed if one is not")
    func alreadyHere() {
        #expect(policy().step(for: .add([Self.member])) == .drop)
        #expect(policy().step(for: .add([Self.member, Self.member])) == .drop)
        #expect(policy().step(for: .add([Self.member, Self.valid])) == .commit)
        #expect(policy().step(for: .add([Self.member, .notValid])) == .commit)
        #expect(policy().step(for: .add([Self.member, Self.requested])) == .wait)
    }

    @Test("an addition to a conversation of two that the other person has left needs a new conversation")
    func over() {
        var policy = policy(memberCount: 1)
        policy.isOver = true
        for candidates in [[], [Self.valid], [Self.member], [.failed]] {
            #expect(policy.step(for: .add(candidates)) == .beginAnew)
        }
        #expect(policy.step(for: .leave) == .closeChannel)
    }

    @Test("one commit adds a limited number of people, who do not wait for those behind them")
    func limit() {
        let full = [Candidate](repeating: Self.valid, count: ClientLimits.additionsPerCommit)
        #expect(policy().step(for: .add(full + [.notRequested])) == .commit)
        #expect(policy().step(for: .add(full.dropLast() + [.notRequested])) == .requestKeyPackages)
        let members = [Candidate](repeating: Self.member, count: ClientLimits.additionsPerCommit)
        #expect(policy().step(for: .add(members)) == .drop)
        #expect(policy().step(for: .add(members + [.notRequested])) == .commit)
    }
}
