/// Decides the next step towards a pending change of a group.
///
/// A device goes through its changes in order, performs the next step of each, and stops at a step that is a commit. A change
/// that waits does not delay later changes.
struct IntentPolicy {
    var memberCount: Int
    /// Whether there are proposals of other members that have to be committed.
    var othersPropose: Bool
    /// Whether this device's removal was proposed in this epoch, or the proposal waits to be sent.
    var isLeavingProposed: Bool
    /// Whether this is a conversation of two that the other person has left, or is leaving. That person's device accepts no
    /// invitation to it any more.
    var isOver = false

    /// A pending change, with the facts that decide its next step.
    enum Change {
        /// Adds people, or devices of people. The candidates have the order of the intent's targets.
        case add([Candidate])
        /// Removes a person. The person may have left in the meantime.
        case remove(isMember: Bool)
        case renew
        case commitProposals
        case leave
    }

    /// The state of a person to add: whether the person's key package has arrived and is valid.
    enum Candidate {
        case notRequested
        /// The key package was requested. `isReplacement`: whether the request was made because an earlier key package was not
        /// valid.
        case requested(isReplacement: Bool)
        /// The key package has arrived and is valid. `isMember`: whether the key package's device is a member already, as after a
        /// second use of an invite.
        case valid(isMember: Bool)
        /// The key package is not valid by this device's clock.
        case notValid
        /// The person cannot be added.
        case failed

        /// Whether this candidate alone decides the next step of the addition, so that later candidates do not matter.
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
        /// Makes a commit. For an addition, the commit adds the candidates whose key packages are valid.
        case commit
        /// Proposes the removal of this device, so that another member commits it.
        case proposeLeaving
        /// Closes the channel and leaves, because no member is left to commit the removal.
        case closeChannel
        /// Requests the key packages that were not requested yet.
        case requestKeyPackages
        /// Drops the candidate with this index.
        case dropTarget(Int)
        /// Makes the addition in a new conversation.
        case beginAnew
    }

    func step(for change: Change) -> Step {
        switch change {
        case .add(let candidates): isOver ? .beginAnew : addition(of: candidates)
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
            case .failed: return .dropTarget(index)
            case .requested, .valid, .notValid: return .wait
            }
        }
        if candidates.allSatisfy({ if case .valid(isMember: true) = $0 { true } else { false } }) { return .drop }
        return first.contains { if case .valid = $0 { true } else { false } } ? .commit : .wait
    }
}
