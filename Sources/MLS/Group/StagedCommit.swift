/// The effect of a commit on a group.
public struct CommitEffect: Sendable {
    /// The committer: a member, or a client that joined by the commit.
    public let committer: Sender
    /// The committer's leaf in the new epoch.
    public let committerLeaf: LeafIndex
    /// The clients that become members.
    public let added: [(index: LeafIndex, leaf: LeafNode)]
    /// The members that changed their leaf, the committer too if it did.
    public let updated: [(index: LeafIndex, old: LeafNode, new: LeafNode)]
    /// The members that are removed.
    public let removed: [(index: LeafIndex, leaf: LeafNode)]
    /// The group's extensions, if they change.
    public let extensions: [Extension]?
    /// The pre-shared keys that enter the key schedule.
    public let preSharedKeys: [PreSharedKeyID]
    /// The group that is to follow this one.
    public let reInit: ReInit?
    /// Data that came with the commit.
    public let authenticatedData: [UInt8]
    /// Whether the commit removes this member.
    public let removesSelf: Bool
}

/// The state of a group that a commit was made for or checked against.
struct CommitBase: Hashable, Sendable {
    let epoch: UInt64
    let confirmationTag: [UInt8]
    let ownLeafIndex: LeafIndex

    init(epoch: UInt64, confirmationTag: [UInt8], ownLeafIndex: LeafIndex) {
        self.epoch = epoch
        self.confirmationTag = confirmationTag
        self.ownLeafIndex = ownLeafIndex
    }

    init(_ group: Group) {
        epoch = group.epoch
        confirmationTag = group.confirmationTag
        ownLeafIndex = group.ownLeafIndex
    }
}

/// A commit that was received and passed every check. Nothing happens until it is applied.
public struct StagedCommit: Sendable {
    let base: CommitBase
    /// The group in the next epoch; nil if the commit removes this member.
    let next: Group?
    /// The effect of the commit.
    public let effect: CommitEffect

    /// The number of the epoch that the commit opens.
    public var epoch: UInt64 { base.epoch + 1 }

    /// An exporter of the epoch that the commit opens (§8.5).
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the commit removes this member, or for an impossible length.
    public func export(label: String, context: [UInt8] = [], length: Int) throws(MLSError) -> SecretBytes {
        guard let next else { throw .usage(.groupInactive) }
        return try next.export(label: label, context: context, length: length)
    }

    /// The epoch authenticator of the epoch that the commit opens (§8.7); nil if the commit removes this member.
    public var epochAuthenticator: SecretBytes? { next?.epochAuthenticator }
}

/// A commit that this member made. Send it, and apply it when the delivery service has accepted it; drop it when another
/// commit was first.
public struct PendingCommit: Sendable {
    let base: CommitBase
    let next: Group
    /// The commit, to be sent to the members.
    public let message: MLSMessage
    /// The invitation for the new members, to be sent once the commit was accepted; nil if there are none.
    public let welcome: MLSMessage?
    /// The effect of the commit.
    public let effect: CommitEffect

    /// The number of the epoch that the commit opens.
    public var epoch: UInt64 { base.epoch + 1 }

    /// A GroupInfo of the epoch that the commit opens (§12.4.3).
    public func groupInfo(
        includesRatchetTree: Bool = true, includesExternalPub: Bool = true, extensions: [Extension] = []
    ) throws(MLSError) -> MLSMessage {
        try next.groupInfo(
            includesRatchetTree: includesRatchetTree, includesExternalPub: includesExternalPub,
            extensions: extensions)
    }

    /// An exporter of the epoch that the commit opens (§8.5).
    public func export(label: String, context: [UInt8] = [], length: Int) throws(MLSError) -> SecretBytes {
        try next.export(label: label, context: context, length: length)
    }

    /// The epoch authenticator of the epoch that the commit opens (§8.7).
    public var epochAuthenticator: SecretBytes { next.epochAuthenticator }

    /// The tree of the epoch that the commit opens, for applications that deliver it apart from the Welcome.
    public var ratchetTree: [UInt8] { next.tree.encoded }
}

extension Group {
    /// Enters the epoch of a commit that this member made.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the group has moved on since the commit was made, or this member was removed.
    public mutating func apply(_ commit: PendingCommit) throws(MLSError) {
        // Being removed opens no epoch here, so the base alone would still fit.
        guard status != .removed else { throw .usage(.groupInactive) }
        guard commit.base == CommitBase(self) else { throw .usage(.staleCommit) }
        self = commit.next
    }

    /// Enters the epoch of a commit that was received. If it removes this member, the secrets are gone afterwards.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the group has moved on since the commit was processed, or this member was removed.
    public mutating func apply(_ commit: StagedCommit) throws(MLSError) {
        guard status != .removed else { throw .usage(.groupInactive) }
        guard commit.base == CommitBase(self) else { throw .usage(.staleCommit) }
        guard let next = commit.next else {
            status = .removed
            forgetSecrets()
            return
        }
        self = next
    }

    /// Erases the keys of this epoch's messages and of other epochs. The epoch's own secrets are replaced by hashes of
    /// them, so that anything derived from them by mistake is unknown to strangers.
    private mutating func forgetSecrets() {
        proposals.removeAll()
        privateKeys = [:]
        resumptionPSKs = []
        secretTree.removeAll()
        exporterTree.removeAll()
        secrets = EpochSecrets(stored: secrets.stored.map { algorithms.hash.deriveSecret($0, "removed") })
    }
}
