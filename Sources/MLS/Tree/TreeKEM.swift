import KithSupport

/// New keys for a committer's path, not encrypted yet (RFC 9420 §7.4, §7.5).
struct GeneratedPath: Sendable {
    let steps: [RatchetTree.PathStep]
    /// The path secrets, one for each step.
    let secrets: [SecretBytes]
    /// The private keys of the path's nodes and of the leaf, by node index.
    let privateKeys: [Int: HPKEPrivateKey]
    let commitSecret: SecretBytes
    let leafNode: LeafNode
}

/// A received path. The path's public keys are already in the tree.
struct MergedPath: Sendable {
    let path: UpdatePath
    let steps: [RatchetTree.PathStep]
    /// The leaves that the path's commit adds. The path is not encrypted to these leaves.
    let added: Set<LeafIndex>
}

extension RatchetTree {
    /// Creates new keys for a leaf's filtered direct path, and signs the new leaf (§7.5, sender's side).
    mutating func generatePath(
        _ index: LeafIndex, _ template: LeafTemplate, groupID: [UInt8], random: RandomSource, _ algorithms: Algorithms
    ) throws(MLSError) -> GeneratedPath {
        let steps = filteredDirectPath(index)
        blankDirectPath(index)
        var privateKeys: [Int: HPKEPrivateKey] = [:]
        var secrets: [SecretBytes] = []
        var secret = random.secret(hash.length)
        for step in steps {
            let key = try Self.nodeKey(secret, algorithms)
            privateKeys[step.node] = key
            setParent(
                ParentNode(encryptionKey: key.publicKey, parentHash: [], unmergedLeaves: []), at: step.node)
            secrets.append(secret)
            secret = hash.deriveSecret(secret, "path")
        }
        let parentHash = setParentHashes(steps)
        let leafKey = try algorithms.kem.generateKeyPair(random)
        privateKeys[TreeMath.node(index)] = leafKey
        let leaf = try LeafNode(
            template, encryptionKey: leafKey.publicKey, source: .commit(parentHash: parentHash),
            place: .init(groupID: groupID, leafIndex: index))
        setLeaf(leaf, at: index)
        return GeneratedPath(
            steps: steps, secrets: secrets, privateKeys: privateKeys, commitSecret: secret, leafNode: leaf)
    }

    /// `node_secret = DeriveSecret(path_secret, "node")` and its key pair (§7.4).
    static func nodeKey(_ pathSecret: SecretBytes, _ algorithms: Algorithms) throws(MLSError) -> HPKEPrivateKey {
        try algorithms.kem.deriveKeyPair(algorithms.hash.deriveSecret(pathSecret, "node"))
    }

    /// Encrypts each path secret to the nodes in the resolution of its copath node (§7.6).
    ///
    /// - Parameter new: the leaves that the path's commit adds. A new member gets a path secret in the Welcome.
    func encryptPath(
        _ path: GeneratedPath, context: [UInt8], excluding new: Set<LeafIndex>, random: RandomSource,
        _ algorithms: Algorithms
    ) throws(MLSError) -> UpdatePath {
        var recipients: [(step: Int, key: HPKEPublicKey)] = []
        for (index, step) in path.steps.enumerated() {
            for node in resolution(of: step.copath, excluding: new) ?? [] {
                guard let key = self[node: node]?.encryptionKey else { throw .internalError }
                recipients.append((index, key))
            }
        }
        let context = algorithms.labeledContext("UpdatePathNode", context)
        let sealed = try parallelMap(recipients) { (recipient) throws(MLSError) in
            var secret = path.secrets[recipient.step].copyBytes()
            defer { secret.wipe() }
            return try algorithms.hpkeSeal(to: recipient.key, context, secret, random)
        }
        var ciphertexts: [[HPKECiphertext]] = Array(repeating: [], count: path.steps.count)
        for (recipient, ciphertext) in zip(recipients, sealed) { ciphertexts[recipient.step].append(ciphertext) }
        var nodes: [UpdatePathNode] = []
        for (step, ciphertexts) in zip(path.steps, ciphertexts) {
            guard let key = self[node: step.node]?.encryptionKey else { throw .internalError }
            nodes.append(UpdatePathNode(encryptionKey: key, encryptedPathSecrets: ciphertexts))
        }
        return UpdatePath(leafNode: path.leafNode, nodes: nodes)
    }

    /// Checks the shape of a received path, and adds the path's public keys to the tree (§7.5, §7.9.2, §12.4.2).
    mutating func merge(
        _ path: UpdatePath, from index: LeafIndex, excluding new: Set<LeafIndex>, _ algorithms: Algorithms
    ) throws(MLSError) -> MergedPath {
        let steps = filteredDirectPath(index)
        guard steps.count == path.nodes.count else { throw .commit(.pathLength) }
        guard !encryptionKeys.contains(path.leafNode.encryptionKey.compact) else {
            throw .commit(.duplicateEncryptionKey)
        }
        // A path is short, so comparing its keys takes less time than hashing them, especially if the keys are long.
        var keys = [path.leafNode.encryptionKey]
        for (step, node) in zip(steps, path.nodes) {
            guard resolution(of: step.copath, excluding: new)?.count == node.secretCount else {
                throw .commit(.ciphertextCount)
            }
            guard !encryptionKeys.contains(node.encryptionKey.compact), !keys.contains(node.encryptionKey)
            else { throw .commit(.duplicateEncryptionKey) }
            keys.append(node.encryptionKey)
            try algorithms.kem.validate(node.encryptionKey)
        }
        blankDirectPath(index)
        for (step, node) in zip(steps, path.nodes) {
            setParent(
                ParentNode(encryptionKey: node.encryptionKey, parentHash: [], unmergedLeaves: []), at: step.node)
        }
        let parentHash = setParentHashes(steps)
        guard path.leafNode.parentHash == parentHash else { throw .commit(.parentHash) }
        setLeaf(path.leafNode, at: index)
        return MergedPath(path: path, steps: steps, added: new)
    }

    /// Decrypts the secret of the lowest path node above a member. Derives the secrets of the higher path nodes from the
    /// decrypted secret (§7.5, receiver's side).
    ///
    /// - Returns: the commit secret, and the private keys of the path's nodes above the member.
    func decryptPath(
        _ merged: MergedPath, for own: OwnLeaf, context: [UInt8], _ algorithms: Algorithms
    ) throws(MLSError) -> (commitSecret: SecretBytes, keys: [Int: HPKEPrivateKey]) {
        let (leaf, steps) = (TreeMath.node(own.index), merged.steps)
        guard let first = steps.firstIndex(where: { TreeMath.isBelow(leaf, $0.copath) }),
            let resolution = resolution(of: steps[first].copath, excluding: merged.added),
            let position = resolution.firstIndex(where: { node in
                own.privateKeys[node].map { $0.publicKey == self[node: node]?.encryptionKey } ?? false
            }),
            let key = own.privateKeys[resolution[position]],
            let sealed = merged.path.nodes[first].encryptedPathSecret(at: position)
        else { throw .commit(.pathSecret) }
        let secret = try algorithms.decryptWithLabel(sealed, key: key, "UpdatePathNode", context: context)
        guard secret.count == hash.length else { throw .commit(.pathSecret) }
        return try derivePath(secret, steps[first...].map(\.node), algorithms)
    }

    /// Derives the keys of path nodes from the secret of the lowest node. Compares the derived keys with the tree (§7.5).
    func derivePath(
        _ secret: SecretBytes, _ path: [Int], _ algorithms: Algorithms
    ) throws(MLSError) -> (commitSecret: SecretBytes, keys: [Int: HPKEPrivateKey]) {
        var secret = secret
        var keys: [Int: HPKEPrivateKey] = [:]
        for node in path {
            let key = try Self.nodeKey(secret, algorithms)
            guard key.publicKey == self[node: node]?.encryptionKey else { throw .commit(.pathSecret) }
            keys[node] = key
            secret = hash.deriveSecret(secret, "path")
        }
        return (secret, keys)
    }
}
