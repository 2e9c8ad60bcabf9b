/// The first members of a successor or branch of a group.
public struct Founders: Sendable {
    /// This client, with a signer for the new group's suite.
    public var client: Client
    /// The lifetime of this client's leaf in the new group.
    public var lifetime: Lifetime
    /// The other members' key packages for the new group's suite, one per member.
    public var keyPackages: [KeyPackage]

    /// Creates a value from its parts.
    public init(client: Client, lifetime: Lifetime, keyPackages: [KeyPackage]) {
        self.client = client
        self.lifetime = lifetime
        self.keyPackages = keyPackages
    }
}

extension Group {
    /// Creates the successor group that a ReInit announced (RFC 9420 §11.2). All members of this group become members of the
    /// successor.
    ///
    /// - Parameters:
    ///   - founders: this client and all other members of this group.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    /// - Returns: the new group in epoch 0, and a pending commit. The commit begins epoch 1, and has a Welcome for the other
    ///   members.
    /// - Throws: ``MLSError/usage(_:)`` if no ReInit was committed, or if the key packages do not belong to the members.
    public func reinitialize(
        with founders: Founders, in environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        guard case .reinitialized(let reInit) = status else { throw .usage(.notReinitialized) }
        let others = founders.keyPackages
        let identities = Set(others.map { identity($0.leafNode, environment) } + [ownIdentity(environment)])
        guard others.count + 1 == memberCount,
            members.allSatisfy({ identities.contains(identity($0.leaf, environment)) })
        else { throw .usage(.notReinitialized) }
        return try succeed(.reInit, by: reInit, founders, environment)
    }

    /// Creates a branch of this group (RFC 9420 §11.3). A branch is a new group of some of this group's members. A resumption
    /// PSK of this group links the branch to this group.
    ///
    /// - Parameters:
    ///   - groupID: the new group's identifier.
    ///   - founders: this client, and the remaining members of the new group.
    ///   - extensions: the new group's extensions.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    /// - Returns: the new group in epoch 0, and a pending commit. The commit begins epoch 1, and has a Welcome for the other
    ///   members.
    /// - Throws: ``MLSError/joining(_:)`` if a key package does not belong to a member.
    public func branch(
        groupID: [UInt8], with founders: Founders, extensions: [Extension] = [], in environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        try requireActive()
        let identities = Set(members.map { identity($0.leaf, environment) })
        guard founders.keyPackages.allSatisfy({ identities.contains(identity($0.leafNode, environment)) }) else {
            throw .joining(.branchMismatch)
        }
        let branch = ReInit(
            groupID: groupID, version: context.version, cipherSuite: cipherSuite, extensions: extensions)
        return try succeed(.branch, by: branch, founders, environment)
    }

    private func succeed(
        _ usage: ResumptionUsage, by successor: ReInit, _ founders: Founders, _ environment: MLSEnvironment
    ) throws(MLSError) -> (group: Group, commit: PendingCommit) {
        var group = try Group(
            creating: successor.groupID, suite: successor.cipherSuite, client: founders.client,
            extensions: successor.extensions, lifetime: founders.lifetime, in: environment)
        let id = PreSharedKeyID(
            kind: .resumption(usage: usage, groupID: self.groupID, epoch: epoch),
            nonce: environment.random.bytes(try successor.cipherSuite.requireAlgorithms().hashLength))
        // The environment provides the old group's key, because the key belongs to no epoch of the new group.
        var environment = environment
        let fallback = environment.preSharedKey
        let kind = id.kind
        let secret = resumptionPSK
        environment.preSharedKey = { $0 == kind ? secret : fallback($0) }
        var options = CommitOptions(founders.keyPackages.map { .add($0) } + [.preSharedKey(id)])
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
