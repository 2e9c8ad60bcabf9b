/// A received tree. Only ``verify(context:_:)`` turns a received tree into a ``RatchetTree``.
struct UnverifiedRatchetTree: Sendable {
    private var tree: RatchetTree

    /// Reads a tree. If the policy does not allow the tree's number of leaves, refuses the tree before hashing.
    init(
        decoding bytes: [UInt8], _ hash: HashAlgorithm, within policy: TreeWidthPolicy
    ) throws(MLSError) {
        tree = try RatchetTree(decoding: bytes, hash, within: policy)
    }

    /// The number of leaves that are not blank.
    var memberCount: Int { tree.memberCount }
    /// The number of leaves, including blank ones.
    var leafCount: Int { tree.size }
    /// The leaf at a given index; nil if the leaf is blank or does not exist. The signer's leaf contains the key for the
    /// GroupInfo's signature. Joining verifies the GroupInfo's signature first, and then the tree.
    subscript(leaf: LeafIndex) -> LeafNode? { tree[leaf] }

    /// Makes all checks of RFC 9420 §12.4.3.1 for the tree of a joined group.
    consuming func verify(
        context: GroupContext, _ environment: MLSEnvironment
    ) throws(MLSError) -> RatchetTree {
        let algorithms = try context.cipherSuite.requireAlgorithms()
        guard !tree.hasDuplicateEncryptionKey else { throw .tree(.duplicateEncryptionKey) }
        guard !tree.hasDuplicateSignatureKey else { throw .leafNode(.duplicateSignatureKey) }
        let rules = try LeafNodeRules(suite: context.cipherSuite, extensions: context.extensions, isSending: false)
        let unverified = self
        let members = Array(tree.members)
        let beside = { @Sendable () throws(MLSError) in
            try unverified.verifyStructure(members.map(\.leaf), context, rules, environment)
        }
        return try parallelMap(members, beside: beside) { (member) throws(MLSError) in
            let place = LeafNode.Place(groupID: context.groupID, leafIndex: member.index)
            guard member.leaf.isSignatureValid(place, algorithms.signature) else { throw .leafNode(.signature) }
        }.work
    }

    /// Makes the checks that need no signature.
    private func verifyStructure(
        _ leaves: [LeafNode], _ context: GroupContext, _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) -> RatchetTree {
        var tree = tree
        guard tree.treeHash() == context.treeHash else { throw .tree(.treeHash) }
        try verifyUnmergedLeaves(try context.cipherSuite.requireAlgorithms())
        try tree.verifyParentHashes()
        for leaf in leaves { try leaf.validate(.tree, rules, environment) }
        try tree.validateCredentialTypes()
        return tree
    }

    /// Checks the encryption key and the unmerged leaves of each parent node (§7.1, §12.4.3.1). The unmerged leaves must be in
    /// ascending order. Each unmerged leaf must exist and be below its parent node. If a parent node has an unmerged leaf, every
    /// parent node on the way down to the leaf must have the unmerged leaf.
    private func verifyUnmergedLeaves(_ algorithms: Algorithms) throws(MLSError) {
        for node in stride(from: 1, to: tree.width, by: 2) {
            guard let parent = tree[parent: node] else { continue }
            do { try algorithms.kem.validate(parent.encryptionKey) } catch { throw .tree(.invalidEncryptionKey) }
            let below = TreeMath.leaves(below: node)
            for (index, leaf) in parent.unmergedLeaves.enumerated() {
                if index > 0, parent.unmergedLeaves[index - 1] >= leaf { throw .tree(.unmergedLeavesOrder) }
                guard below.contains(leaf.int), tree[leaf] != nil else { throw .tree(.unmergedLeaf) }
                var between = TreeMath.parentUnchecked(TreeMath.node(leaf))
                while between != node {
                    if let inner = tree[parent: between], !inner.unmergedLeaves.containsSorted(leaf) {
                        throw .tree(.unmergedLeafMissingBelow)
                    }
                    between = TreeMath.parentUnchecked(between)
                }
            }
        }
    }
}

extension [LeafIndex] {
    /// Whether this list contains an index. The list must be in ascending order.
    func containsSorted(_ leaf: LeafIndex) -> Bool {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] == leaf { return true }
            if self[middle] < leaf { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
