import KithWire
import MLS

// The making of commits: the first intent that is ready becomes the pending turn.

extension Messenger {
    /// Makes the commit of the first intent that is ready.
    func stageNext(_ conversation: Conversation, _ loaded: Conversation.LoadedGroup) throws(KithError) {
        for intent in conversation.record.intents {
            switch try prepare(intent, conversation, loaded.group) {
            case .wait: continue
            case .done: finishAndDrop(intent, conversation)
            case .commit(let proposals, let recipients):
                do throws(KithError) {
                    try stage(intent, proposals, recipients, conversation, loaded)
                    return
                } catch {
                    dropIntent(intent.id, of: conversation, .failure(error))
                }
            }
        }
    }

    private enum Preparation {
        case wait
        case done
        case commit([Proposal], [PendingTurn.Recipient])
    }

    private func prepare(
        _ intent: Intent, _ conversation: Conversation, _ group: Group
    ) throws(KithError) -> Preparation {
        switch intent.change {
        case .renew: return .commit([], [])
        case .commitProposals:
            return group.pendingProposals.contains { $0.sender != .member(group.ownLeafIndex) }
                ? .commit([], []) : .done
        case .remove(let account):
            let leaves = group.leaves(of: account)
            return leaves.isEmpty ? .done : .commit(leaves.map { .remove($0) }, [])
        case .leave:
            try prepareLeaving(conversation, group)
            return .wait
        case .add(let targets):
            guard let ready = try keyPackages(for: targets, intent, conversation) else { return .wait }
            // An invite that was used before leads to a device that is here: there is nothing to do.
            let devices = Set(group.members.compactMap { $0.leaf.credential.deviceCertificate?.deviceID })
            let areHere = zip(targets, ready).allSatisfy { target, recipient in
                let device = recipient.keyPackage.leafNode.credential.deviceCertificate?.deviceID
                return target.trust == .invite && device.map(devices.contains) == true
            }
            if areHere, ready.count == targets.count {
                // They can be reached by the invite, if by nothing else.
                for target in targets { contacts.learnAddress(target.inbox, in: &step) }
                return .done
            }
            var proposals: [Proposal] = []
            for recipient in ready {
                guard let certificate = recipient.keyPackage.leafNode.credential.deviceCertificate else { continue }
                // A device that is new takes the place of those that the person had.
                proposals += group.leaves(of: certificate.accountKey).map { .remove($0) }
                proposals.append(.add(recipient.keyPackage))
            }
            return .commit(proposals, ready)
        }
    }

    private func stage(
        _ intent: Intent, _ proposals: [Proposal], _ recipients: [PendingTurn.Recipient], _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        let (commit, hasTree) = try commit(proposals, inviting: recipients, conversation, loaded)
        let bytes = commit.message.encoded
        var parcel: TurnReference?
        if bytes.count > sizes.turn {
            let (address, _) = try deliverParcel(bytes, intent.id, conversation)
            parcel = TurnReference(to: address, of: bytes)
        }
        let pending = PendingTurn(
            entryID: .random(from: random), commit: commit, intent: intent.id, recipients: recipients,
            hasTreeInWelcome: hasTree, parcel: parcel)
        loaded.pending = pending
        store(pending, of: conversation)
        touch(conversation)
    }

    /// Makes a commit whose Welcomes can be delivered: with the tree in them if it is small, or else with the tree in a parcel. What
    /// members put into their leaves may be large. The commit carries this device's view of the log.
    ///
    /// - Throws: ``KithError/tooLong(limit:)``.
    private func commit(
        _ proposals: [Proposal], inviting recipients: [PendingTurn.Recipient], _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) -> (commit: PendingCommit, hasTreeInWelcome: Bool) {
        var environment = environment
        var options = CommitOptions(proposals)
        options.authenticatedData = conversation.record.view?.encoded ?? []
        let isSmall = loaded.group.memberCount + recipients.count <= ClientLimits.membersWithTreeInWelcome
        for hasTree in isSmall ? [true, false] : [false] {
            environment.configuration.includesRatchetTree = hasTree
            let commit = try callingMLS { () throws(MLSError) in
                try loaded.group.commit(options, in: environment)
            }
            guard let recipient = recipients.first, case .welcome(let welcome)? = commit.welcome else {
                return (commit, hasTree)
            }
            guard hasTree || commit.ratchetTree.count <= ClientLimits.parcel else {
                throw .tooLong(limit: ClientLimits.parcel)
            }
            let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
            let length = one.map { MLSMessage.welcome($0).encoded.count } ?? 0
            if length <= (hasTree ? sizes.welcome : ClientLimits.welcome) { return (commit, hasTree) }
        }
        throw .tooLong(limit: ClientLimits.welcome)
    }
}

extension Group {
    /// The leaves of an account's devices.
    func leaves(of account: AccountKey) -> [LeafIndex] {
        members.filter { $0.leaf.credential.deviceCertificate?.accountKey == account }.map(\.index)
    }
}
