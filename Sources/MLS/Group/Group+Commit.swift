import TLSCodec

/// The contents of a commit, besides the proposals received before.
public struct CommitOptions: Sendable {
    /// Proposals to be made by the commit itself.
    public var proposals: [Proposal] = []
    /// Whether to include the proposals that others made in this epoch, as §12.4 recommends. A proposal is left out if it
    /// conflicts with the commit's own proposals or with an earlier one, or if it is a PSK that this member does not have.
    public var includesReceivedProposals = true
    /// Whether to renew the committer's path even where that is not required. It heals a compromise (§12.4).
    public var renewsPath = true
    /// A new credential, key or capabilities for the committer's leaf.
    public var newLeaf: Client?
    /// Data that is authenticated with the commit and not encrypted.
    public var authenticatedData: [UInt8] = []
    /// More extensions for the Welcome's GroupInfo.
    public var groupInfoExtensions: [Extension] = []
    /// The PSK usage that a reinitialization or branching allows; see ``Group/reinitialize(with:in:)``.
    var allowedUsage: ResumptionUsage?

    /// A commit of the proposals received so far.
    public init() {}

    /// A commit that makes these proposals too.
    public init(_ proposals: [Proposal]) { self.proposals = proposals }
}

extension Group {
    /// Makes a commit (RFC 9420 §12.4.1). The group stays in its epoch; only a key of the member's own handshake ratchet
    /// is used up if the commit is encrypted, so store the ratchet state before sending.
    ///
    /// - Throws: ``MLSError/proposals(_:)``, ``MLSError/keyPackage(_:)``, ``MLSError/leafNode(_:)`` or
    ///   ``MLSError/preSharedKey(_:)`` if `options` would make the commit invalid.
    public mutating func commit(
        _ options: CommitOptions = CommitOptions(), in environment: MLSEnvironment
    ) throws(MLSError) -> PendingCommit {
        try requireActive()
        guard options.authenticatedData.count <= Limits.contentLength else { throw .usage(.tooLarge) }
        var committed =
            options.includesReceivedProposals ? proposals.selection(for: ownLeafIndex, beside: options.proposals) : []
        // A ReInit must be alone in its commit: other changes go first, and the ReInit may be sent again (§12.2).
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

    /// A list that may be committed, with its effect.
    private struct JudgedList {
        /// The proposals of the list that were received.
        let received: [ProposalCache.Entry]
        let list: [ProposalOrRef]
        let applied: AppliedProposals
        let preSharedKeys: [ResolvedPSK]
    }

    /// Judges a commit's list: the received proposals in order of arrival, then the commit's own.
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

    /// The list with as many received proposals as are valid together. Each one is valid alone; one that conflicts with
    /// others must not keep a member from committing at all.
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

    /// Extends a valid list by those received proposals that are valid with it. Where they are not all valid together, it
    /// tries each half, so that a few misfits among many cost a few trials. Proposals that are undecided when the trials
    /// are used up stay out.
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

    /// The committer's next leaf: as it is, or with the caller's changes.
    private func template(_ new: Client?, _ random: RandomSource) throws(MLSError) -> LeafTemplate {
        if let new {
            guard new.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
            return new.template(random: random)
        }
        guard let leaf = tree[ownLeafIndex] else { throw .internalError }
        return LeafTemplate(
            credential: leaf.credential, capabilities: leaf.capabilities, extensions: leaf.extensions, signer: signer)
    }

    /// Protects handshake content as the configuration says, using up a key of the own ratchet if encrypted.
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

    /// Finds the secrets of pre-shared keys (§8.4): this group's own resumption PSKs first, then the application's.
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
