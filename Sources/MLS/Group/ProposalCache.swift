/// The proposals of this epoch to which a commit may refer (RFC 9420 §12.1, §12.4), in the order of arrival. This member does not
/// commit discarded proposals. Discarded proposals stay stored: a different member may commit them.
struct ProposalCache: Sendable {
    struct Entry: Sendable {
        let reference: [UInt8]
        let proposal: Proposal
        let sender: Sender
        /// The keys of the new leaf, if the proposal is this member's own Update.
        let ownUpdate: OwnUpdate?
        /// Whether the proposal was discarded. This member does not commit discarded proposals.
        var isDiscarded = false
    }

    /// The keys of this member's Update, which the member uses after a commit of the Update.
    struct OwnUpdate: Sendable {
        let encryptionKey: HPKEPrivateKey
        let signer: SignaturePrivateKey
    }

    private(set) var entries: [Entry] = []
    private var indices: [[UInt8]: Int] = [:]
    /// The positions of the entries that have changed since the last call of `takeChanges()`.
    private var changed: Set<UInt32> = []

    /// The number of proposals that were neither committed nor discarded.
    private var waitingCount = 0

    /// Whether all proposals were committed or discarded.
    var isEmpty: Bool { waitingCount == 0 }

    /// The proposals that were neither committed nor discarded.
    var waiting: [Entry] { entries.filter { !$0.isDiscarded } }

    subscript(reference: [UInt8]) -> Entry? { indices[reference].map { entries[$0] } }

    mutating func insert(_ entry: Entry) {
        guard indices[entry.reference] == nil else { return }
        indices[entry.reference] = entries.count
        changed.insert(UInt32(entries.count))
        entries.append(entry)
        if !entry.isDiscarded { waitingCount += 1 }
    }

    mutating func discardAll() {
        for index in entries.indices where !entries[index].isDiscarded {
            entries[index].isDiscarded = true
            changed.insert(UInt32(index))
        }
        waitingCount = 0
    }

    mutating func removeAll() {
        changed.formUnion(entries.indices.map { UInt32($0) })
        entries = []
        indices = [:]
        waitingCount = 0
    }

    mutating func takeChanges() -> Set<UInt32> {
        defer { changed = [] }
        return changed
    }

    /// Returns the proposals that a member's commit should contain (§12.2, §12.4). Leaves out updates and removals of the
    /// committer's leaf. Returns at most one change per leaf: a removal takes precedence over an update of the same leaf.
    /// Returns a ReInit only if there is no other proposal.
    ///
    /// - Parameter own: the commit's own proposals. Own proposals take precedence over received proposals. The only exception is
    ///   a received self-remove: the self-remove takes precedence over every Remove that would remove its sender
    ///   (draft-ietf-mls-extensions).
    func selection(for committer: LeafIndex, beside own: [Proposal]) -> [Entry] {
        let entries = waiting
        var changeOfLeaf: [LeafIndex: Int] = [:]
        var ownRemovals: Set<LeafIndex> = []
        for case .remove(let leaf) in own { ownRemovals.insert(leaf) }
        for (index, entry) in entries.enumerated() {
            guard let leaf = entry.changedLeaf, leaf != committer,
                entry.proposal == .selfRemove || !ownRemovals.contains(leaf)
            else { continue }
            if let earlier = changeOfLeaf[leaf], entries[earlier].changeRank > entry.changeRank { continue }
            changeOfLeaf[leaf] = index
        }
        var seenKeys: Set<PreSharedKeyID> = []
        var seenClients: Set<SignaturePublicKey> = []
        for case .add(let keyPackage) in own { seenClients.insert(keyPackage.leafNode.signatureKey) }
        for case .preSharedKey(let id) in own { seenKeys.insert(id) }
        var hasExtensions = own.contains { $0.type == .groupContextExtensions }
        let selected = entries.enumerated().filter { index, entry in
            switch entry.proposal {
            case .update, .remove, .selfRemove:
                return entry.changedLeaf.map { changeOfLeaf[$0] == index } ?? false
            case .preSharedKey(let id): return seenKeys.insert(id).inserted
            case .add(let keyPackage): return seenClients.insert(keyPackage.leafNode.signatureKey).inserted
            case .groupContextExtensions:
                defer { hasExtensions = true }
                return !hasExtensions
            case .reInit, .externalInit: return false
            }
        }.map(\.element)
        if selected.isEmpty, let reInit = entries.first(where: { $0.proposal.type == .reInit }) { return [reInit] }
        return selected
    }
}

extension ProposalCache.Entry {
    /// The leaf that the proposal replaces or removes.
    var changedLeaf: LeafIndex? {
        switch proposal {
        case .remove(let leaf): leaf
        case .update, .selfRemove: if case .member(let leaf) = sender { leaf } else { nil }
        default: nil
        }
    }

    /// The rank of a change of a leaf (§12.2; draft-ietf-mls-extensions for self-removes). Of several changes of one leaf, the
    /// change with the highest rank wins.
    fileprivate var changeRank: Int {
        switch proposal.type {
        case .selfRemove: 2
        case .remove: 1
        default: 0
        }
    }
}
