import KithSupport
import TLSCodec

/// Creates a commit of a member or of an external joiner (RFC 9420 §12.4.1).
struct CommitBuilder {
    let old: OldEpoch
    let applied: AppliedProposals
    let committer: Sender
    let leaf: LeafIndex
    let template: LeafTemplate
    let preSharedKeys: [ResolvedPSK]
    let environment: MLSEnvironment

    /// The parts of the old epoch that the new epoch needs.
    struct OldEpoch {
        let algorithms: Algorithms
        let context: GroupContext
        let interimTranscriptHash: [UInt8]
        let privateKeys: [Int: HPKEPrivateKey]
        let resumptionPSKs: [(epoch: UInt64, secret: SecretBytes)]
        let oldLeaf: LeafNode?
    }

    struct Made {
        let content: AuthenticatedContent
        let next: Group
        let welcome: MLSMessage?
        let effect: CommitEffect
    }

    /// Creates the commit, the group of the next epoch, and the Welcome.
    ///
    /// - Parameter signer: the key that signs the commit. A member signs with the key of the member's leaf in the old epoch. An
    ///   external joiner signs with the key of the joiner's new leaf.
    mutating func build(
        _ list: [ProposalOrRef], makesPath: Bool, initSecret: SecretBytes, options: CommitOptions,
        signer: SignaturePrivateKey
    ) throws(MLSError) -> Made {
        let algorithms = old.algorithms
        guard old.context.epoch < .max else { throw .commit(.epochOverflow) }
        var tree = applied.tree
        var context = old.context
        context.epoch += 1
        context.extensions = applied.extensions

        var path: (generated: GeneratedPath, update: UpdatePath)?
        if makesPath {
            let generated = try tree.generatePath(
                leaf, template, groupID: context.groupID, random: environment.random, algorithms)
            try validateOwnLeaf(generated.leafNode, in: tree)
            context.treeHash = tree.treeHash()
            let update = try tree.encryptPath(
                generated, context: context.encoded, excluding: applied.addedLeaves, random: environment.random,
                algorithms)
            path = (generated, update)
        } else {
            context.treeHash = tree.treeHash()
        }
        let commitSecret = path?.generated.commitSecret ?? .zero(count: algorithms.hashLength)

        let isPublic = !environment.configuration.encryptsHandshakes || committer == .newMemberCommit
        let framed = FramedContent(
            groupID: context.groupID, epoch: old.context.epoch, sender: committer,
            authenticatedData: options.authenticatedData,
            content: .commit(Commit(proposals: list, path: path?.update)))
        var content = try AuthenticatedContent(
            signing: framed, wireFormat: isPublic ? .publicMessage : .privateMessage, context: old.context,
            key: signer)
        context.confirmedTranscriptHash = TranscriptHash.confirmed(
            old.interimTranscriptHash, content.confirmedTranscriptHashInput, algorithms.hash)
        let schedule = KeySchedule(
            initSecret: initSecret, commitSecret: commitSecret,
            pskSecret: try algorithms.hash.pskSecret(preSharedKeys), context: context.encoded, algorithms.hash)

        let keys = tree.known(old.privateKeys, adding: path?.generated.privateKeys ?? [:])
        let own = OwnLeaf(index: leaf, signer: makesPath ? template.signer : signer, privateKeys: keys)
        var next = Group(algorithms, context, tree, own, schedule)
        next.resumptionPSKs = old.resumptionPSKs
        if let reInit = applied.reInit { next.status = .reinitialized(reInit) }
        content.auth.confirmationTag = next.confirmationTag
        return Made(
            content: content, next: next,
            welcome: try welcome(next, path?.generated, schedule, options), effect: effect(path?.generated, options))
    }

    /// Checks the committer's new leaf by the rules of the receivers. A commit with an invalid leaf is not created.
    ///
    /// - Parameter tree: the tree, including the leaf.
    private func validateOwnLeaf(_ leafNode: LeafNode, in tree: RatchetTree) throws(MLSError) {
        let rules = try LeafNodeRules(
            suite: old.context.cipherSuite, extensions: applied.extensions, isSending: true)
        try leafNode.validate(.commit(replacing: old.oldLeaf), rules, environment)
        try applied.tree.validateUniqueness(leafNode, replacing: applied.tree[leaf])
        try tree.validateCredentialTypes()
    }

    /// Creates the Welcome for the new members (§12.4.3.1).
    private func welcome(
        _ next: Group, _ path: GeneratedPath?, _ schedule: KeySchedule, _ options: CommitOptions
    ) throws(MLSError) -> MLSMessage? {
        guard !applied.added.isEmpty else { return nil }
        let algorithms = old.algorithms
        let info = try next.signedGroupInfo(
            includesRatchetTree: environment.configuration.includesRatchetTree,
            includesExternalPub: environment.configuration.includesExternalPub,
            extensions: options.groupInfoExtensions)
        let keys = WelcomeKeys(schedule.welcomeSecret, algorithms)
        let sealedInfo = try algorithms.aead.seal(info.encoded, key: keys.key, nonce: keys.nonce, aad: [])
        let psks = preSharedKeys.map(\.id)
        let random = environment.random
        let committer = leaf
        let context = algorithms.labeledContext("Welcome", sealedInfo)
        let secrets = try parallelMap(applied.added) { (added) throws(MLSError) in
            var pathSecret: SecretBytes?
            if let path {
                // The lowest node of the path that is above the new leaf is the lowest common ancestor (§12.4.3.1).
                let ancestor = TreeMath.commonAncestor(added.index, committer)
                guard let step = path.steps.firstIndex(where: { $0.node == ancestor }) else {
                    throw MLSError.internalError
                }
                pathSecret = path.secrets[step]
            }
            let secrets = GroupSecrets(
                joinerSecret: schedule.joinerSecret, pathSecret: pathSecret, preSharedKeys: psks)
            var encoded = secrets.encoded
            defer { encoded.wipe() }
            return EncryptedGroupSecrets(
                newMember: algorithms.hash.keyPackageRef(added.keyPackage.encoded),
                encryptedGroupSecrets: try algorithms.hpkeSeal(
                    to: added.keyPackage.initKey, context, encoded, random))
        }
        return .welcome(
            Welcome(cipherSuite: old.context.cipherSuite, secrets: secrets, encryptedGroupInfo: sealedInfo))
    }

    private func effect(_ path: GeneratedPath?, _ options: CommitOptions) -> CommitEffect {
        var updated = applied.updated
        if let path, let oldLeaf = old.oldLeaf { updated.append((leaf, oldLeaf, path.leafNode)) }
        return CommitEffect(
            committer: committer, committerLeaf: leaf, added: applied.added.map { ($0.index, $0.keyPackage.leafNode) },
            updated: updated, removed: applied.removed,
            extensions: applied.extensions == old.context.extensions ? nil : applied.extensions,
            preSharedKeys: applied.preSharedKeys, reInit: applied.reInit,
            authenticatedData: options.authenticatedData, removesSelf: false)
    }
}

extension CommitBuilder.OldEpoch {
    init(_ group: Group, _ environment: MLSEnvironment) {
        self.init(
            algorithms: group.algorithms, context: group.context, interimTranscriptHash: group.interimTranscriptHash,
            privateKeys: group.privateKeys, resumptionPSKs: group.resumptionPSKsOfNextEpoch(environment),
            oldLeaf: group.tree[group.ownLeafIndex])
    }
}

/// The key and nonce that encrypt the GroupInfo in a Welcome (RFC 9420 §12.4.3.1).
struct WelcomeKeys {
    let key: SecretBytes
    let nonce: SecretBytes

    init(_ welcomeSecret: SecretBytes, _ algorithms: Algorithms) {
        key = algorithms.hash.expandWithLabel(welcomeSecret, "key", algorithms.aead.keyLength)
        nonce = algorithms.hash.expandWithLabel(welcomeSecret, "nonce", algorithms.aead.nonceLength)
    }
}

extension RatchetTree {
    /// Returns the private keys whose public keys are still in this tree. If a node has an old key and a new key, returns the new
    /// key.
    func known(_ old: [Int: HPKEPrivateKey], adding new: [Int: HPKEPrivateKey]) -> [Int: HPKEPrivateKey] {
        old.merging(new) { _, new in new }.filter { node, key in
            node < width && self[node: node]?.encryptionKey == key.publicKey
        }
    }
}
