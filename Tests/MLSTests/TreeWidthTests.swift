import TLSCodec
import TestSupport
import Testing

@testable import MLS

/// The cost of a tree is in proportion to its members, however wide it is.
@Suite("Tree width")
struct TreeWidthTests {
    /// A `ratchet_tree` of some leaves, blank between them.
    private func encoded(_ leaves: [Int: LeafNode]) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeNested { writer in
            var next = 0
            for (index, leaf) in leaves.sorted(by: { $0.key < $1.key }) {
                writer.writeBytes(repeatElement(0, count: 2 * index - next))
                writer.writeBytes([1, 1] + leaf.encoded)
                next = 2 * index + 1
            }
        }
        return writer.bytes
    }

    /// A tree of one member at each of some leaves.
    private func tree(_ leaves: [Int], _ hash: HashAlgorithm = .sha256) throws -> RatchetTree {
        let placed = try leaves.map { ($0, try testBundle("member \($0)").keyPackage.leafNode) }
        return try RatchetTree(decoding: encoded(Dictionary(uniqueKeysWithValues: placed)), hash)
    }

    @Test("a policy bounds the leaves of every tree, and of larger trees by their members")
    func policy() {
        let policy = TreeWidthPolicy(leaves: 256, leavesPerMember: 8)
        #expect(policy.allows(leaves: 256, members: 1))
        #expect(policy.allows(leaves: 512, members: 64) && !policy.allows(leaves: 512, members: 63))
        #expect(!policy.allows(leaves: .max, members: 1_000))
        #expect(TreeWidthPolicy(leaves: 0, leavesPerMember: 0).allows(leaves: 2, members: 2))
        #expect(TreeWidthPolicy.ordinary.allows(leaves: 4_096, members: 2))
        #expect(!TreeWidthPolicy.ordinary.allows(leaves: 8_192, members: 127))
        #expect(!TreeWidthPolicy.strict.allows(leaves: 512, members: 2))
    }

    @Test("two members with 2^20 leaves between them are refused when the tree is read, which hashes nothing")
    func hostileTree() throws {
        let (first, last) = (try testBundle("mallory").keyPackage.leafNode, try testBundle("eve").keyPackage.leafNode)
        let bytes = encoded([0: first, Limits.members - 1: last])
        for policy in [TreeWidthPolicy.ordinary, .strict] {
            #expect(throws: MLSError.tree(.tooSparse)) {
                try UnverifiedRatchetTree(decoding: bytes, .sha256, within: policy)
            }
        }
    }

    @Test("a group that was once large can be joined, and a stranger's is limited more strictly")
    func sparseGroup() throws {
        var group = try testGroup("alice")
        let bundles = try (0..<300).map { try testBundle("member \($0)") }
        try group.apply(try group.commit(CommitOptions(bundles.map { .add($0.keyPackage) }), in: testEnvironment()))
        let leaving = (1..<300).map { Proposal.remove(LeafIndex($0)) }
        try group.apply(try group.commit(CommitOptions(leaving), in: testEnvironment()))
        #expect(group.memberCount == 2 && group.tree.size == 512)
        let dave = try testBundle("dave")
        let commit = try group.commit(CommitOptions([.add(dave.keyPackage)]), in: testEnvironment())
        try group.apply(commit)
        let welcome = try #require(commit.welcome).asWelcome
        var joined = try Group(joining: welcome, with: dave, in: testEnvironment())
        #expect(try joined.receive(group.encrypt([1], in: testEnvironment())).data == [1])
        let strict = testEnvironment { $0.configuration.treeWidth = .strict }
        #expect(throws: MLSError.tree(.tooSparse)) { try Group(joining: welcome, with: dave, in: strict) }
    }

    @Test("a group that shrank after it was joined can be restored, however sparse it is")
    func restoresSparseGroup() throws {
        var group = try testGroup("alice")
        while group.tree.size < 4 * Limits.sparseLeaves { try group.tree.extend() }
        group.tree.setLeaf(try testBundle("bob").keyPackage.leafNode, at: LeafIndex(group.tree.size - 1))
        group.context.treeHash = group.tree.treeHash()
        let restored = try Group(restoring: group.epochState, records: group.records)
        #expect(restored.memberCount == 2 && restored.tree.size == 4 * Limits.sparseLeaves)
    }

    @Test("an opened Welcome names its inviter and the group's size before the tree is verified")
    func openedWelcome() throws {
        let members = try TestMembers(["alice", "bob", "carol"])
        let bundle = try testBundle("dave")
        let welcome = try Forge(group: members.groups[0]).welcome(bundle) { draft in
            draft.announcesTreeHash = false
            draft.context.treeHash = [1]
        }
        let opened = try OpenedWelcome(welcome, with: bundle, in: testEnvironment())
        #expect(opened.inviter == members.groups[0].tree[LeafIndex(0)])
        #expect(opened.memberCount == 4 && opened.leafCount == 4 && opened.epoch == members.groups[0].epoch + 1)
        #expect(opened.groupID == members.groups[0].groupID && opened.cipherSuite == members.groups[0].cipherSuite)
        #expect(throws: MLSError.tree(.treeHash)) { try Group(joining: opened, in: testEnvironment()) }
        #expect(throws: MLSError.leafNode(.credential)) {
            let refusing = testEnvironment { $0.authentication = TestAuthentication(refused: ["alice"]) }
            _ = try OpenedWelcome(welcome, with: bundle, in: refusing)
        }
    }

    @Test("hashes are cached for nodes with a member below and for their neighbors, not for blank ones")
    func keptHashes() throws {
        var tree = try tree([0, 4_095])
        _ = tree.treeHash()
        // Two paths of 12 levels, with a neighbor for each node but the root.
        #expect(tree.hashes.count <= 2 * 2 * 12 + 1)
        var full = try self.tree(Array(0..<64))
        _ = full.treeHash()
        #expect(full.hashes.count == full.width)
    }

    @Test("a tree's hash is that of RFC 9420 §7.8 for any blank nodes and after any change", arguments: 0..<12)
    func hashesAgree(seed: UInt64) throws {
        var random: any RandomNumberGenerator = SeededGenerator(seed: seed)
        let size = Int.random(in: 1...150, using: &random)
        let occupied = (0..<size).filter { _ in UInt8.random(in: 0..<4, using: &random) == 0 } + [size]
        var tree = try tree(occupied, [.sha256, .sha384, .sha512][Int(seed % 3)])
        let leaf = try testBundle("late").keyPackage.leafNode
        for _ in 0..<20 {
            #expect(tree.treeHash() == plainHash(of: tree.root, in: tree))
            let node = Int.random(in: 0..<tree.width, using: &random)
            #expect(Array(tree.treeHash(of: node)) == plainHash(of: node, in: tree))
            switch UInt8.random(in: 0..<5, using: &random) {
            case 0: tree.setLeaf(nil, at: LeafIndex(node / 2))
            case 1: tree.setLeaf(leaf, at: LeafIndex(node / 2))
            case 2: try tree.extend()
            case 3: tree.truncate()
            default:
                let parent = ParentNode(encryptionKey: HPKEPublicKey([1]), parentHash: [], unmergedLeaves: [])
                tree.setParent(Bool.random(using: &random) ? parent : nil, at: min(node | 1, tree.width - 2))
            }
            guard tree.width > 1, tree.width < 2_000 else { break }
        }
    }

    /// The tree hash as defined in §7.8, without a cache.
    private func plainHash(of node: Int, in tree: RatchetTree) -> [UInt8] {
        var writer = TLSWriter()
        if let left = TreeMath.left(node), let right = TreeMath.right(node) {
            writer.write(UInt8(2))
            writer.writeOptional(tree[parent: node])
            writer.writeOpaque(plainHash(of: left, in: tree))
            writer.writeOpaque(plainHash(of: right, in: tree))
        } else {
            writer.write(UInt8(1))
            writer.write(LeafIndex(node / 2))
            writer.writeOptional(tree[LeafIndex(node / 2)])
        }
        return tree.hash.hash(writer.bytes)
    }
}
