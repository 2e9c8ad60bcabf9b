import KithWire
import MLS

// The lines that tell of a commit.

extension Messenger {
    func notices(
        of effect: CommitEffect, by committer: EntryRecord.Author, _ group: Group, _ conversation: Conversation
    ) throws(KithError) -> [Notice] {
        let by = name(of: committer)
        var notices: [Notice] = []
        for (_, leaf) in effect.added {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            let person = try person(certificate)
            let isReplaced = effect.removed.contains {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }
            notices.append(.added(isReplaced ? "\(person) (another device)" : person, by: by))
        }
        for (_, leaf) in effect.removed {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            if effect.added.contains(where: {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }) {
                continue
            }
            let proposed = group.pendingProposals.contains { proposal in
                guard case .member(let sender) = proposal.sender, case .remove(let target) = proposal.proposal else {
                    return false
                }
                return sender == target && group.tree[target] == leaf
            }
            let person = try person(certificate)
            notices.append(proposed ? .left(person) : .removed(person, by: by))
        }
        if notices.isEmpty { notices.append(.renewed(by: by)) }
        return notices
    }

    /// A member's name; somebody new becomes an unverified contact.
    private func person(_ certificate: DeviceCertificate) throws(KithError) -> String {
        if certificate.accountKey == profile.account.publicKey { return profile.name }
        let id = remember(certificate, trust: .unverified)
        return contacts[id]?.name ?? certificate.name
    }
}
