import TLSCodec

/// The contents of a commit, in addition to received proposals.
public struct CommitOptions: Sendable {
    /// Proposals that the commit itself contains.
    public var proposals: [Proposal] = []
    /// Whether the commit includes the received proposals of this epoch, as §12.4 recommends. A received proposal is left out
    /// if it is invalid, or if it conflicts with ``proposals`` or with another received proposal that takes precedence. A
    /// PreSharedKey proposal is left out if this member does not have the PSK.
    public var includesReceivedProposals = true
    /// Whether the commit renews the committer's path even if no proposal requires a path and ``newLeaf`` is nil. New keys end
    /// a compromise (§12.4). The option has no effect on a commit of a ReInit.
    public var renewsPath = true
    /// New client data for the committer's leaf, for example a new credential, key or capabilities. Nil keeps the old data.
    public var newLeaf: Client?
    /// Data that is authenticated with the commit but not encrypted.
    public var authenticatedData: [UInt8] = []
    /// Additional extensions for the GroupInfo in the Welcome.
    public var groupInfoExtensions: [Extension] = []
    /// The allowed usage of a resumption PSK in this commit. A reinitialization allows `reInit` (see
    /// ``Group/reinitialize(with:in:)``), and a branching allows `branch`. The value is nil for a commit that neither
    /// reinitializes nor branches a group.
    var allowedUsage: ResumptionUsage?

    /// Creates options for a commit of the proposals received so far.
    public init() {}

    /// Creates options for a commit of the given proposals and of the proposals received so far.
    public init(_ proposals: [Proposal]) { self.proposals = proposals }
}

extension Group {
    /// Creates a commit (RFC 9420 §12.4.1). The group stays in its epoch. An encrypted commit uses up a key of the member's own
    /// handshake ratchet. Store the result of ``takeChangedRecords()`` before sending the commit.
    ///
    /// - Throws: ``MLSError/proposals(_:)``, ``MLSError/keyPackage(_:)``, ``MLSError/leafNode(_:)`` or
    ///   ``MLSError/preSharedKey(_:)`` if `options` make the commit invalid.
    public mutating func commit(
        _ options: CommitOptions = CommitOptions(), in environment: MLSEnvironment
    ) throws(MLSError) -> PendingCommit {
        try requireActive()
        guard options.authenticatedData.count <= Limits.contentLength else { throw .usage(.tooLarge) }
        var committed =
            options.includesReceivedProposals ? proposals.selection(for: ownLeafIndex, beside: options.proposals) : []
        // A ReInit must be the only proposal of its commit. Other changes are committed first, and the ReInit may be sent again
        // (§12.2).
        if !options.proposals.isEmpty { committed.removeAll { $0.proposal.type == .reInit } }
        let judged = try fitting(committed, options, environment)
        let applied = judged.applied
        let needsPath = applied.requiresPath || (options.renewsPath && applied.reInit == nil) || options.newLeaf != nil
        var builder = CommitBuilder(
            old: .init(self, environment), applied: applied, committer: .member(ownLeafIndex), leaf: ownLeafIndex,
            template: try template(options.newLeaf, environment.random), preSharedKeys: judged.preSharedKeys,
            environment: environment)
        let made = try builder.build(
            judged.list, makesPath: needsPath, initSecret: secrets.initSecret, options: options, signer: signer)
        let message = try protect(made.content, environment)
        return PendingCommit(
            base: CommitBase(self), next: made.next, message: message, welcome: made.welcome, effect: made.effect)
    }

    /// A valid list of proposals for a commit, together with its effect.
    private struct JudgedList {
        /// The received proposals in the list.
        let received: [ProposalCache.Entry]
        let list: [ProposalOrRef]
        let applied: AppliedProposals
        let preSharedKeys: [ResolvedPSK]
    }

    /// Checks the proposals of a commit. Received proposals come first, in the order of arrival. The commit's own proposals come
    /// last.
    private func judge(
        _ received: [ProposalCache.Entry], _ options: CommitOptions, _ environment: MLSEnvironment
    ) throws(MLSError) -> JudgedList {
        let leaving = Set(received.lazy.filter { $0.proposal == .selfRemove }.compactMap(\.changedLeaf))
        let own = options.proposals.filter { proposal in
            if case .remove(let leaf) = proposal { !leaving.contains(leaf) } else { true }
        }
        let list = received.map { ProposalOrRef.reference($0.reference) } + own.map { .proposal($0) }
        let checker = ProposalList(
            group: view, committer: .member(ownLeafIndex), environment: environment,
            allowedUsage: options.allowedUsage, isSending: true)
        let applied = try checker.apply(
            try ProposalList.resolve(list, proposals, sender: .member(ownLeafIndex)))
        return JudgedList(
            received: received, list: list, applied: applied,
            preSharedKeys: try resolve(applied.preSharedKeys, environment))
    }

    /// Returns a valid list of received proposals and the commit's own proposals. Leaves out received proposals that make the
    /// list invalid. An invalid received proposal never prevents a commit.
    private func fitting(
        _ received: [ProposalCache.Entry], _ options: CommitOptions, _ environment: MLSEnvironment
    ) throws(MLSError) -> JudgedList {
        do { return try judge(received, options, environment) } catch {
            guard !received.isEmpty else { throw error }
            let own = try judge([], options, environment)
            var trials = Limits.selectionTrials
            return extend(own, by: received[...], options, environment, &trials)
        }
    }

    /// Adds received proposals to a valid list. If the list is invalid with all of `received`, tries each half of `received`
    /// separately. If few of many proposals are invalid, halving finds the invalid proposals in few trials. After `trials`
    /// trials, leaves out all undecided proposals.
    private func extend(
        _ kept: JudgedList, by received: ArraySlice<ProposalCache.Entry>, _ options: CommitOptions,
        _ environment: MLSEnvironment, _ trials: inout Int
    ) -> JudgedList {
        guard trials > 0 else { return kept }
        trials -= 1
        if let all = try? judge(kept.received + received, options, environment) { return all }
        guard received.count > 1 else { return kept }
        let middle = received.startIndex + received.count / 2
        let first = extend(kept, by: received[..<middle], options, environment, &trials)
        return extend(first, by: received[middle...], options, environment, &trials)
    }

    var view: ProposalList.GroupView {
        ProposalList.GroupView(algorithms: algorithms, context: context, tree: tree)
    }

    /// Returns the contents of the committer's next leaf. If `new` is nil, the client data stays unchanged.
    private func template(_ new: Client?, _ random: RandomSource) throws(MLSError) -> LeafTemplate {
        if let new {
            guard new.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
            return new.template(random: random)
        }
        guard let leaf = tree[ownLeafIndex] else { throw .internalError }
        return LeafTemplate(
            credential: leaf.credential, capabilities: leaf.capabilities, extensions: leaf.extensions, signer: signer)
    }

    /// Protects handshake content as the configuration requires. Encryption uses up a key of the member's own handshake ratchet.
    mutating func protect(
        _ content: AuthenticatedContent, _ environment: MLSEnvironment
    ) throws(MLSError) -> MLSMessage {
        guard content.wireFormat == .privateMessage else {
            return .publicMessage(
                try PublicMessage.protect(
                    content, membershipKey: secrets.membershipKey, context: context, algorithms.hash))
        }
        let step = try secretTree.next(ownLeafIndex, content.content.content.type)
        let message = try PrivateMessage.protect(
            content,
            with: .init(leaf: ownLeafIndex, message: step.key, senderDataSecret: secrets.senderDataSecret),
            padding: environment.configuration.padding, random: environment.random, algorithms)
        secretTree.apply(step)
        return .privateMessage(message)
    }

    /// Returns the secrets of pre-shared keys (§8.4). The group has stored its own resumption PSKs, and the application provides
    /// the other pre-shared keys.
    func resolve(_ ids: [PreSharedKeyID], _ environment: MLSEnvironment) throws(MLSError) -> [ResolvedPSK] {
        var resolved: [ResolvedPSK] = []
        for id in ids {
            var secret: SecretBytes?
            if case .resumption(_, context.groupID, let epoch) = id.kind {
                secret =
                    epoch == context.epoch
                    ? secrets.resumptionPSK : resumptionPSKs.first { $0.epoch == epoch }?.secret
            }
            guard let secret = secret ?? environment.preSharedKey(id.kind) else { throw .preSharedKey(.unknown) }
            resolved.append(ResolvedPSK(id: id, secret: secret))
        }
        return resolved
    }
}
