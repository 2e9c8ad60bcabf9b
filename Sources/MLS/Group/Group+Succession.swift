extension Group {
    /// Creates the group that a ReInit announced (RFC 9420 §11.2), with everyone in it.
    ///
    /// - Parameters:
    ///   - client: this client, with a signer of the new suite.
    ///   - keyPackages: one of each other member of this group, of the new suite.
    ///   - lifetime: the lifetime of this client's leaf in the new group.
    ///   - environment: time, randomness, judgement and keys.
    /// - Returns: the new group in its epoch 0 and the pending commit that opens epoch 1 with a Welcome for the others.
    /// - Throws: ``MLSError/usage(_:)`` if no ReInit was committed, or the key packages are of other members.
    public func reinitialize(
        client: Client, keyPackages: [KeyPackage], lifetime: Lifetime, in environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        guard case .reinitialized(let reInit) = status else { throw .usage(.notReinitialized) }
        let identities = Set(keyPackages.map { identity($0.leafNode, environment) } + [ownIdentity(environment)])
        guard keyPackages.count + 1 == memberCount,
            members.allSatisfy({ identities.contains(identity($0.leaf, environment)) })
        else { throw .usage(.notReinitialized) }
        return try succeed(
            .reInit, groupID: reInit.groupID, suite: reInit.cipherSuite, extensions: reInit.extensions, client,
            keyPackages, lifetime, environment)
    }

    /// Creates a group of some of this group's members, linked to it (RFC 9420 §11.3).
    ///
    /// - Throws: ``MLSError/joining(_:)`` if a key package is of no member.
    public func branch(
        groupID: [UInt8], client: Client, keyPackages: [KeyPackage], extensions: [Extension] = [],
        lifetime: Lifetime, in environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        try requireActive()
        let identities = Set(members.map { identity($0.leaf, environment) })
        guard keyPackages.allSatisfy({ identities.contains(identity($0.leafNode, environment)) }) else {
            throw .joining(.branchMismatch)
        }
        return try succeed(
            .branch, groupID: groupID, suite: cipherSuite, extensions: extensions, client, keyPackages, lifetime,
            environment)
    }

    private func succeed(
        _ usage: ResumptionUsage, groupID: [UInt8], suite: CipherSuite, extensions: [Extension], _ client: Client,
        _ keyPackages: [KeyPackage], _ lifetime: Lifetime, _ environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        var group = try Group(
            creating: groupID, suite: suite, client: client, extensions: extensions, lifetime: lifetime,
            in: environment)
        let id = PreSharedKeyID(
            kind: .resumption(usage: usage, groupID: self.groupID, epoch: epoch),
            nonce: environment.random.bytes(try suite.requireAlgorithms().hashLength))
        // The old group's key reaches the new group through the environment: it belongs to no epoch of the new group.
        var environment = environment
        let fallback = environment.preSharedKey
        let kind = id.kind
        let secret = resumptionPSK
        environment.preSharedKey = { $0 == kind ? secret : fallback($0) }
        var options = CommitOptions(keyPackages.map { .add($0) } + [.preSharedKey(id)])
        options.allowedUsage = usage
        let commit = try group.commit(options, in: environment)
        return (group, commit)
    }

    private func identity(_ leaf: LeafNode, _ environment: MLSEnvironment) -> [UInt8] {
        environment.authentication.clientIdentity(leaf.credential) ?? leaf.credential.encoded
    }

    private func ownIdentity(_ environment: MLSEnvironment) -> [UInt8] {
        tree[ownLeafIndex].map { identity($0, environment) } ?? []
    }
}
