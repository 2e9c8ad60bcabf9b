/// The array representation of full binary trees (RFC 9420 Appendix C). Leaves have even indices, and parents have odd ones.
enum TreeMath {
    /// Returns the number of nodes of a tree with the given number of leaves.
    static func nodeWidth(_ leaves: Int) -> Int { leaves == 0 ? 0 : 2 * leaves - 1 }

    /// Returns the level of a node. A leaf has level 0.
    static func level(_ node: Int) -> Int { (~node).trailingZeroBitCount }

    /// Returns the root of a tree. The number of leaves must be a power of two.
    static func root(_ leaves: Int) -> Int { leaves - 1 }

    /// Returns the left child; nil for a leaf.
    static func left(_ node: Int) -> Int? {
        let level = level(node)
        return level == 0 ? nil : node ^ (1 << (level - 1))
    }

    /// Returns the right child; nil for a leaf.
    static func right(_ node: Int) -> Int? {
        let level = level(node)
        return level == 0 ? nil : node ^ (3 << (level - 1))
    }

    /// Returns the parent; nil for the root. `leaves` is the tree's number of leaves.
    static func parent(_ node: Int, _ leaves: Int) -> Int? {
        node == root(leaves) ? nil : parentUnchecked(node)
    }

    /// Returns the other child of the node's parent; nil for the root.
    static func sibling(_ node: Int, _ leaves: Int) -> Int? {
        guard let parent = parent(node, leaves) else { return nil }
        return node < parent ? right(parent) : left(parent)
    }

    @inline(__always)
    static func parentUnchecked(_ node: Int) -> Int {
        let level = level(node)
        return (node | (1 << level)) & ~(1 << (level + 1))
    }

    /// Returns the nodes above a node, from its parent to the root.
    static func directPath(_ node: Int, _ leaves: Int) -> [Int] {
        let root = root(leaves)
        var path: [Int] = []
        var node = node
        while node != root {
            node = parentUnchecked(node)
            path.append(node)
        }
        return path
    }

    /// Returns the node index of a leaf.
    @inline(__always)
    static func node(_ leaf: LeafIndex) -> Int { leaf.int * 2 }

    /// Returns the leaves below a node, as a range of leaf indices.
    static func leaves(below node: Int) -> Range<Int> {
        let level = level(node)
        let first = (node - ((1 << level) - 1)) / 2
        return first..<(first + (1 << level))
    }

    /// Whether a node is in the subtree whose top node is `ancestor`.
    static func isBelow(_ node: Int, _ ancestor: Int) -> Bool {
        let reach = (1 << level(ancestor)) - 1
        return ancestor - reach <= node && node <= ancestor + reach
    }

    /// Returns the lowest node above two leaves. If `left` equals `right`, returns the node of that leaf.
    static func commonAncestor(_ left: LeafIndex, _ right: LeafIndex) -> Int {
        var (x, y) = (node(left), node(right))
        var level = 0
        while x != y {
            level += 1
            x >>= 1
            y >>= 1
        }
        return level == 0 ? x : (x << level) + (1 << (level - 1)) - 1
    }

    /// Returns the smallest power of two that is at least `leaves`.
    static func fullSize(_ leaves: Int) -> Int {
        var size = 1
        while size < leaves { size <<= 1 }
        return size
    }
}
