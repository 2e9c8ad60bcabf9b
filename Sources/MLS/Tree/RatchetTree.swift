import TLSCodec

/// The public ratchet tree of a group (RFC 9420 §4.1, §7). A tree is a value. Copies of a tree share unchanged parts.
public struct RatchetTree: Sendable {
    /// The number of leaves, including blank leaves. The number is a power of two.
    private(set) var size: Int
    private var nodes: ChunkedArray<Node?>
    private(set) var census = TreeCensus()
    private(set) var encryptionKeys = KeyIndex()
    private(set) var signatureKeys = KeyIndex()
    var hashes: TreeHashCache
    /// No leaf to the left of this index is blank.
    private var firstBlankHint = 0
    let hash: HashAlgorithm

    /// Creates a tree with one member.
    init(_ leaf: LeafNode, _ hash: HashAlgorithm) {
        size = 1
        nodes = ChunkedArray(repeating: nil, count: 1)
        hashes = TreeHashCache(hashLength: hash.length, nodes: 1)
        self.hash = hash
        setLeaf(leaf, at: LeafIndex(0))
    }

    /// The number of members.
    public var memberCount: Int { census.members }

    /// The number of nodes.
    var width: Int { TreeMath.nodeWidth(size) }
    /// The root's index.
    var root: Int { TreeMath.root(size) }

    subscript(node index: Int) -> Node? { nodes[index] }

    /// The leaf of a member; nil if the leaf is blank or does not exist.
    public subscript(leaf: LeafIndex) -> LeafNode? {
        guard leaf.int < size, case .leaf(let node)? = nodes[TreeMath.node(leaf)] else { return nil }
        return node
    }

    subscript(parent index: Int) -> ParentNode? {
        guard case .parent(let node)? = nodes[index] else { return nil }
        return node
    }

    /// The members, from left to right.
    public var members: some Sequence<(index: LeafIndex, leaf: LeafNode)> {
        (0..<size).lazy.compactMap { index in
            let index = LeafIndex(index)
            return self[index].map { (index, $0) }
        }
    }

    // MARK: Changing nodes

    /// Sets or removes a leaf, and updates the indexes of keys and capabilities.
    mutating func setLeaf(_ leaf: LeafNode?, at index: LeafIndex) {
        if let old = self[index] {
            census.remove(old)
            encryptionKeys.remove(old.encryptionKey.compact)
            signatureKeys.remove(old.signatureKey.compact)
        }
        if let leaf {
            census.add(leaf)
            encryptionKeys.insert(leaf.encryptionKey.compact)
            signatureKeys.insert(leaf.signatureKey.compact)
        } else {
            firstBlankHint = min(firstBlankHint, index.int)
        }
        nodes[TreeMath.node(index)] = leaf.map { .leaf($0) }
        hashes.invalidate(TreeMath.node(index), size)
    }

    mutating func setParent(_ parent: ParentNode?, at index: Int) {
        if let old = nodes[index] { encryptionKeys.remove(old.encryptionKey.compact) }
        if let parent { encryptionKeys.insert(parent.encryptionKey.compact) }
        guard parent != nil || nodes[index] != nil else { return }
        nodes[index] = parent.map { .parent($0) }
        hashes.invalidate(index, size)
    }

    /// Returns the leftmost blank leaf, for a new member (§12.1.1). If no leaf is blank, returns the first leaf beyond the tree.
    mutating func firstBlankLeaf() -> LeafIndex {
        while firstBlankHint < size, nodes[2 * firstBlankHint] != nil { firstBlankHint += 1 }
        return LeafIndex(firstBlankHint)
    }

    /// Adds a leaf at the leftmost blank position. Adds the leaf to the unmerged leaves of all nodes above (§7.7, §12.1.1).
    mutating func add(_ leaf: LeafNode) throws(MLSError) -> LeafIndex {
        let index = firstBlankLeaf()
        if index.int == size { try extend() }
        for node in TreeMath.directPath(TreeMath.node(index), size) {
            guard var parent = self[parent: node] else { continue }
            // The node is removed from the tree during the change, so that its list is not copied for each of many additions.
            nodes[node] = nil
            let place = parent.unmergedLeaves.lastIndex { $0 < index }.map { $0 + 1 } ?? 0
            parent.unmergedLeaves.insert(index, at: place)
            nodes[node] = .parent(parent)
        }
        setLeaf(leaf, at: index)
        return index
    }

    /// Replaces a leaf. Blanks the nodes above the leaf (§12.1.2).
    mutating func update(_ index: LeafIndex, _ leaf: LeafNode) {
        setLeaf(leaf, at: index)
        blankDirectPath(index)
    }

    /// Blanks a leaf and the nodes above the leaf (§12.1.3). The caller truncates the tree after the last removal.
    mutating func remove(_ index: LeafIndex) {
        setLeaf(nil, at: index)
        blankDirectPath(index)
    }

    mutating func blankDirectPath(_ index: LeafIndex) {
        for node in TreeMath.directPath(TreeMath.node(index), size) { setParent(nil, at: node) }
    }

    /// Doubles the number of leaves (§7.7).
    mutating func extend() throws(MLSError) {
        guard size < Limits.members else { throw .tree(.tooLarge) }
        size *= 2
        nodes.grow(to: width, with: nil)
        hashes.resize(nodes: width)
    }

    /// Halves the tree as long as its right half is blank (§7.7, §12.1.3).
    mutating func truncate() {
        var last = size - 1
        while last > 0, nodes[2 * last] == nil { last -= 1 }
        let needed = TreeMath.fullSize(last + 1)
        guard needed < size else { return }
        size = needed
        nodes.truncate(to: width)
        hashes.resize(nodes: width)
        firstBlankHint = min(firstBlankHint, size)
    }

    // MARK: The ratchet_tree extension

    /// Writes `optional<Node> ratchet_tree<V>` without trailing blanks (§12.4.3.3).
    func encode(into writer: inout TLSWriter) {
        var end = width
        while end > 0, nodes[end - 1] == nil { end -= 1 }
        writer.writeNested { writer in
            for index in 0..<end {
                guard let node = nodes[index] else {
                    writer.write(UInt8(0))
                    continue
                }
                writer.write(UInt8(1))
                node.encode(into: &writer)
            }
        }
    }

    /// The tree as the content of the `ratchet_tree` extension (§12.4.3.3).
    public var encoded: [UInt8] {
        var writer = TLSWriter(capacity: memberCount * 384)
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads a `ratchet_tree`. Checks only the shape of the tree (see ``UnverifiedRatchetTree``).
    ///
    /// - Parameter policy: the bound on the number of leaves, including blank leaves. Nil for a tree from this client's storage.
    ///   A stored tree has no bound, because a tree may stay wide after members have left.
    init(decoding bytes: [UInt8], _ hash: HashAlgorithm, within policy: TreeWidthPolicy? = nil) throws(MLSError) {
        var cache = CapabilitiesCache()
        var listed = ChunkedArray<Node?>()
        do {
            var outer = TLSReader(bytes)
            var reader = try outer.readNested()
            try outer.expectEnd()
            // A run of blank nodes is appended at once. The run takes less memory than its encoding.
            var end = 0
            var leaves = 0
            while !reader.isAtEnd {
                guard end < TreeMath.nodeWidth(Limits.members) else { throw MLSError.tree(.tooLarge) }
                if try reader.readPresence() {
                    listed.grow(to: end, with: nil)
                    let node = try Node(from: &reader, sharing: &cache)
                    if case .leaf = node { leaves += 1 }
                    listed.append(node)
                }
                end += 1
            }
            guard end > 0, listed.count == end else { throw MLSError.tree(.trailingBlank) }
            size = TreeMath.fullSize((end + 2) / 2)
            guard policy?.allows(leaves: size, members: leaves) ?? true else { throw MLSError.tree(.tooSparse) }
        } catch let error as TLSCodecError {
            throw .malformed(error)
        } catch let error as MLSError {
            throw error
        } catch {
            throw .internalError
        }
        self.hash = hash
        nodes = listed
        nodes.grow(to: TreeMath.nodeWidth(size), with: nil)
        hashes = TreeHashCache(hashLength: hash.length, nodes: TreeMath.nodeWidth(size))
        for index in 0..<listed.count {
            switch listed[index] {
            case nil: continue
            case .leaf(let leaf)?:
                guard index % 2 == 0 else { throw .tree(.nodeType) }
                census.add(leaf)
                hasDuplicateEncryptionKey =
                    !encryptionKeys.insert(leaf.encryptionKey.compact) || hasDuplicateEncryptionKey
                hasDuplicateSignatureKey = !signatureKeys.insert(leaf.signatureKey.compact) || hasDuplicateSignatureKey
            case .parent(let parent)?:
                guard index % 2 == 1 else { throw .tree(.nodeType) }
                hasDuplicateEncryptionKey =
                    !encryptionKeys.insert(parent.encryptionKey.compact) || hasDuplicateEncryptionKey
            }
        }
    }

    /// Whether an encryption key occurred twice when the tree was read. Verification refuses a tree with a repeated key.
    private(set) var hasDuplicateEncryptionKey = false
    /// Whether a signature key occurred twice when the tree was read. Verification refuses a tree with a repeated key.
    private(set) var hasDuplicateSignatureKey = false
}
