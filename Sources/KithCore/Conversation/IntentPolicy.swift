/// The next step towards a pending change of a group.
///
/// A device takes the steps of its changes in order, until one of them is a commit. A change that waits does not hold up the
/// changes behind it.
struct IntentPolicy {
    var memberCount: Int
    /// Whether proposals of others wait for a commit.
    var othersPropose: Bool
    /// Whether this device's removal was proposed in this epoch, or the proposal waits to be sent.
    var isLeavingProposed: Bool

    /// A pending change, with the facts that its step depends on.
    enum Change {
        /// Adds people, or devices of people. The candidates are in the order of the intent's targets.
        case add([Candidate])
        /// Removes a person, who may have left meanwhile.
        case remove(isMember: Bool)
        case renew
        case commitProposals
        case leave
    }

    /// The state of the key package of a person to add.
    enum Candidate {
        case notRequested
        /// The key package is on its way. `isReplacement`: the last one was not valid.
        case requested(isReplacement: Bool)
        /// The key package is here. `isMember`: an invite that was used before leads to the same device again, which is a member.
        case valid(isMember: Bool)
        /// The key package is not valid by this device's clock.
        case notValid
        /// The person can't be added.
        case failed

        /// Whether the addition can't be judged beyond this candidate: it waits, or changes, because of this one alone.
        var isDecisive: Bool {
            switch self {
            case .notRequested, .requested(isReplacement: false), .failed: true
            // The others do not wait for a person whose last key package was not valid.
            case .requested(isReplacement: true), .valid, .notValid: false
            }
        }
    }

    enum Step: Equatable {
        /// Waits for a key package, or for another member's commit.
        case wait
        /// Drops the change, because nothing is left to do.
        case drop
        /// Makes a commit; of an addition, with the candidates whose key packages are valid.
        case commit
        /// Proposes the removal of this device, which another member commits.
        case proposeLeaving
        /// Closes the channel and leaves, because no member is left to commit the removal.
        case closeChannel
        /// Requests the key packages that were not requested.
        case requestKeyPackages
        /// Gives up the candidate with this index.
        case giveUp(Int)
    }

    func step(for change: Change) -> Step {
        switch change {
        case .add(let candidates): addition(of: candidates)
        case .remove(let isMember): isMember ? .commit : .drop
        case .renew: .commit
        case .commitProposals: othersPropose ? .commit : .drop
        case .leave: memberCount < 2 ? .closeChannel : isLeavingProposed ? .wait : .proposeLeaving
        }
    }

    private func addition(of candidates: [Candidate]) -> Step {
        let first = candidates.prefix(ClientLimits.additionsPerCommit)
        if let index = first.firstIndex(where: \.isDecisive) {
            switch first[index] {
            case .notRequested: return .requestKeyPackages
            case .failed: return .giveUp(index)
            case .requested, .valid, .notValid: return .wait
            }
        }
        if candidates.allSatisfy({ if case .valid(isMember: true) = $0 { true } else { false } }) { return .drop }
        return first.contains { if case .valid = $0 { true } else { false } } ? .commit : .wait
    }
}
