extension Group {
    /// Encrypts application data (RFC 9420 §15). Encryption uses up a key. Store the result of ``takeChangedRecords()`` before
    /// sending the message.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if received proposals must be committed first (§12.4), or if the group is inactive.
    public mutating func encrypt(
        _ data: [UInt8], authenticatedData: [UInt8] = [], in environment: MLSEnvironment
    ) throws(MLSError) -> MLSMessage {
        try requireActive()
        guard proposals.isEmpty else { throw .usage(.proposalsPending) }
        guard data.count <= Limits.contentLength, authenticatedData.count <= Limits.contentLength else {
            throw .usage(.tooLarge)
        }
        let framed = FramedContent(
            groupID: groupID, epoch: epoch, sender: .member(ownLeafIndex), authenticatedData: authenticatedData,
            content: .application(data))
        let content = try AuthenticatedContent(
            signing: framed, wireFormat: .privateMessage, context: context, key: signer)
        return try protect(content, environment)
    }

    /// Proposes a change (§12.1). The group stores the proposal for a later commit of this member.
    ///
    /// - Throws: the error for the broken rule of §12.1.
    public mutating func propose(
        _ proposal: Proposal, authenticatedData: [UInt8] = [], in environment: MLSEnvironment
    ) throws(MLSError) -> MLSMessage {
        try requireActive()
        switch proposal {
        case .update, .externalInit: throw .proposals(.updateSender)
        default: break
        }
        let format: WireFormat = proposal == .selfRemove ? .publicMessage : .privateMessage
        try validate(proposal, from: .member(ownLeafIndex), format, isSending: true, environment)
        return try send(proposal, ownUpdate: nil, authenticatedData, environment)
    }

    /// Proposes new keys for this member's own leaf (§12.1.2).
    ///
    /// - Parameters:
    ///   - client: a new credential, key or capabilities; nil to keep the old data.
    ///   - authenticatedData: data that is authenticated with the proposal but not encrypted.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    public mutating func proposeUpdate(
        _ client: Client? = nil, authenticatedData: [UInt8] = [], in environment: MLSEnvironment
    ) throws(MLSError) -> MLSMessage {
        try requireActive()
        guard let old = tree[ownLeafIndex] else { throw .internalError }
        let signer = client?.signer ?? signer
        guard signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
        let key = try algorithms.kem.generateKeyPair(environment.random)
        let new = client?.template(random: environment.random)
        let template =
            new
            ?? LeafTemplate(
                credential: old.credential, capabilities: old.capabilities, extensions: old.extensions, signer: signer)
        let leaf = try LeafNode(
            template, encryptionKey: key.publicKey, source: .update,
            place: .init(groupID: groupID, leafIndex: ownLeafIndex))
        let rules = try LeafNodeRules(suite: cipherSuite, extensions: context.extensions, isSending: true)
        try leaf.validate(.update(replacing: old), rules, environment)
        try tree.validateUniqueness(leaf, replacing: old)
        return try send(
            .update(leaf), ownUpdate: .init(encryptionKey: key, signer: signer), authenticatedData, environment)
    }

    /// Proposes a self-remove of this member (draft-ietf-mls-extensions). If the group does not support self-removes, proposes a
    /// Remove of this member.
    public mutating func proposeLeaving(in environment: MLSEnvironment) throws(MLSError) -> MLSMessage {
        let isSupported = tree.census.allSupport(ProposalType.selfRemove)
        return try propose(isSupported ? .selfRemove : .remove(ownLeafIndex), in: environment)
    }

    private mutating func send(
        _ proposal: Proposal, ownUpdate: ProposalCache.OwnUpdate?, _ authenticatedData: [UInt8],
        _ environment: MLSEnvironment
    ) throws(MLSError) -> MLSMessage {
        guard authenticatedData.count <= Limits.contentLength else { throw .usage(.tooLarge) }
        let framed = FramedContent(
            groupID: groupID, epoch: epoch, sender: .member(ownLeafIndex), authenticatedData: authenticatedData,
            content: .proposal(proposal))
        // Clients that join with an external commit must be able to read a self-remove.
        let isPublic = proposal == .selfRemove || !environment.configuration.encryptsHandshakes
        let content = try AuthenticatedContent(
            signing: framed, wireFormat: isPublic ? .publicMessage : .privateMessage, context: context, key: signer)
        let message = try protect(content, environment)
        proposals.insert(
            .init(
                reference: VerifiedContent.own(content).proposalRef(algorithms.hash), proposal: proposal,
                sender: .member(ownLeafIndex), ownUpdate: ownUpdate))
        return message
    }

    /// The proposals of this epoch that were neither committed nor discarded. The group does not store authenticated data, so
    /// ``ReceivedProposal/authenticatedData`` is empty here.
    public var pendingProposals: [ReceivedProposal] {
        proposals.waiting.map {
            ReceivedProposal(
                sender: $0.sender, proposal: $0.proposal, reference: $0.reference, authenticatedData: [])
        }
    }

    /// Discards the pending proposals. This member does not commit discarded proposals. The group still stores discarded
    /// proposals: a commit by a different member may refer to them.
    public mutating func discardProposals() { proposals.discardAll() }

    /// Creates a proposal from an external sender (§12.1.8). An external sender is not a member. The group's `external_senders`
    /// extension contains all external senders.
    ///
    /// - Parameters:
    ///   - proposal: an Add, Remove, PreSharedKey, ReInit or GroupContextExtensions.
    ///   - senderIndex: the sender's position in the extension's list.
    ///   - groupID: the group's identifier.
    ///   - epoch: the group's current epoch.
    ///   - signer: the sender's key.
    public static func externalProposal(
        _ proposal: Proposal, senderIndex: UInt32, groupID: [UInt8], epoch: UInt64, signer: SignaturePrivateKey
    ) throws(MLSError) -> MLSMessage {
        guard proposal.type.mayBeSentExternally else { throw .message(.externalProposalType) }
        return try outsideProposal(proposal, .external(senderIndex), groupID, epoch, signer)
    }

    /// Creates a client's proposal of its own addition (§12.1.8).
    public static func newMemberProposal(
        _ bundle: KeyPackageBundle, groupID: [UInt8], epoch: UInt64
    ) throws(MLSError) -> MLSMessage {
        try outsideProposal(.add(bundle.keyPackage), .newMemberProposal, groupID, epoch, bundle.signer)
    }

    private static func outsideProposal(
        _ proposal: Proposal, _ sender: Sender, _ groupID: [UInt8], _ epoch: UInt64, _ signer: SignaturePrivateKey
    ) throws(MLSError) -> MLSMessage {
        let framed = FramedContent(
            groupID: groupID, epoch: epoch, sender: sender, authenticatedData: [], content: .proposal(proposal))
        let content = try AuthenticatedContent(
            signing: framed, wireFormat: .publicMessage, context: nil, key: signer)
        return .publicMessage(PublicMessage(content: content.content, auth: content.auth, membershipTag: nil))
    }
}
