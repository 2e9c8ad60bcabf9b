import TLSCodec

/// The tree hashes that are known, one per node (RFC 9420 §7.8). A node whose hash is unknown has none known above it.
struct TreeHashCache: Sendable {
    private struct Chunk: Sendable {
        var valid: UInt64 = 0
        var bytes: [UInt8]
    }

    private let hashLength: Int
    private var chunks: [Chunk] = []

    init(hashLength: Int, nodes: Int) {
        self.hashLength = hashLength
        resize(nodes: nodes)
    }

    mutating func resize(nodes: Int) {
        let needed = (nodes + 63) / 64
        while chunks.count < needed { chunks.append(Chunk(bytes: [])) }
        if chunks.count > needed { chunks.removeLast(chunks.count - needed) }
        // Positions beyond the end must not come back as known when the tree grows again.
        if nodes % 64 != 0 { chunks[needed - 1].valid &= (1 << UInt64(nodes % 64)) - 1 }
    }

    mutating func invalidate(_ node: Int, _ leaves: Int) {
        var node = node
        let root = TreeMath.root(leaves)
        while isKnown(node) {
            chunks[node / 64].valid &= ~(1 << UInt64(node % 64))
            if node == root { return }
            node = TreeMath.parentUnchecked(node)
        }
    }

    func isKnown(_ node: Int) -> Bool { chunks[node / 64].valid & (1 << UInt64(node % 64)) != 0 }

    subscript(node: Int) -> ArraySlice<UInt8> {
        let start = node % 64 * hashLength
        return chunks[node / 64].bytes[start..<(start + hashLength)]
    }

    /// Sets a hash that `write` computes into the cache's own memory.
    mutating func set(_ node: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        let chunk = node / 64
        if chunks[chunk].bytes.isEmpty { chunks[chunk].bytes = [UInt8](repeating: 0, count: 64 * hashLength) }
        let start = node % 64 * hashLength
        let length = hashLength
        chunks[chunk].bytes.withUnsafeMutableBytes {
            write(UnsafeMutableRawBufferPointer(rebasing: $0[start..<(start + length)]))
        }
        chunks[chunk].valid |= 1 << UInt64(node % 64)
    }
}

extension RatchetTree {
    /// The tree hash of the root (§7.8).
    public mutating func treeHash() -> [UInt8] { Array(treeHash(of: root)) }

    /// The tree hash of a node (§7.8).
    mutating func treeHash(of node: Int) -> ArraySlice<UInt8> {
        var writer = TLSWriter(capacity: 1_024)
        computeHash(node, &writer)
        return hashes[node]
    }

    private mutating func computeHash(_ node: Int, _ writer: inout TLSWriter) {
        if hashes.isKnown(node) { return }
        if let left = TreeMath.left(node), let right = TreeMath.right(node) {
            computeHash(left, &writer)
            computeHash(right, &writer)
            writer.removeAll()
            Self.writeParentInput(self[parent: node], hashes[left], hashes[right], &writer)
        } else {
            writer.removeAll()
            Self.writeLeafInput(self[LeafIndex(node / 2)], LeafIndex(node / 2), &writer)
        }
        let algorithm = hash
        writer.bytes.withUnsafeBytes { input in hashes.set(node) { algorithm.digest(input, into: $0) } }
    }

    /// `TreeHashInput` of a leaf: `struct { NodeType; uint32 leaf_index; optional<LeafNode> leaf_node; }` (§7.8)
    private static func writeLeafInput(_ leaf: LeafNode?, _ index: LeafIndex, _ writer: inout TLSWriter) {
        writer.write(UInt8(1))
        writer.write(index)
        writer.writeOptional(leaf)
    }

    /// `TreeHashInput` of a parent: `struct { NodeType; optional<ParentNode>; opaque left<V>; opaque right<V>; }` (§7.8)
    private static func writeParentInput(
        _ parent: ParentNode?, _ left: some Collection<UInt8>, _ right: some Collection<UInt8>,
        _ writer: inout TLSWriter
    ) {
        writer.write(UInt8(2))
        writer.writeOptional(parent)
        writer.writeOpaque(left)
        writer.writeOpaque(right)
    }

    /// The tree hash that a node had before some leaves were added: they are blank, and gone from every list of unmerged
    /// leaves (§7.9, `original_sibling_tree_hash`). Subtrees without such a leaf keep the hash they have.
    mutating func treeHash(of node: Int, without excluded: ArraySlice<LeafIndex>) -> [UInt8] {
        let below = TreeMath.leaves(below: node)
        let excluded = excluded.filter { below.contains($0.int) }
        return originalHash(node, excluded[...])
    }

    private mutating func originalHash(_ node: Int, _ excluded: ArraySlice<LeafIndex>) -> [UInt8] {
        guard !excluded.isEmpty else { return Array(treeHash(of: node)) }
        var writer = TLSWriter(capacity: 256)
        guard let left = TreeMath.left(node), let right = TreeMath.right(node) else {
            Self.writeLeafInput(nil, LeafIndex(node / 2), &writer)
            return hash.hash(writer.bytes)
        }
        let middle = excluded.firstIndex { $0.int * 2 > node } ?? excluded.endIndex
        let leftHash = originalHash(left, excluded[..<middle])
        let rightHash = originalHash(right, excluded[middle...])
        var parent = self[parent: node]
        if let unmerged = parent?.unmergedLeaves, !unmerged.isEmpty {
            let gone = Set(excluded)
            parent?.unmergedLeaves = unmerged.filter { !gone.contains($0) }
        }
        Self.writeParentInput(parent, leftHash, rightHash, &writer)
        return hash.hash(writer.bytes)
    }
}
