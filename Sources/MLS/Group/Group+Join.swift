import TLSCodec

extension Group {
    /// Joins a group with a Welcome (RFC 9420 §12.4.3.1).
    ///
    /// - Parameters:
    ///   - welcome: the message that the committer sent.
    ///   - bundle: the key package that the client was added with.
    ///   - ratchetTree: the tree, if the Welcome does not carry it (§12.4.3.3).
    ///   - predecessor: the group that this one continues or branches from (§11.2, §11.3), where the client was in one. A
    ///     Welcome that does not prove to come from it, by its resumption PSK, is refused.
    ///   - isMemberOf: whether the client is in a group of an identifier already.
    ///   - environment: time, randomness, judgement and keys.
    /// - Throws: ``MLSError/joining(_:)``, ``MLSError/tree(_:)``, ``MLSError/leafNode(_:)`` or
    ///   ``MLSError/preSharedKey(_:)``, naming the rule.
    public init(
        joining welcome: Welcome, with bundle: KeyPackageBundle, ratchetTree: [UInt8]? = nil,
        predecessor: Group? = nil, isMemberOf: (_ groupID: [UInt8]) -> Bool = { _ in false },
        in environment: MLSEnvironment
    ) throws(MLSError) {
        let algorithms = try welcome.cipherSuite.requireAlgorithms()
        let groupSecrets = try Self.open(welcome, bundle, algorithms)
        let preSharedKeys = try Self.resolve(groupSecrets.preSharedKeys, predecessor, algorithms, environment)
        let pskSecret = try algorithms.hash.pskSecret(preSharedKeys)
        let info = try Self.groupInfo(welcome, groupSecrets.joinerSecret, pskSecret, algorithms)
        let context = info.groupContext
        guard !isMemberOf(context.groupID) else { throw .joining(.groupIDInUse) }

        let tree = try Self.verifiedTree(info, bundle.keyPackage.leafNode.capabilities, ratchetTree, environment)
        guard let own = tree.members.first(where: { $0.leaf == bundle.keyPackage.leafNode }) else {
            throw .joining(.leafMissing)
        }
        var keys = [TreeMath.node(own.index): bundle.encryptionKey]
        if let secret = groupSecrets.pathSecret {
            keys.merge(try Self.pathKeys(secret, own.index, info.signer, tree, algorithms)) { old, _ in old }
        }
        let schedule = KeySchedule(
            joinerSecret: groupSecrets.joinerSecret, pskSecret: pskSecret, context: context.encoded, algorithms.hash)
        self.init(
            algorithms, context, tree, own.index, bundle.signer, keys, schedule, confirmationTag: nil)
        guard equalMACs(info.confirmationTag, confirmationTag) else { throw .joining(.confirmationTag) }
        inviter = info.signer
        try checkSuccession(groupSecrets.preSharedKeys, predecessor, environment)
    }

    // MARK: Steps of §12.4.3.1

    private static func open(
        _ welcome: Welcome, _ bundle: KeyPackageBundle, _ algorithms: Algorithms
    ) throws(MLSError) -> GroupSecrets {
        guard bundle.keyPackage.cipherSuite == welcome.cipherSuite else { throw .joining(.cipherSuite) }
        let reference = try bundle.keyPackage.reference()
        guard let entry = welcome.secrets.first(where: { $0.newMember == reference }) else {
            throw .joining(.notForThisKeyPackage)
        }
        let opened = try algorithms.decryptWithLabel(
            entry.encryptedGroupSecrets, key: bundle.initKey, "Welcome", context: welcome.encryptedGroupInfo)
        return try decoding { () throws(TLSCodecError) in try GroupSecrets(decoding: opened.copyBytes()) }
    }

    private static func resolve(
        _ ids: [PreSharedKeyID], _ predecessor: Group?, _ algorithms: Algorithms, _ environment: MLSEnvironment
    ) throws(MLSError) -> [ResolvedPSK] {
        var resolved: [ResolvedPSK] = []
        var linking = 0
        for id in ids {
            guard id.nonce.count == algorithms.hashLength else { throw .preSharedKey(.nonceLength) }
            var secret: SecretBytes?
            if case .resumption(let usage, let groupID, let epoch) = id.kind {
                if usage != .application { linking += 1 }
                if let predecessor, predecessor.groupID == groupID, predecessor.status != .removed {
                    secret =
                        predecessor.epoch == epoch
                        ? predecessor.resumptionPSK : predecessor.resumptionPSKs.first { $0.epoch == epoch }?.secret
                }
            }
            guard let secret = secret ?? environment.preSharedKey(id.kind) else { throw .preSharedKey(.unknown) }
            resolved.append(ResolvedPSK(id: id, secret: secret))
        }
        guard linking <= 1 else { throw .preSharedKey(.multipleResumptions) }
        return resolved
    }

    private static func groupInfo(
        _ welcome: Welcome, _ joinerSecret: SecretBytes, _ pskSecret: SecretBytes, _ algorithms: Algorithms
    ) throws(MLSError) -> GroupInfo {
        let welcomeSecret = KeySchedule.welcomeSecret(
            joinerSecret: joinerSecret, pskSecret: pskSecret, algorithms.hash)
        let keys = WelcomeKeys(welcomeSecret, algorithms)
        let opened = try algorithms.aead.open(
            welcome.encryptedGroupInfo[...], key: keys.key, nonce: keys.nonce, aad: [])
        let info = try decoding { () throws(TLSCodecError) in try GroupInfo(decoding: opened) }
        guard info.groupContext.cipherSuite == welcome.cipherSuite else { throw .joining(.cipherSuite) }
        return info
    }

    /// Finds the tree of a GroupInfo, checks the GroupInfo's signature with it, and verifies it.
    static func verifiedTree(
        _ info: GroupInfo, _ capabilities: Capabilities, _ given: [UInt8]?, _ environment: MLSEnvironment
    ) throws(MLSError) -> RatchetTree {
        let context = info.groupContext
        let algorithms = try context.cipherSuite.requireAlgorithms()
        guard context.version == .mls10 else { throw .joining(.version) }
        guard !info.extensions.hasDuplicates, !context.extensions.hasDuplicates else {
            throw .joining(.duplicateExtension)
        }
        guard capabilities.list(context.extensions) else {
            throw .joining(.groupExtensionUnsupported)
        }
        guard let encoded = info.extensions[.ratchetTree] ?? given else { throw .joining(.treeMissing) }
        let unverified = try UnverifiedRatchetTree(decoding: encoded, algorithms.hash)
        guard let key = unverified.signatureKey(info.signer), info.isSignatureValid(key, algorithms.signature)
        else { throw .joining(.groupInfoSignature) }
        return try unverified.verify(context: context, environment)
    }

    /// The private keys from the common ancestor with the committer up to the root.
    private static func pathKeys(
        _ secret: SecretBytes, _ own: LeafIndex, _ signer: LeafIndex, _ tree: RatchetTree, _ algorithms: Algorithms
    ) throws(MLSError) -> [Int: HPKEPrivateKey] {
        guard own != signer else { throw .joining(.pathSecret) }
        let ancestor = TreeMath.commonAncestor(own, signer)
        // Nodes that the committer's path skipped are blank.
        let path = ([ancestor] + TreeMath.directPath(ancestor, tree.size)).filter { tree[node: $0] != nil }
        guard path.first == ancestor else { throw .joining(.pathSecret) }
        do { return try tree.derivePath(secret, path, algorithms).keys } catch { throw .joining(.pathSecret) }
    }

    /// The rules for groups that continue or branch from another (§11.2, §11.3).
    private func checkSuccession(
        _ ids: [PreSharedKeyID], _ predecessor: Group?, _ environment: MLSEnvironment
    ) throws(MLSError) {
        var isLinked = false
        for id in ids {
            guard case .resumption(let usage, let groupID, let epochOfKey) = id.kind, usage != .application else {
                continue
            }
            isLinked = true
            guard epoch == 1 else { throw .joining(.notFirstEpoch) }
            let mismatch: JoiningError = usage == .reInit ? .reInitMismatch : .branchMismatch
            guard let predecessor, predecessor.groupID == groupID else { throw .joining(mismatch) }
            if usage == .reInit {
                guard predecessor.epoch == epochOfKey, case .reinitialized(let reInit) = predecessor.status,
                    reInit.groupID == self.groupID, reInit.version == context.version,
                    reInit.cipherSuite == cipherSuite, reInit.extensions == context.extensions,
                    contains(allOf: predecessor, environment)
                else { throw .joining(mismatch) }
            } else {
                // A group that was reinitialized has one successor, and no branches any more.
                guard predecessor.status == .active, predecessor.cipherSuite == cipherSuite,
                    predecessor.context.version == context.version, predecessor.contains(allOf: self, environment)
                else { throw .joining(mismatch) }
            }
        }
        // Anybody can make a group of the announced identifier: that it comes from the predecessor, only the key shows.
        if let predecessor, !isLinked {
            if case .reinitialized = predecessor.status { throw .joining(.reInitMismatch) }
            throw .joining(.branchMismatch)
        }
    }

    /// Whether every member of another group is a member of this one, as the application tells identities apart.
    private func contains(allOf other: Group, _ environment: MLSEnvironment) -> Bool {
        let service = environment.authentication
        func identity(_ leaf: LeafNode) -> [UInt8] {
            service.clientIdentity(leaf.credential) ?? leaf.credential.encoded
        }
        let identities = Set(members.map { identity($0.leaf) })
        return other.members.allSatisfy { identities.contains(identity($0.leaf)) }
    }
}
