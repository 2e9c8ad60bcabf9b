import TLSCodec

extension Group {
    /// Checks a received commit and computes the next epoch (RFC 9420 §12.4.2).
    func stage(
        _ commit: Commit, _ verified: VerifiedContent, _ environment: MLSEnvironment
    ) throws(MLSError) -> StagedCommit {
        guard context.epoch < .max else { throw .commit(.epochOverflow) }
        let committer: Committer
        switch verified.sender {
        case .member(let index): committer = .member(index)
        case .newMemberCommit:
            committer = .external(
                commit.path.map { .init(credential: $0.leafNode.credential, encryptionKey: $0.leafNode.encryptionKey) })
        case .external, .newMemberProposal: throw .message(.senderType)
        }
        let list = try ProposalList.resolve(commit.proposals, proposals, sender: verified.sender)
        let checker = ProposalList(
            group: view, committer: committer, environment: environment, allowedUsage: nil, isSending: false)
        let applied = try checker.apply(list)
        if applied.requiresPath, commit.path == nil { throw .commit(.pathRequired) }

        let index = try committerLeaf(committer, applied.tree)
        let merged = try merge(commit.path, applied, index, environment)
        if applied.removed.contains(where: { $0.index == ownLeafIndex }) {
            let effect = effect(applied, commit, verified, index, removesSelf: true)
            return StagedCommit(base: CommitBase(self), next: nil, effect: effect)
        }
        let next = try enter(applied, verified, merged, environment)
        return StagedCommit(
            base: CommitBase(self), next: next,
            effect: effect(applied, commit, verified, index, removesSelf: false))
    }

    private func committerLeaf(_ committer: Committer, _ tree: RatchetTree) throws(MLSError) -> LeafIndex {
        switch committer {
        case .member(let index): return index
        case .external:
            var tree = tree
            return tree.firstBlankLeaf()
        }
    }

    /// Checks the path, and adds the path's public keys to the tree. The check of a path needs no secret, so even a member that
    /// the commit removes can check the path and refuse a forged commit.
    private func merge(
        _ path: UpdatePath?, _ applied: AppliedProposals, _ index: LeafIndex, _ environment: MLSEnvironment
    ) throws(MLSError) -> (tree: RatchetTree, path: MergedPath?) {
        var tree = applied.tree
        guard let path else { return (tree, nil) }
        if index.int == tree.size { try tree.extend() }
        try validate(path.leafNode, at: index, applied, tree, environment)
        let merged = try tree.merge(path, from: index, excluding: applied.addedLeaves, algorithms)
        try tree.validateCredentialTypes()
        return (tree, merged)
    }

    /// Decrypts the path, advances the key schedule, and checks the confirmation tag.
    private func enter(
        _ applied: AppliedProposals, _ verified: VerifiedContent, _ merged: (tree: RatchetTree, path: MergedPath?),
        _ environment: MLSEnvironment
    ) throws(MLSError) -> Group {
        var tree = merged.tree
        var newContext = context
        newContext.epoch += 1
        newContext.extensions = applied.extensions
        newContext.treeHash = tree.treeHash()
        // If the commit contains this member's own Update, the keys of the update are used.
        var keys = privateKeys
        if let update = applied.ownUpdate { keys[TreeMath.node(ownLeafIndex)] = update.encryptionKey }
        var own = OwnLeaf(
            index: ownLeafIndex, signer: applied.ownUpdate?.signer ?? signer,
            privateKeys: tree.known(keys, adding: [:]))

        var commitSecret = SecretBytes.zero(count: algorithms.hashLength)
        if let path = merged.path {
            let opened = try tree.decryptPath(path, for: own, context: newContext.encoded, algorithms)
            commitSecret = opened.commitSecret
            own.privateKeys = tree.known(own.privateKeys, adding: opened.keys)
        }
        newContext.confirmedTranscriptHash = TranscriptHash.confirmed(
            interimTranscriptHash, verified.confirmedTranscriptHashInput, algorithms.hash)
        let schedule = KeySchedule(
            initSecret: try initSecret(applied), commitSecret: commitSecret,
            pskSecret: try algorithms.hash.pskSecret(try resolve(applied.preSharedKeys, environment)),
            context: newContext.encoded, algorithms.hash)
        var next = Group(algorithms, newContext, tree, own, schedule)
        guard let tag = verified.confirmationTag, equalMACs(tag, next.confirmationTag) else {
            throw .commit(.confirmationTag)
        }
        next.resumptionPSKs = resumptionPSKsOfNextEpoch(environment)
        if let reInit = applied.reInit { next.status = .reinitialized(reInit) }
        return next
    }

    /// Returns the `init_secret` with which the key schedule begins (§8.3).
    private func initSecret(_ applied: AppliedProposals) throws(MLSError) -> SecretBytes {
        guard let kemOutput = applied.externalInit else { return secrets.initSecret }
        return try algorithms.hpkeExport(
            kemOutput, key: try secrets.externalKeyPair(algorithms.kem), ExternalInitLabel.value)
    }

    /// Checks the leaf of a path (§7.3, §12.4.2).
    private func validate(
        _ leaf: LeafNode, at index: LeafIndex, _ applied: AppliedProposals, _ tree: RatchetTree,
        _ environment: MLSEnvironment
    ) throws(MLSError) {
        let rules = try LeafNodeRules(
            suite: context.cipherSuite, extensions: applied.extensions, isSending: false)
        let old = tree[index]
        try leaf.validate(.commit(replacing: old), rules, environment)
        guard leaf.signatureKey == old?.signatureKey || !tree.signatureKeys.contains(leaf.signatureKey.compact)
        else { throw .leafNode(.duplicateSignatureKey) }
        let place = LeafNode.Place(groupID: context.groupID, leafIndex: index)
        guard leaf.isSignatureValid(place, algorithms.signature) else { throw .leafNode(.signature) }
    }

    private func effect(
        _ applied: AppliedProposals, _ commit: Commit, _ verified: VerifiedContent, _ index: LeafIndex,
        removesSelf: Bool
    ) -> CommitEffect {
        var added = applied.added.map { (index: $0.index, leaf: $0.keyPackage.leafNode) }
        var updated = applied.updated
        if let leaf = commit.path?.leafNode {
            if case .member = verified.sender, let old = applied.tree[index] {
                updated.append((index, old, leaf))
            } else {
                added.append((index, leaf))
            }
        }
        return CommitEffect(
            committer: verified.sender, committerLeaf: index, added: added, updated: updated,
            removed: applied.removed, extensions: applied.extensions == context.extensions ? nil : applied.extensions,
            preSharedKeys: applied.preSharedKeys, reInit: applied.reInit,
            authenticatedData: verified.framed.authenticatedData, removesSelf: removesSelf)
    }
}

/// The exporter context of external initialization (RFC 9420 §8.3).
enum ExternalInitLabel {
    static let value: StaticString = "MLS 1.0 external init secret"
}
