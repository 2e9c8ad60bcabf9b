/// A tree of secrets. Leaves are derived from the root on demand (RFC 9420 §9). A node is deleted as soon as its children exist
/// (§9.2). A leaf is deleted as soon as its secret was taken.
struct DerivationTree: Sendable {
    let size: Int
    /// The secrets of nodes whose children were not derived yet, by node index.
    private(set) var secrets: [Int: SecretBytes]

    init(root: SecretBytes, size: Int) {
        self.init(secrets: [TreeMath.root(size): root], size: size)
    }

    init(secrets: [Int: SecretBytes], size: Int) {
        self.secrets = secrets
        self.size = size
    }

    /// Returns a leaf's secret, the nodes to remove from the tree, and the nodes to add. Returns nil if the secret was taken
    /// before.
    func derive(
        _ leaf: LeafIndex, _ hash: HashAlgorithm
    ) -> (secret: SecretBytes, removed: [Int], added: [Int: SecretBytes])? {
        let target = TreeMath.node(leaf)
        var node = target
        while secrets[node] == nil {
            guard let parent = TreeMath.parent(node, size) else { return nil }
            node = parent
        }
        guard var secret = secrets[node] else { return nil }
        let removed = [node]
        var added: [Int: SecretBytes] = [:]
        while node != target, let left = TreeMath.left(node), let right = TreeMath.right(node) {
            let leftSecret = hash.expandWithLabel(secret, "tree", Array("left".utf8), hash.length)
            let rightSecret = hash.expandWithLabel(secret, "tree", Array("right".utf8), hash.length)
            if target < node {
                added[right] = rightSecret
                (node, secret) = (left, leftSecret)
            } else {
                added[left] = leftSecret
                (node, secret) = (right, rightSecret)
            }
        }
        return (secret, removed, added)
    }

    /// Applies the result of ``derive(_:_:)`` to the tree.
    mutating func apply(removed: [Int], added: [Int: SecretBytes]) {
        for node in removed { secrets[node] = nil }
        for (node, secret) in added { secrets[node] = secret }
    }
}
