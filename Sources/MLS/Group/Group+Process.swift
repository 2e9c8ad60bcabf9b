import TLSCodec

/// The result of processing a message.
public enum ReceivedMessage: Sendable {
    /// Application data.
    case application(ApplicationMessage)
    /// A proposal. The group has stored the proposal for a later commit.
    case proposal(ReceivedProposal)
    /// A valid commit. The commit takes effect with ``Group/apply(_:)-(StagedCommit)``.
    case commit(StagedCommit)
}

/// Decrypted and verified application data (RFC 9420 §15).
public struct ApplicationMessage: Sendable {
    /// The leaf of the sender.
    public let sender: LeafIndex
    /// The sender's data.
    public let data: [UInt8]
    /// Data that was sent with the message, authenticated but not encrypted.
    public let authenticatedData: [UInt8]
    /// The epoch in which the message was sent.
    public let epoch: UInt64
    /// The message's number among the sender's messages of this epoch, from 0. A gap in a sender's numbers means that messages
    /// are missing.
    public let generation: UInt32
}

/// A verified and stored proposal (RFC 9420 §12.1).
public struct ReceivedProposal: Sendable {
    /// The sender of the proposal.
    public let sender: Sender
    /// The proposed change.
    public let proposal: Proposal
    /// The proposal's reference (§5.2).
    public let reference: [UInt8]
    /// Data that was sent with the proposal, authenticated but not encrypted.
    public let authenticatedData: [UInt8]
}

extension Group {
    /// Processes an encoded message of this group (RFC 9420 §6).
    ///
    /// - Throws: the errors of ``process(_:in:)-(MLSMessage,_)``, and ``MLSError/malformed(_:)``.
    public mutating func process(
        _ bytes: [UInt8], in environment: MLSEnvironment
    ) throws(MLSError) -> ReceivedMessage {
        try process(MLSMessage.decode(bytes), in: environment)
    }

    /// Processes a message of this group (RFC 9420 §6).
    ///
    /// Application data uses up a key of the group. The group stores a received proposal. After application data or a proposal,
    /// store the result of ``takeChangedRecords()``. A received commit changes the group only when the caller applies the
    /// returned ``StagedCommit``.
    ///
    /// - Throws: ``MLSError/message(_:)`` if the message is not genuine or does not fit the group's state. ``MLSError/usage(_:)``
    ///   if the group is inactive. If a proposal or commit is invalid, the error for the broken rule. After an error, the group
    ///   is unchanged.
    public mutating func process(
        _ message: MLSMessage, in environment: MLSEnvironment
    ) throws(MLSError) -> ReceivedMessage {
        guard status != .removed else { throw .usage(.groupInactive) }
        switch message {
        case .publicMessage(let message): return try process(message, environment)
        case .privateMessage(let message): return try process(message, environment)
        case .welcome, .groupInfo, .keyPackage: throw .message(.wireFormat)
        }
    }

    private func checkPlace(_ groupID: [UInt8], _ epoch: UInt64) throws(MLSError) {
        guard groupID == context.groupID else { throw .message(.groupID) }
        guard epoch == context.epoch else {
            throw .message(.epoch(current: context.epoch, message: epoch))
        }
    }

    // MARK: PublicMessage

    private mutating func process(
        _ message: PublicMessage, _ environment: MLSEnvironment
    ) throws(MLSError) -> ReceivedMessage {
        try checkPlace(message.groupID, message.epoch)
        switch message.sender {
        case .member(let leaf): if leaf == ownLeafIndex { throw .message(.fromSelf) }
        case .newMemberProposal, .newMemberCommit:
            guard environment.configuration.acceptsNewcomers else { throw .message(.senderType) }
        case .external: break
        }
        let content = try message.unprotect(
            membershipKey: secrets.membershipKey, context: context, algorithms.hash)
        let verified = try content.verify(
            try verificationKey(content, environment), context: context, algorithms.signature)
        return try receive(verified, generation: 0, environment)
    }

    /// Returns the public key for verifying a message's signature (§6.1).
    private func verificationKey(
        _ content: AuthenticatedContent, _ environment: MLSEnvironment
    ) throws(MLSError) -> SignaturePublicKey {
        switch content.content.sender {
        case .member(let leaf):
            guard let key = tree[leaf]?.signatureKey else { throw .message(.sender) }
            return key
        case .external(let index):
            guard case .proposal = content.content.content else { throw .message(.senderType) }
            let senders = try decoding { () throws(TLSCodecError) in try context.extensions.externalSenders() }
            guard index < senders.count else { throw .message(.sender) }
            let sender = senders[Int(index)]
            guard
                environment.authentication.isValid(
                    sender.credential, signatureKey: sender.signatureKey, as: .externalSender)
            else { throw .message(.sender) }
            return sender.signatureKey
        case .newMemberProposal:
            guard case .proposal(.add(let keyPackage)) = content.content.content else { throw .message(.senderType) }
            return keyPackage.leafNode.signatureKey
        case .newMemberCommit:
            guard case .commit(let commit) = content.content.content else { throw .message(.senderType) }
            guard let path = commit.path else { throw .commit(.pathRequired) }
            return path.leafNode.signatureKey
        }
    }

    // MARK: PrivateMessage

    private mutating func process(
        _ message: PrivateMessage, _ environment: MLSEnvironment
    ) throws(MLSError) -> ReceivedMessage {
        try checkPlace(message.groupID, message.epoch)
        let senderData = try message.senderData(secrets.senderDataSecret, algorithms)
        guard senderData.leafIndex != ownLeafIndex else { throw .message(.fromSelf) }
        guard let leaf = tree[senderData.leafIndex] else { throw .message(.sender) }
        let step = try secretTree.key(
            senderData.leafIndex, message.contentType, generation: senderData.generation,
            environment.configuration.window)
        let content = try message.unprotect(senderData, step.key, algorithms)
        let verified = try content.verify(leaf.signatureKey, context: context, algorithms.signature)
        let received = try receive(verified, generation: senderData.generation, environment)
        // The key is used up only now, after all checks. A commit ends its epoch, so its key need not be used up.
        if case .commit = received { return received }
        secretTree.apply(step)
        return received
    }

    // MARK: Content

    private mutating func receive(
        _ verified: VerifiedContent, generation: UInt32, _ environment: MLSEnvironment
    ) throws(MLSError) -> ReceivedMessage {
        switch verified.framed.content {
        case .application(let data):
            guard case .member(let sender) = verified.sender else { throw .message(.senderType) }
            return .application(
                ApplicationMessage(
                    sender: sender, data: data, authenticatedData: verified.framed.authenticatedData,
                    epoch: verified.framed.epoch, generation: generation))
        case .proposal(let proposal):
            try requireActive()
            try validate(
                proposal, from: verified.sender, verified.wireFormat, isSending: false, environment)
            let reference = verified.proposalRef(algorithms.hash)
            proposals.insert(
                .init(reference: reference, proposal: proposal, sender: verified.sender, ownUpdate: nil))
            return .proposal(
                ReceivedProposal(
                    sender: verified.sender, proposal: proposal, reference: reference,
                    authenticatedData: verified.framed.authenticatedData))
        case .commit(let commit):
            try requireActive()
            return .commit(try stage(commit, verified, environment))
        }
    }

    /// Checks the rules for a single proposal (§12.1). Every sent or received proposal is checked before the group stores it.
    func validate(
        _ proposal: Proposal, from sender: Sender, _ wireFormat: WireFormat, isSending: Bool,
        _ environment: MLSEnvironment
    ) throws(MLSError) {
        switch sender {
        case .external:
            guard proposal.type.mayBeSentExternally else { throw .message(.externalProposalType) }
        case .newMemberCommit: throw .message(.senderType)
        case .member, .newMemberProposal: break
        }
        guard tree.census.allSupport(proposal.type) else { throw .proposals(.unsupportedType) }
        let rules = try LeafNodeRules(
            suite: context.cipherSuite, extensions: context.extensions, isSending: isSending)
        switch proposal {
        case .add(let keyPackage): _ = try VerifiedKeyPackage.verify(keyPackage, rules, environment)
        case .update(let leaf):
            guard case .member(let index) = sender, let old = tree[index] else {
                throw .proposals(.updateSender)
            }
            try leaf.validate(.update(replacing: old), rules, environment)
            try tree.validateUniqueness(leaf, replacing: old)
            guard
                leaf.isSignatureValid(.init(groupID: context.groupID, leafIndex: index), algorithms.signature)
            else { throw .leafNode(.signature) }
        case .remove(let index):
            guard tree[index] != nil else { throw .proposals(.removedLeafBlank) }
        case .preSharedKey(let id): try id.validate(nil, algorithms)
        case .reInit(let reInit):
            guard reInit.version.rawValue >= context.version.rawValue else { throw .proposals(.reInitVersion) }
            try validateGroupExtensions(reInit.extensions, replacing: context.extensions, environment)
        case .externalInit: throw .proposals(.externalInit)
        case .groupContextExtensions(let extensions):
            try validateGroupExtensions(extensions, replacing: context.extensions, environment)
        case .selfRemove:
            guard case .member = sender, wireFormat == .publicMessage else {
                throw .message(.selfRemove)
            }
        }
    }
}
