import TLSCodec

/// The known tree hashes (RFC 9420 §7.8). Unknown hashes take no memory.
///
/// In a blank subtree, at most the hash of the top node is stored. Even in a very wide tree, the memory is proportional to the
/// number of nodes that are not blank.
struct TreeHashCache: Sendable {
    private struct Chunk: Sendable {
        /// One bit for each of the chunk's nodes: whether `bytes` contains a hash of the node. The hashes are in ascending
        /// order of their nodes.
        var placed: UInt64 = 0
        /// One bit for each of the chunk's nodes: whether the node's hash is known.
        var valid: UInt64 = 0
        var bytes: [UInt8] = []
    }

    private let hashLength: Int
    private var chunks: [Chunk] = []

    init(hashLength: Int, nodes: Int) {
        self.hashLength = hashLength
        resize(nodes: nodes)
    }

    /// The number of hashes that are stored.
    var count: Int { chunks.reduce(0) { $0 + $1.placed.nonzeroBitCount } }

    mutating func resize(nodes: Int) {
        let needed = (nodes + 63) / 64
        while chunks.count < needed { chunks.append(Chunk()) }
        if chunks.count > needed { chunks.removeLast(chunks.count - needed) }
        guard nodes % 64 != 0 else { return }
        // The bits beyond the end are cleared, so that these positions are not known when the tree grows again.
        chunks[needed - 1].placed &= (1 << UInt64(nodes % 64)) - 1
        chunks[needed - 1].valid &= chunks[needed - 1].placed
        let rest = chunks[needed - 1].placed.nonzeroBitCount * hashLength
        chunks[needed - 1].bytes.removeLast(chunks[needed - 1].bytes.count - rest)
    }

    /// Marks the hashes of a node and of all nodes above the node as unknown, up to the root. Does not stop at a node without a
    /// hash. Inside a blank subtree, no hashes are stored, but nodes above may have hashes.
    mutating func invalidate(_ node: Int, _ leaves: Int) {
        var node = node
        let root = TreeMath.root(leaves)
        while true {
            chunks[node / 64].valid &= ~(1 << UInt64(node % 64))
            if node == root { return }
            node = TreeMath.parentUnchecked(node)
        }
    }

    func isKnown(_ node: Int) -> Bool { chunks[node / 64].valid & (1 << UInt64(node % 64)) != 0 }

    subscript(node: Int) -> ArraySlice<UInt8> {
        let start = place(node)
        return chunks[node / 64].bytes[start..<(start + hashLength)]
    }

    /// Returns the position of a node's hash in the bytes of its chunk. If the hash is not stored, returns the position for
    /// insertion.
    private func place(_ node: Int) -> Int {
        let before = chunks[node / 64].placed & ((1 << UInt64(node % 64)) - 1)
        return before.nonzeroBitCount * hashLength
    }

    /// Sets the hash of a node. `write` writes the hash directly into the cache's memory.
    mutating func set(_ node: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        let (chunk, bit) = (node / 64, 1 << UInt64(node % 64) as UInt64)
        let (start, length) = (place(node), hashLength)
        if chunks[chunk].placed & bit == 0 {
            chunks[chunk].bytes.insert(contentsOf: repeatElement(0, count: length), at: start)
            chunks[chunk].placed |= bit
        }
        chunks[chunk].bytes.withUnsafeMutableBytes {
            write(UnsafeMutableRawBufferPointer(rebasing: $0[start..<(start + length)]))
        }
        chunks[chunk].valid |= bit
    }
}

extension RatchetTree {
    /// The tree hash of the root (§7.8).
    package mutating func treeHash() -> [UInt8] { Array(treeHash(of: root)) }

    /// The tree hash of a node (§7.8).
    mutating func treeHash(of node: Int) -> ArraySlice<UInt8> {
        var writer = TLSWriter(capacity: 1_024)
        if computeHash(node, &writer) == .blank { computeBlankHash(node, &writer) }
        return hashes[node]
    }

    /// The result of ``computeHash(_:_:)``.
    private enum Subtree {
        /// The hash of the subtree is in the cache.
        case hashed
        /// All nodes of the subtree are blank, and nothing was hashed.
        case blank
    }

    private mutating func computeHash(_ node: Int, _ writer: inout TLSWriter) -> Subtree {
        if hashes.isKnown(node) { return .hashed }
        if let left = TreeMath.left(node), let right = TreeMath.right(node) {
            let (below, beside) = (computeHash(left, &writer), computeHash(right, &writer))
            if below == .blank, beside == .blank, self[node: node] == nil { return .blank }
            if below == .blank { computeBlankHash(left, &writer) }
            if beside == .blank { computeBlankHash(right, &writer) }
            writer.removeAll()
            Self.writeParentInput(self[parent: node], hashes[left], hashes[right], &writer)
        } else {
            guard let leaf = self[LeafIndex(node / 2)] else { return .blank }
            writer.removeAll()
            Self.writeLeafInput(leaf, LeafIndex(node / 2), &writer)
        }
        let algorithm = hash
        writer.bytes.withUnsafeBytes { input in hashes.set(node) { algorithm.digest(input, into: $0) } }
        return .hashed
    }

    /// Computes the hash of a blank subtree. Stores only the hash of the subtree's top node in the cache.
    private mutating func computeBlankHash(_ node: Int, _ writer: inout TLSWriter) {
        let length = hash.length
        // The hashes of complete subtrees, from left to right. Each leaf completes as many subtrees as its position has
        // trailing one bits.
        var complete: [UInt8] = []
        for (position, leaf) in TreeMath.leaves(below: node).enumerated() {
            writer.removeAll()
            Self.writeLeafInput(nil, LeafIndex(leaf), &writer)
            complete += hash.hash(writer.bytes)
            for _ in 0..<(~position).trailingZeroBitCount {
                let (left, right) = (complete.suffix(2 * length).prefix(length), complete.suffix(length))
                writer.removeAll()
                Self.writeParentInput(nil, left, right, &writer)
                complete.removeLast(2 * length)
                complete += hash.hash(writer.bytes)
            }
        }
        hashes.set(node) { $0.copyBytes(from: complete) }
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

    /// Returns a node's tree hash from the time before some leaves were added (§7.9, `original_sibling_tree_hash`). For the
    /// earlier tree hash, an added leaf counts as blank, and is missing in every list of unmerged leaves. A subtree without an
    /// added leaf keeps its hash.
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
