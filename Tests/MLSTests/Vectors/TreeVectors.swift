import TLSCodec

@testable import MLS

enum TreeVectors {
    @Sendable
    static func treeOperations(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let hash = try required(algorithms).hash
        var tree = try RatchetTree(decoding: vector["tree_before"].bytes(), hash)
        try check(tree.treeHash() == vector["tree_hash_before"].bytes(), "tree hash before")
        switch try Proposal(decoding: vector["proposal"].bytes()) {
        case .add(let keyPackage): _ = try tree.add(keyPackage.leafNode)
        case .update(let leaf): tree.update(LeafIndex(try vector["proposal_sender"].int()), leaf)
        case .remove(let index):
            tree.remove(index)
            tree.truncate()
        case let other: throw JSON.Missing(description: "proposal \(other.type)")
        }
        try check(tree.encoded == vector["tree_after"].bytes(), "tree after")
        try check(tree.treeHash() == vector["tree_hash_after"].bytes(), "tree hash after")
        // The cached hashes must equal those of a fresh reading.
        var fresh = try RatchetTree(decoding: tree.encoded, hash)
        try check(fresh.treeHash() == tree.treeHash(), "cached hashes")
    }

    @Sendable
    static func treeValidation(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        var tree = try RatchetTree(decoding: vector["tree"].bytes(), algorithms.hash)
        for (node, expected) in try vector["resolutions"].array().enumerated() {
            try check(tree.resolution(of: node) == expected.array().map { try $0.int() }, "resolution \(node)")
        }
        for (node, expected) in try vector["tree_hashes"].array().enumerated() {
            try check(Array(tree.treeHash(of: node)) == expected.bytes(), "tree hash \(node)")
        }
        try tree.verifyParentHashes()
        for member in tree.members {
            let place = LeafNode.Place(groupID: try vector["group_id"].bytes(), leafIndex: member.index)
            try check(member.leaf.isSignatureValid(place, algorithms.signature), "signature \(member.index)")
        }
        try check(tree.encoded == vector["tree"].bytes(), "encoding")
    }

    @Sendable
    static func treeKEM(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        let tree = try RatchetTree(decoding: vector["ratchet_tree"].bytes(), algorithms.hash)
        let leaves = try vector["leaves_private"].array().map { leaf in
            let index = LeafIndex(try leaf["index"].int())
            var keys = [TreeMath.node(index): try algorithms.kem.privateKey(leaf["encryption_priv"].secret())]
            for entry in try leaf["path_secrets"].array() {
                keys[try entry["node"].int()] = try RatchetTree.nodeKey(entry["path_secret"].secret(), algorithms)
            }
            for (node, key) in keys {
                try check(tree[node: node]?.encryptionKey == key.publicKey, "private key of node \(node)")
            }
            return OwnLeaf(
                index: index,
                signer: try SignaturePrivateKey(scheme: algorithms.signature, leaf["signature_priv"].secret()),
                privateKeys: keys)
        }
        func context(_ treeHash: [UInt8]) throws -> GroupContext {
            GroupContext(
                cipherSuite: try vector.suite(), groupID: try vector["group_id"].bytes(),
                epoch: UInt64(try vector["epoch"].int()), treeHash: treeHash,
                confirmedTranscriptHash: try vector["confirmed_transcript_hash"].bytes(), extensions: [])
        }
        for entry in try vector["update_paths"].array() {
            let sender = LeafIndex(try entry["sender"].int())
            let path = try UpdatePath(decoding: entry["update_path"].bytes())
            var merged = tree
            let mergedPath = try merged.merge(path, from: sender, excluding: [], algorithms)
            let hash = merged.treeHash()
            try check(hash == entry["tree_hash_after"].bytes(), "tree hash after")
            let place = LeafNode.Place(groupID: try vector["group_id"].bytes(), leafIndex: sender)
            try check(path.leafNode.isSignatureValid(place, algorithms.signature), "leaf signature")
            let secrets = try entry["path_secrets"].array()
            for leaf in leaves where leaf.index != sender {
                let opened = try merged.decryptPath(
                    mergedPath, for: leaf, context: context(hash).encoded, algorithms)
                try check(opened.commitSecret == entry["commit_secret"].secret(), "commit secret \(leaf.index)")
                let first = try RatchetTree.nodeKey(secrets[leaf.index.int].secret(), algorithms)
                let lowest = opened.keys.min { TreeMath.level($0.key) < TreeMath.level($1.key) }
                try check(lowest?.value.publicKey == first.publicKey, "path secret \(leaf.index)")
            }

            // The other direction: a new path from the same sender, for everyone.
            guard let own = leaves.first(where: { $0.index == sender }), let old = tree[sender] else {
                throw JSON.Missing(description: "sender \(sender)")
            }
            var sent = tree
            let generated = try sent.generatePath(
                sender,
                LeafTemplate(
                    credential: old.credential, capabilities: old.capabilities, extensions: old.extensions,
                    signer: own.signer), groupID: place.groupID, random: .system, algorithms)
            let newContext = try context(sent.treeHash()).encoded
            let newPath = try sent.encryptPath(
                generated, context: newContext, excluding: [], random: .system, algorithms)
            var received = tree
            let receivedPath = try received.merge(newPath, from: sender, excluding: [], algorithms)
            try check(received.treeHash() == sent.treeHash(), "own tree hash")
            for leaf in leaves where leaf.index != sender {
                let opened = try received.decryptPath(receivedPath, for: leaf, context: newContext, algorithms)
                try check(opened.commitSecret == generated.commitSecret, "own commit secret")
            }
        }
    }
}
