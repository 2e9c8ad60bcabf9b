extension RatchetTree {
    /// Returns the resolution of a node (RFC 9420 §4.1.1). The nodes of a resolution together cover all members below the node.
    /// The leaves in `new` are left out (§7.6).
    ///
    /// - Parameter limit: maximum number of nodes.
    /// - Returns: the nodes; nil if there are more than `limit`.
    func resolution(of node: Int, excluding new: Set<LeafIndex> = [], limit: Int = .max) -> [Int]? {
        var result: [Int] = []
        var stack = [node]
        while let next = stack.popLast() {
            switch self[node: next] {
            case .leaf?:
                if new.isEmpty || !new.contains(LeafIndex(next / 2)) { result.append(next) }
            case .parent(let parent)?:
                result.append(next)
                if parent.unmergedLeaves.count > limit { return nil }
                for leaf in parent.unmergedLeaves where new.isEmpty || !new.contains(leaf) {
                    result.append(TreeMath.node(leaf))
                }
            case nil:
                if let left = TreeMath.left(next), let right = TreeMath.right(next) {
                    stack.append(right)
                    stack.append(left)
                }
            }
            if result.count > limit { return nil }
        }
        return result
    }

    /// Whether the resolution of a node is empty. A resolution is empty if no member is below the node.
    func isResolutionEmpty(_ node: Int) -> Bool { resolution(of: node, limit: 0)?.isEmpty ?? false }

    /// A node of a filtered direct path, and the node's child outside of the path.
    struct PathStep: Sendable {
        let node: Int
        let copath: Int
    }

    /// Returns the filtered direct path of a leaf, from the leaf to the root. A node is left out if its child outside of the path
    /// has an empty resolution (§4.1.2).
    func filteredDirectPath(_ leaf: LeafIndex) -> [PathStep] {
        var steps: [PathStep] = []
        var below = TreeMath.node(leaf)
        for node in TreeMath.directPath(below, size) {
            if let copath = below < node ? TreeMath.right(node) : TreeMath.left(node), !isResolutionEmpty(copath) {
                steps.append(PathStep(node: node, copath: copath))
            }
            below = node
        }
        return steps
    }
}
