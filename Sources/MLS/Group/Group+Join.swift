import TLSCodec

extension Group {
    /// Joins a group with a Welcome (RFC 9420 §12.4.3.1).
    ///
    /// - Parameters:
    ///   - welcome: the message that the committer sent.
    ///   - bundle: the key package with which the client was added.
    ///   - ratchetTree: the tree, if it is not in the Welcome (§12.4.3.3).
    ///   - predecessor: the old group, if the new group is its successor (§11.2) or branch (§11.3). Nil if there is no old group,
    ///     or if the client was not a member of the old group. If an old group is given, the Welcome must prove its origin with
    ///     the old group's resumption PSK.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    /// - Throws: ``MLSError/joining(_:)``, ``MLSError/tree(_:)``, ``MLSError/leafNode(_:)`` or ``MLSError/preSharedKey(_:)``.
    ///   Each error names the broken rule.
    public init(
        joining welcome: Welcome, with bundle: KeyPackageBundle, ratchetTree: [UInt8]? = nil,
        predecessor: Group? = nil, in environment: MLSEnvironment
    ) throws(MLSError) {
        let opened = try OpenedWelcome(
            welcome, with: bundle, ratchetTree: ratchetTree, predecessor: predecessor, in: environment)
        try self.init(joining: opened, in: environment)
    }

    /// Joins a group with an opened Welcome (RFC 9420 §12.4.3.1).
    ///
    /// - Parameters:
    ///   - opened: the opened Welcome.
    ///   - isMemberOf: returns `true` if the client is already in a group with the given identifier.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    /// - Throws: ``MLSError/joining(_:)``, ``MLSError/tree(_:)`` or ``MLSError/leafNode(_:)``. Each error names the broken rule.
    public init(
        joining opened: OpenedWelcome, isMemberOf: (_ groupID: [UInt8]) -> Bool = { _ in false },
        in environment: MLSEnvironment
    ) throws(MLSError) {
        let (info, bundle, groupSecrets) = (opened.info, opened.bundle, opened.secrets)
        let context = info.groupContext
        let algorithms = try context.cipherSuite.requireAlgorithms()
        guard !isMemberOf(context.groupID) else { throw .joining(.groupIDInUse) }

        let tree = try opened.tree.verify(context: context, environment)
        guard let own = tree.members.first(where: { $0.leaf == bundle.keyPackage.leafNode }) else {
            throw .joining(.leafMissing)
        }
        var keys = [TreeMath.node(own.index): bundle.encryptionKey]
        if let secret = groupSecrets.pathSecret {
            keys.merge(try Self.pathKeys(secret, own.index, info.signer, tree, algorithms)) { old, _ in old }
        }
        let schedule = KeySchedule(
            joinerSecret: groupSecrets.joinerSecret, pskSecret: opened.pskSecret, context: context.encoded,
            algorithms.hash)
        self.init(
            algorithms, context, tree, OwnLeaf(index: own.index, signer: bundle.signer, privateKeys: keys), schedule)
        guard equalMACs(info.confirmationTag, confirmationTag) else { throw .joining(.confirmationTag) }
        inviter = info.signer
        try checkSuccession(groupSecrets.preSharedKeys, opened.predecessor, environment)
    }

    // MARK: Steps of §12.4.3.1

    /// Returns the joiner's private keys for nodes of the committer's path. The first node is the common ancestor of joiner and
    /// committer. The last node is the root.
    private static func pathKeys(
        _ secret: SecretBytes, _ own: LeafIndex, _ signer: LeafIndex, _ tree: RatchetTree, _ algorithms: Algorithms
    ) throws(MLSError) -> [Int: HPKEPrivateKey] {
        guard own != signer else { throw .joining(.pathSecret) }
        let ancestor = TreeMath.commonAncestor(own, signer)
        // Blank nodes are not on the committer's path.
        let path = ([ancestor] + TreeMath.directPath(ancestor, tree.size)).filter { tree[node: $0] != nil }
        guard path.first == ancestor else { throw .joining(.pathSecret) }
        do { return try tree.derivePath(secret, path, algorithms).keys } catch { throw .joining(.pathSecret) }
    }

    /// Checks the rules for a successor or branch of an old group (§11.2, §11.3).
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
                // A reinitialized group has one successor and no branches any more.
                guard predecessor.status == .active, predecessor.cipherSuite == cipherSuite,
                    predecessor.context.version == context.version, predecessor.contains(allOf: self, environment)
                else { throw .joining(mismatch) }
            }
        }
        // Anyone can create a group with the announced identifier. Only the resumption PSK proves that the group comes from the
        // predecessor.
        if let predecessor, !isLinked {
            if case .reinitialized = predecessor.status { throw .joining(.reInitMismatch) }
            throw .joining(.branchMismatch)
        }
    }

    /// Whether every member of `other` is a member of this group. Members are compared by the application's client identities.
    private func contains(allOf other: Group, _ environment: MLSEnvironment) -> Bool {
        let service = environment.authentication
        func identity(_ leaf: LeafNode) -> [UInt8] {
            service.clientIdentity(leaf.credential) ?? leaf.credential.encoded
        }
        let identities = Set(members.map { identity($0.leaf) })
        return other.members.allSatisfy { identities.contains(identity($0.leaf)) }
    }
}
