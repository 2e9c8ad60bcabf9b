/// The effect of a commit on a group.
public struct CommitEffect: Sendable {
    /// The committer: a member, or a client that joined by the commit.
    public let committer: Sender
    /// The committer's leaf in the new epoch.
    public let committerLeaf: LeafIndex
    /// The clients that become members, with their leaves.
    public let added: [(index: LeafIndex, leaf: LeafNode)]
    /// The members whose leaves change. If the committer's leaf changes, the list includes the committer.
    public let updated: [(index: LeafIndex, old: LeafNode, new: LeafNode)]
    /// The members that are removed, with their leaves.
    public let removed: [(index: LeafIndex, leaf: LeafNode)]
    /// The group's new extensions; nil if the commit does not change the extensions.
    public let extensions: [Extension]?
    /// The pre-shared keys that enter the key schedule.
    public let preSharedKeys: [PreSharedKeyID]
    /// The ReInit, if this commit closes the group and announces a successor.
    public let reInit: ReInit?
    /// Data that was sent with the commit, authenticated but not encrypted.
    public let authenticatedData: [UInt8]
    /// Whether the commit removes this member.
    public let removesSelf: Bool
}

/// Identifies a state of the group. A commit can be applied only to the state for which it was created or checked.
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

/// A received commit that has passed all checks. The commit takes effect when it is applied.
public struct StagedCommit: Sendable {
    let base: CommitBase
    /// The group in the next epoch; nil if the commit removes this member.
    let next: Group?
    /// The effect of the commit.
    public let effect: CommitEffect

    /// The number of the epoch that begins with the commit.
    public var epoch: UInt64 { base.epoch + 1 }

    /// Returns a secret from the exporter of the epoch that begins with the commit (§8.5).
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the commit removes this member, or if `length` is less than 1 or more than 255 times
    ///   the hash length.
    public func export(label: String, context: [UInt8] = [], length: Int) throws(MLSError) -> SecretBytes {
        guard let next else { throw .usage(.groupInactive) }
        return try next.export(label: label, context: context, length: length)
    }

    /// The epoch authenticator of the epoch that begins with the commit (§8.7); nil if the commit removes this member.
    public var epochAuthenticator: SecretBytes? { next?.epochAuthenticator }
}

/// A commit that this member has created. Send ``message``. If the delivery service accepts the commit, apply it. If a different
/// commit was accepted first, drop this one.
public struct PendingCommit: Sendable {
    let base: CommitBase
    let next: Group
    /// The commit to send to the members.
    public let message: MLSMessage
    /// The Welcome for the new members; nil if the commit adds no member. Send the Welcome after the commit was accepted.
    public let welcome: MLSMessage?
    /// The effect of the commit.
    public let effect: CommitEffect

    /// The number of the epoch that begins with the commit.
    public var epoch: UInt64 { base.epoch + 1 }

    /// Returns a GroupInfo of the epoch that begins with the commit (§12.4.3).
    public func groupInfo(
        includesRatchetTree: Bool = true, includesExternalPub: Bool = true, extensions: [Extension] = []
    ) throws(MLSError) -> MLSMessage {
        try next.groupInfo(
            includesRatchetTree: includesRatchetTree, includesExternalPub: includesExternalPub,
            extensions: extensions)
    }

    /// Returns a secret from the exporter of the epoch that begins with the commit (§8.5).
    public func export(label: String, context: [UInt8] = [], length: Int) throws(MLSError) -> SecretBytes {
        try next.export(label: label, context: context, length: length)
    }

    /// The epoch authenticator of the epoch that begins with the commit (§8.7).
    public var epochAuthenticator: SecretBytes { next.epochAuthenticator }

    /// The tree of the epoch that begins with the commit. An application can deliver the tree separately from the Welcome.
    public var ratchetTree: [UInt8] { next.tree.encoded }
}

extension Group {
    /// Enters the epoch of a commit that this member has created.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the group has changed since the commit was created, or if this member was removed.
    public mutating func apply(_ commit: PendingCommit) throws(MLSError) {
        // A removed member enters no new epoch, so the comparison with the base would not notice the removal.
        guard status != .removed else { throw .usage(.groupInactive) }
        guard commit.base == CommitBase(self) else { throw .usage(.staleCommit) }
        self = commit.next
    }

    /// Enters the epoch of a received commit. If the commit removes this member, all secrets of the group are erased.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the group has changed since the commit was processed, or if this member was removed.
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

    /// Erases the proposals, the private keys of the tree, the keys for messages and exports of this epoch, and the resumption
    /// PSKs of past epochs. Replaces each remaining secret of the epoch by a hash of the secret. Only clients that knew the
    /// epoch's secrets can compute the hashes. So even if the program uses a hash as a secret by mistake, no other client knows
    /// that secret.
    private mutating func forgetSecrets() {
        proposals.removeAll()
        privateKeys = [:]
        resumptionPSKs = []
        secretTree.removeAll()
        exporterTree.removeAll()
        secrets = EpochSecrets(stored: secrets.stored.map { algorithms.hash.deriveSecret($0, "removed") })
    }
}
