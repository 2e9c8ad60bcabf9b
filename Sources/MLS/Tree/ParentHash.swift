import TLSCodec

extension RatchetTree {
    /// Returns the parent hash of a node for one of its children (RFC 9420 §7.9): `Hash(struct { HPKEPublicKey encryption_key;
    /// opaque parent_hash<V>; opaque original_sibling_tree_hash<V>; })`. Nil for a blank node.
    mutating func parentHash(of node: Int, copath: Int) -> [UInt8]? {
        guard let parent = self[parent: node] else { return nil }
        let sibling = treeHash(of: copath, without: parent.unmergedLeaves[...])
        var writer = TLSWriter(capacity: 256)
        writer.write(parent.encryptionKey)
        writer.writeOpaque(parent.parentHash)
        writer.writeOpaque(sibling)
        return hash.hash(writer.bytes)
    }

    /// Sets the parent hashes of a path with new keys, from the root down. Returns the parent hash for the leaf (§7.9.1).
    mutating func setParentHashes(_ path: [PathStep]) -> [UInt8] {
        var above: [UInt8] = []
        for step in path.reversed() {
            guard var parent = self[parent: step.node] else { continue }
            parent.parentHash = above
            setParent(parent, at: step.node)
            above = parentHash(of: step.node, copath: step.copath) ?? []
        }
        return above
    }

    /// Checks that each parent node has exactly one chain of parent hashes from a leaf (§7.9.2).
    mutating func verifyParentHashes() throws(MLSError) {
        for node in stride(from: 1, to: width, by: 2) {
            guard let parent = self[parent: node], let left = TreeMath.left(node), let right = TreeMath.right(node)
            else { continue }
            var links = 0
            if try isLinked(node, parent, child: left, sibling: right) { links += 1 }
            if try isLinked(node, parent, child: right, sibling: left) { links += 1 }
            guard links == 1 else { throw .tree(.parentHash) }
        }
    }

    /// Whether one commit set both `parent` and a node in the resolution of `child` (§7.9.2). In the resolution of `child`,
    /// exactly one node must contain the parent hash of `parent`. Every other node of the resolution must be an unmerged leaf of
    /// `parent`.
    private mutating func isLinked(
        _ node: Int, _ parent: ParentNode, child: Int, sibling: Int
    ) throws(MLSError) -> Bool {
        let below = TreeMath.leaves(below: child)
        let unmerged = Set(parent.unmergedLeaves.filter { below.contains($0.int) }.map(TreeMath.node))
        // If the resolution has more nodes than the number of unmerged leaves plus one, the result is `false`, so the
        // resolution need not be completed.
        guard let resolution = resolution(of: child, limit: unmerged.count + 1),
            resolution.count == unmerged.count + 1
        else { return false }
        let candidates = resolution.filter { !unmerged.contains($0) }
        guard candidates.count == 1, let hash = self[node: candidates[0]]?.parentHash, !hash.isEmpty else {
            return false
        }
        return parentHash(of: node, copath: sibling) == hash
    }
}
