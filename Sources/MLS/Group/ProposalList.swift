/// A proposal in a commit, with its sender and origin (RFC 9420 §12.4).
struct CommittedProposal: Sendable {
    let proposal: Proposal
    let sender: Sender
    let isByReference: Bool
    let ownUpdate: ProposalCache.OwnUpdate?
}

/// The client that has created the commit.
enum Committer {
    case member(LeafIndex)
    /// A client that joins with an external commit. The joiner is nil if the commit has no path. An external commit without a
    /// path is refused.
    case external(Joiner?)

    /// The parts of a joiner's leaf that are needed before the check of the whole leaf.
    struct Joiner {
        let credential: Credential
        /// The joiner's key. Nil if this client is the joiner: the client chooses its own key later.
        let encryptionKey: HPKEPublicKey?
    }
}

/// The effect of a valid list of proposals on a group (RFC 9420 §12.3).
struct AppliedProposals: Sendable {
    var tree: RatchetTree
    var extensions: [Extension]
    var added: [(index: LeafIndex, keyPackage: KeyPackage)] = []
    var updated: [(index: LeafIndex, old: LeafNode, new: LeafNode)] = []
    var removed: [(index: LeafIndex, leaf: LeafNode)] = []
    var preSharedKeys: [PreSharedKeyID] = []
    var externalInit: [UInt8]?
    var reInit: ReInit?
    var requiresPath: Bool
    var ownUpdate: ProposalCache.OwnUpdate?

    var addedLeaves: Set<LeafIndex> { Set(added.map(\.index)) }
}

/// Checks and applies a list of proposals (RFC 9420 §12.2, §12.3), for the committer and for receivers.
struct ProposalList {
    let group: GroupView
    let committer: Committer
    let environment: MLSEnvironment
    /// The allowed usage of a resumption PSK in the commit (§12.1.4). A reinitialization allows `reInit`, and a branching allows
    /// `branch`. The value is nil for a commit that neither reinitializes nor branches a group.
    let allowedUsage: ResumptionUsage?
    let isSending: Bool

    /// The group's state for the check of the list. A joiner needs this type: a joiner has no ``Group`` yet.
    struct GroupView {
        let algorithms: Algorithms
        let context: GroupContext
        let tree: RatchetTree
    }

    /// Finds the proposals to which a commit refers (§12.4).
    static func resolve(
        _ list: [ProposalOrRef], _ cache: ProposalCache, sender: Sender
    ) throws(MLSError) -> [CommittedProposal] {
        var committed: [CommittedProposal] = []
        committed.reserveCapacity(list.count)
        for item in list {
            switch item {
            case .proposal(let proposal):
                committed.append(
                    CommittedProposal(proposal: proposal, sender: sender, isByReference: false, ownUpdate: nil))
            case .reference(let reference):
                guard let entry = cache[reference] else { throw .proposals(.unknownReference) }
                committed.append(
                    CommittedProposal(
                        proposal: entry.proposal, sender: entry.sender, isByReference: true,
                        ownUpdate: entry.ownUpdate))
            }
        }
        return committed
    }

    /// Checks the list and applies its proposals in the order of §12.3.
    func apply(_ list: [CommittedProposal]) throws(MLSError) -> AppliedProposals {
        try checkShape(list)
        var applied = AppliedProposals(
            tree: group.tree, extensions: group.context.extensions,
            requiresPath: list.isEmpty || list.contains { $0.proposal.type.requiresPath })
        try applyExtensions(list, &applied)
        let rules = try LeafNodeRules(
            suite: group.context.cipherSuite, extensions: applied.extensions, isSending: isSending)
        try applyUpdates(list, rules, &applied)
        try applyRemoves(list, &applied)
        try checkProposalTypes(list, applied.tree)
        try applyAdds(list, rules, &applied)
        if case .member = committer { applied.tree.truncate() }
        try applyPreSharedKeys(list, &applied)
        for item in list {
            if case .externalInit(let kemOutput) = item.proposal { applied.externalInit = kemOutput }
            if case .reInit(let reInit) = item.proposal {
                guard reInit.version.rawValue >= group.context.version.rawValue else {
                    throw .proposals(.reInitVersion)
                }
                try validateGroupExtensions(reInit.extensions, replacing: group.context.extensions, environment)
                applied.reInit = reInit
            }
        }
        try applied.tree.validateExtensions(applied.extensions, rules.required)
        try applied.tree.validateCredentialTypes()
        return applied
    }

    // MARK: The list as a whole

    private func checkShape(_ list: [CommittedProposal]) throws(MLSError) {
        guard list.count <= Limits.proposals else { throw .usage(.tooLarge) }
        switch committer {
        case .member:
            if list.contains(where: { $0.proposal.type == .reInit }), list.count > 1 {
                throw .proposals(.reInitNotAlone)
            }
            if list.contains(where: { $0.proposal.type == .externalInit }) { throw .proposals(.externalInit) }
        case .external:
            // §12.2 allows one ExternalInit, at most one Remove, and PSKs. draft-ietf-mls-extensions also allows self-removes.
            var counts: [ProposalType: Int] = [:]
            for item in list {
                counts[item.proposal.type, default: 0] += 1
                guard item.isByReference == (item.proposal.type == .selfRemove) else {
                    throw .proposals(.externalCommit)
                }
            }
            let allowed: Set<ProposalType> = [.externalInit, .remove, .preSharedKey, .selfRemove]
            guard counts[.externalInit] == 1, counts[.remove, default: 0] <= 1,
                allowed.isSuperset(of: counts.keys)
            else { throw .proposals(.externalCommit) }
        }
        guard list.lazy.filter({ $0.proposal.type == .groupContextExtensions }).prefix(2).count < 2 else {
            throw .proposals(.multipleGroupContextExtensions)
        }
        for item in list {
            if case .external = item.sender, !item.proposal.type.mayBeSentExternally {
                throw .message(.externalProposalType)
            }
        }
    }

    /// Checks that members support the type of every proposal in the list (§12.2). New and removed members do not count.
    private func checkProposalTypes(_ list: [CommittedProposal], _ tree: RatchetTree) throws(MLSError) {
        for type in Set(list.map(\.proposal.type)) where !type.isDefault {
            guard tree.census.allSupport(type) else { throw .proposals(.unsupportedType) }
        }
    }

    // MARK: One kind after the other

    private func applyExtensions(
        _ list: [CommittedProposal], _ applied: inout AppliedProposals
    ) throws(MLSError) {
        for item in list {
            guard case .groupContextExtensions(let extensions) = item.proposal else { continue }
            try validateGroupExtensions(extensions, replacing: group.context.extensions, environment)
            applied.extensions = extensions
        }
    }

    /// Checks and applies the Updates in the list. An Update is valid only by reference. The signatures of an Update were
    /// verified on arrival, in this epoch, and are not verified again.
    private func applyUpdates(
        _ list: [CommittedProposal], _ rules: LeafNodeRules, _ applied: inout AppliedProposals
    ) throws(MLSError) {
        var changed: Set<LeafIndex> = []
        for item in list {
            guard case .update(let leaf) = item.proposal else { continue }
            guard item.isByReference, case .member(let index) = item.sender, let old = applied.tree[index] else {
                throw .proposals(.updateSender)
            }
            if case .member(index) = committer { throw .proposals(.updateByCommitter) }
            guard changed.insert(index).inserted else { throw .proposals(.multipleChangesOfLeaf) }
            try leaf.validate(.update(replacing: old), rules, environment)
            try applied.tree.validateUniqueness(leaf, replacing: old)
            applied.tree.update(index, leaf)
            applied.updated.append((index, old, leaf))
            if let own = item.ownUpdate { applied.ownUpdate = own }
        }
    }

    private func applyRemoves(_ list: [CommittedProposal], _ applied: inout AppliedProposals) throws(MLSError) {
        var changed = Set(applied.updated.map(\.index))
        var removals: [LeafIndex] = []
        var leaving: Set<LeafIndex> = []
        for item in list where item.proposal == .selfRemove {
            guard item.isByReference, case .member(let index) = item.sender else { throw .proposals(.selfRemove) }
            guard changed.insert(index).inserted else { throw .proposals(.selfRemove) }
            leaving.insert(index)
            removals.append(index)
        }
        for item in list {
            guard case .remove(let index) = item.proposal else { continue }
            guard changed.insert(index).inserted else { throw .proposals(.multipleChangesOfLeaf) }
            removals.append(index)
        }
        for index in removals {
            if case .member(index) = committer { throw .proposals(.committerRemoved) }
            guard let leaf = applied.tree[index] else { throw .proposals(.removedLeafBlank) }
            if case .external(let new?) = committer, !leaving.contains(index) {
                guard environment.configuration.allowsResync else { throw .proposals(.externalCommit) }
                guard environment.authentication.isValidSuccessor(new.credential, of: leaf.credential) else {
                    throw .leafNode(.notASuccessor)
                }
                guard new.encryptionKey != leaf.encryptionKey else { throw .leafNode(.encryptionKeyNotChanged) }
            }
            applied.tree.remove(index)
            applied.removed.append((index, leaf))
        }
        if case .external = committer { applied.tree.truncate() }
    }

    private func applyAdds(
        _ list: [CommittedProposal], _ rules: LeafNodeRules, _ applied: inout AppliedProposals
    ) throws(MLSError) {
        var added: [(keyPackage: KeyPackage, isByReference: Bool)] = []
        for item in list {
            if case .add(let keyPackage) = item.proposal { added.append((keyPackage, item.isByReference)) }
        }
        guard !added.isEmpty else { return }
        try checkClients(added.map(\.keyPackage), applied.tree)
        for verified in try VerifiedKeyPackage.verify(added, rules, environment) {
            try applied.tree.validateUniqueness(verified.leafNode, replacing: nil)
            let index = try applied.tree.add(verified.leafNode)
            applied.added.append((index, verified.keyPackage))
        }
    }

    /// Checks that the list adds no client twice, and no client that is still a member (§12.2).
    private func checkClients(_ keyPackages: [KeyPackage], _ tree: RatchetTree) throws(MLSError) {
        var keys: Set<SignaturePublicKey> = []
        var clients: Set<[UInt8]> = []
        for keyPackage in keyPackages {
            let leaf = keyPackage.leafNode
            guard keys.insert(leaf.signatureKey).inserted else { throw .proposals(.multipleAddsOfClient) }
            guard !tree.signatureKeys.contains(leaf.signatureKey.compact) else { throw .proposals(.clientIsMember) }
            if let client = environment.authentication.clientIdentity(leaf.credential) {
                guard clients.insert(client).inserted else { throw .proposals(.multipleAddsOfClient) }
            }
        }
        guard !clients.isEmpty else { return }
        for member in tree.members {
            if let client = environment.authentication.clientIdentity(member.leaf.credential),
                clients.contains(client)
            {
                throw .proposals(.clientIsMember)
            }
        }
    }

    private func applyPreSharedKeys(
        _ list: [CommittedProposal], _ applied: inout AppliedProposals
    ) throws(MLSError) {
        var seen: Set<PreSharedKeyID> = []
        for item in list {
            guard case .preSharedKey(let id) = item.proposal else { continue }
            try id.validate(allowedUsage, group.algorithms)
            guard seen.insert(id).inserted else { throw .proposals(.duplicatePreSharedKey) }
            applied.preSharedKeys.append(id)
        }
        guard applied.preSharedKeys.count <= Limits.preSharedKeys else { throw .preSharedKey(.tooMany) }
    }
}

extension PreSharedKeyID {
    /// Checks that a PSK may be proposed (§12.1.4).
    func validate(_ allowedUsage: ResumptionUsage?, _ algorithms: Algorithms) throws(MLSError) {
        guard nonce.count == algorithms.hashLength else { throw .preSharedKey(.nonceLength) }
        if case .resumption(let usage, _, _) = kind, usage != .application, usage != allowedUsage {
            throw .preSharedKey(.usage)
        }
    }
}
