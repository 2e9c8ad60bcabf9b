/// The secret tree of an epoch, with the ratchets of its members (RFC 9420 §9).
///
/// A node is derived when a leaf below the node is first needed. A node is deleted as soon as its children exist (§9.2).
struct SecretTree: Sendable {
    private let algorithms: Algorithms
    private var nodes: DerivationTree
    private var leaves: [LeafIndex: LeafRatchets] = [:]
    /// The records that have changed since the last call of `takeChanges()`.
    private var changed: Set<GroupRecordKey> = []

    /// The ratchets of one member.
    struct LeafRatchets: Sendable {
        var handshake: HashRatchet
        var application: HashRatchet

        subscript(type: ContentType) -> HashRatchet {
            get { type == .application ? application : handshake }
            set { if type == .application { application = newValue } else { handshake = newValue } }
        }
    }

    /// A computed change of the tree, with a message's key. A received message must be authenticated before the change is
    /// applied.
    struct Step: Sendable {
        fileprivate let leaf: LeafIndex
        fileprivate let ratchets: LeafRatchets
        fileprivate let removedNodes: [Int]
        fileprivate let addedNodes: [Int: SecretBytes]
        let key: MessageKey
    }

    init(encryptionSecret: SecretBytes, size: Int, _ algorithms: Algorithms) {
        self.algorithms = algorithms
        nodes = DerivationTree(root: encryptionSecret, size: size)
        changed = [.node(UInt32(TreeMath.root(size)))]
    }

    /// Returns the step with the next key of this member's own ratchet.
    func next(_ leaf: LeafIndex, _ type: ContentType) throws(MLSError) -> Step {
        try step(leaf) { (ratchets) throws(MLSError) in try ratchets[type].next(algorithms) }
    }

    /// Returns the step with the key of a given generation of a member's ratchet.
    func key(
        _ leaf: LeafIndex, _ type: ContentType, generation: UInt32, _ window: RatchetWindow
    ) throws(MLSError) -> Step {
        guard leaf.int < nodes.size else { throw .message(.sender) }
        return try step(leaf) { (ratchets) throws(MLSError) in
            try ratchets[type].take(generation, window, algorithms)
        }
    }

    /// Applies a change that was computed for the current state.
    mutating func apply(_ step: Step) {
        nodes.apply(removed: step.removedNodes, added: step.addedNodes)
        for node in step.removedNodes { changed.insert(.node(UInt32(node))) }
        for node in step.addedNodes.keys { changed.insert(.node(UInt32(node))) }
        leaves[step.leaf] = step.ratchets
        changed.insert(.leaf(step.leaf))
    }

    private func step(
        _ leaf: LeafIndex, _ take: (inout LeafRatchets) throws(MLSError) -> MessageKey
    ) throws(MLSError) -> Step {
        if var ratchets = leaves[leaf] {
            let key = try take(&ratchets)
            return Step(leaf: leaf, ratchets: ratchets, removedNodes: [], addedNodes: [:], key: key)
        }
        let derived = try derive(leaf)
        var ratchets = derived.ratchets
        let key = try take(&ratchets)
        return Step(
            leaf: leaf, ratchets: ratchets, removedNodes: derived.removed, addedNodes: derived.added, key: key)
    }

    /// Derives a leaf's ratchets from the lowest existing node above the leaf (§9).
    private func derive(
        _ leaf: LeafIndex
    ) throws(MLSError) -> (ratchets: LeafRatchets, removed: [Int], added: [Int: SecretBytes]) {
        guard let derived = nodes.derive(leaf, algorithms.hash) else { throw .message(.generationConsumed) }
        let hash = algorithms.hash
        let ratchets = LeafRatchets(
            handshake: HashRatchet(secret: hash.deriveSecret(derived.secret, "handshake")),
            application: HashRatchet(secret: hash.deriveSecret(derived.secret, "application")))
        return (ratchets, derived.removed, derived.added)
    }

    /// Deletes all keys.
    mutating func removeAll() {
        changed.formUnion(recordKeys)
        nodes = DerivationTree(secrets: [:], size: nodes.size)
        leaves = [:]
    }

    /// Returns the number of a member's missing messages whose keys are stored.
    func skippedCount(_ leaf: LeafIndex, _ type: ContentType) -> Int { leaves[leaf]?[type].skippedCount ?? 0 }

    // MARK: Persistence

    /// Returns the keys of the records that have changed since the last call.
    mutating func takeChanges() -> Set<GroupRecordKey> {
        defer { changed = [] }
        return changed
    }

    /// The keys of all records.
    var recordKeys: [GroupRecordKey] {
        nodes.secrets.keys.map { .node(UInt32($0)) } + leaves.keys.map { .leaf($0) }
    }

    /// Returns a record's content; nil if the record no longer exists.
    func content(of key: GroupRecordKey) -> SecretBytes? {
        switch key {
        case .node(let index): nodes.secrets[Int(index)]
        case .leaf(let leaf): leaves[leaf]?.encoded
        case .proposal, .exporter: nil
        }
    }

    /// Restores a tree from its records.
    init(
        records: [(key: GroupRecordKey, content: SecretBytes)], size: Int, _ algorithms: Algorithms
    ) throws(MLSError) {
        self.algorithms = algorithms
        var secrets: [Int: SecretBytes] = [:]
        for record in records {
            switch record.key {
            case .node(let index):
                guard record.content.count == algorithms.hashLength, index < TreeMath.nodeWidth(size) else {
                    throw .storage(.malformed)
                }
                secrets[Int(index)] = record.content
            case .leaf(let leaf):
                guard leaf.int < size else { throw .storage(.malformed) }
                leaves[leaf] = try LeafRatchets(decoding: record.content)
            case .proposal, .exporter: continue
            }
        }
        nodes = DerivationTree(secrets: secrets, size: size)
    }
}

/// The limits for messages that arrive out of order (RFC 9420 §9.2, §15.3).
struct RatchetWindow: Sendable {
    let maximumForwardDistance: UInt32
    let outOfOrderWindow: UInt32
}
