import TLSCodec

/// The result of joining a group with an external commit (RFC 9420 §12.4.3.2). The client becomes a member when the commit is
/// accepted.
public struct ExternalJoin: Sendable {
    /// The commit to send to the members.
    public let message: MLSMessage
    /// The group after the commit.
    public let group: Group
    /// The effect of the commit.
    public let effect: CommitEffect
}

/// The options of joining by an external commit (RFC 9420 §12.4.3.2).
public struct ExternalJoinOptions: Sendable {
    /// The tree, if it is not in the GroupInfo.
    public var ratchetTree: [UInt8]?
    /// The old leaf of a client that rejoins; nil for a new client.
    public var oldLeaf: LeafIndex?
    /// Pre-shared keys that enter the key schedule.
    public var preSharedKeys: [PreSharedKeyID]
    /// The epoch's uncommitted self-removes (draft-ietf-mls-extensions). The delivery service provides the self-removes. The
    /// commit must include all uncommitted self-removes. If a member has sent several self-removes, only the first one counts. If
    /// a self-remove removes the client's old leaf, ``oldLeaf`` is ignored.
    public var selfRemoves: [PublicMessage]
    /// Data that is authenticated with the commit but not encrypted.
    public var authenticatedData: [UInt8]

    /// Creates options.
    public init(
        ratchetTree: [UInt8]? = nil, removing oldLeaf: LeafIndex? = nil, preSharedKeys: [PreSharedKeyID] = [],
        selfRemoves: [PublicMessage] = [], authenticatedData: [UInt8] = []
    ) {
        self.ratchetTree = ratchetTree
        self.oldLeaf = oldLeaf
        self.preSharedKeys = preSharedKeys
        self.selfRemoves = selfRemoves
        self.authenticatedData = authenticatedData
    }
}

extension Group {
    /// Joins a group with an external commit (RFC 9420 §12.4.3.2).
    ///
    /// - Parameters:
    ///   - info: a GroupInfo of the group's current epoch, with its external public key.
    ///   - client: the client that joins.
    ///   - join: the tree, the client's old leaf, and other contents of the commit.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    public static func joinExternally(
        _ info: GroupInfo, client: Client, _ join: ExternalJoinOptions = ExternalJoinOptions(),
        in environment: MLSEnvironment
    ) throws(MLSError) -> ExternalJoin {
        let context = info.groupContext
        let algorithms = try context.cipherSuite.requireAlgorithms()
        guard client.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
        guard join.authenticatedData.count <= Limits.contentLength else { throw .usage(.tooLarge) }
        let tree = try info.openTree(join.ratchetTree, for: client.capabilities, environment).tree
            .verify(context: context, environment)
        guard let encodedKey = info.extensions[.externalPub] else { throw .joining(.externalPubMissing) }
        let externalKey = try decoding { () throws(TLSCodecError) in try HPKEPublicKey(decoding: encodedKey) }
        let initial = try algorithms.hpkeExport(to: externalKey, ExternalInitLabel.value, environment.random)

        var cache = ProposalCache()
        for message in join.selfRemoves { try cache.insert(selfRemove: message, tree, context, algorithms) }
        var byValue: [Proposal] = [.externalInit(kemOutput: initial.kemOutput)]
        if let old = join.oldLeaf, !cache.entries.contains(where: { $0.changedLeaf == old }) {
            byValue.append(.remove(old))
        }
        byValue += join.preSharedKeys.map { .preSharedKey($0) }
        let list = cache.entries.map { ProposalOrRef.reference($0.reference) } + byValue.map { .proposal($0) }
        let resolved = try ProposalList.resolve(list, cache, sender: .newMemberCommit)
        let checker = ProposalList(
            group: .init(algorithms: algorithms, context: context, tree: tree),
            committer: .external(.init(credential: client.credential, encryptionKey: nil)), environment: environment,
            allowedUsage: nil, isSending: true)
        var applied = try checker.apply(resolved)
        let index = applied.tree.firstBlankLeaf()
        if index.int == applied.tree.size { try applied.tree.extend() }

        var keys: [ResolvedPSK] = []
        for id in applied.preSharedKeys {
            guard let secret = environment.preSharedKey(id.kind) else { throw .preSharedKey(.unknown) }
            keys.append(ResolvedPSK(id: id, secret: secret))
        }
        let interim = TranscriptHash.interim(
            context.confirmedTranscriptHash, confirmationTag: info.confirmationTag, algorithms.hash)
        var builder = CommitBuilder(
            old: .init(
                algorithms: algorithms, context: context, interimTranscriptHash: interim, privateKeys: [:],
                resumptionPSKs: [], oldLeaf: nil),
            applied: applied, committer: .newMemberCommit, leaf: index,
            template: client.template(random: environment.random),
            preSharedKeys: keys, environment: environment)
        var options = CommitOptions()
        options.authenticatedData = join.authenticatedData
        let made = try builder.build(
            list, makesPath: true, initSecret: initial.secret, options: options, signer: client.signer)
        let message = PublicMessage(content: made.content.content, auth: made.content.auth, membershipTag: nil)
        return ExternalJoin(message: .publicMessage(message), group: made.next, effect: made.effect)
    }
}

extension ProposalCache {
    /// Stores a member's first self-remove, and ignores later self-removes of that member. A joiner cannot check the membership
    /// tag. Except for the tag, the joiner checks the self-remove as a member does.
    fileprivate mutating func insert(
        selfRemove message: PublicMessage, _ tree: RatchetTree, _ context: GroupContext, _ algorithms: Algorithms
    ) throws(MLSError) {
        guard message.groupID == context.groupID else { throw .message(.groupID) }
        guard message.epoch == context.epoch else {
            throw .message(.epoch(current: context.epoch, message: message.epoch))
        }
        guard case .proposal(.selfRemove) = message.content.content, case .member(let leaf) = message.sender,
            let key = tree[leaf]?.signatureKey
        else { throw .message(.selfRemove) }
        guard tree.census.allSupport(ProposalType.selfRemove) else { throw .proposals(.unsupportedType) }
        let content = AuthenticatedContent(
            wireFormat: .publicMessage, content: message.content, auth: message.auth)
        let verified = try content.verify(key, context: context, algorithms.signature)
        guard !entries.contains(where: { $0.changedLeaf == leaf }) else { return }
        insert(
            .init(
                reference: verified.proposalRef(algorithms.hash), proposal: .selfRemove, sender: verified.sender,
                ownUpdate: nil))
    }
}
