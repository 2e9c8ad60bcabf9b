@testable import MLS

extension ValidationRow {
    static let commits: [ValidationRow] = [
        ValidationRow("CM-1", .commit(.pathRequired)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([]))
        },
        ValidationRow("CM-2", .commit(.pathRequired)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.remove(LeafIndex(2))]))
        },
        ValidationRow("CM-3", .commit(.pathRequired)) {
            var victim = try Victim()
            let carol = Forge(group: victim.members.groups[2])
            guard case .publicMessage(let update) = try carol.update({ _ in }) else { return }
            try victim.hearAndCommit([update], path: false)
        },
        ValidationRow("CM-4", .commit(.pathRequired)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.groupContextExtensions([])]))
        },
        ValidationRow("CM-5", .commit(.pathRequired)) {
            try external([.externalInit(kemOutput: [1])], path: false)
        },
        ValidationRow("CM-6", .commit(.pathLength)) {
            var victim = try Victim()
            let path = try victim.forge.path()
            try victim.receive(
                victim.forge.commit([], path: UpdatePath(leafNode: path.leafNode, nodes: path.nodes.dropLast())))
        },
        ValidationRow("CM-7", .commit(.ciphertextCount)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 0) {
                        UpdatePathNode(
                            encryptionKey: $0.encryptionKey,
                            encryptedPathSecrets: $0.encryptedPathSecrets + $0.encryptedPathSecrets)
                    }))
        },
        ValidationRow("CM-8", .commit(.parentHash)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit([], path: victim.forge.path { $0.source = .commit(parentHash: [1, 2]) }))
        },
        ValidationRow("CM-9", .commit(.parentHash)) {
            // Another key for a node of the path; the leaf still names the first.
            var victim = try Victim()
            let key = try victim.forge.group.algorithms.kem.generateKeyPair(.system).publicKey
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 1) {
                        UpdatePathNode(encryptionKey: key, encryptedPathSecrets: $0.encryptedPathSecrets)
                    }))
        },
        ValidationRow("CM-10", .commit(.duplicateEncryptionKey)) {
            var victim = try Victim()
            let key = victim.members.groups[2].tree[LeafIndex(2)]?.encryptionKey ?? HPKEPublicKey([])
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 0) {
                        UpdatePathNode(encryptionKey: key, encryptedPathSecrets: $0.encryptedPathSecrets)
                    }))
        },
        ValidationRow("CM-19", .commit(.duplicateEncryptionKey)) {
            var victim = try Victim()
            let path = try victim.forge.path()
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(path, 1) {
                        UpdatePathNode(
                            encryptionKey: path.nodes[0].encryptionKey, encryptedPathSecrets: $0.encryptedPathSecrets)
                    }))
        },
        ValidationRow("CM-20", .crypto(.invalidPublicKey)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 0) {
                        UpdatePathNode(
                            encryptionKey: HPKEPublicKey([1]), encryptedPathSecrets: $0.encryptedPathSecrets)
                    }))
        },
        ValidationRow("CM-11", .commit(.duplicateEncryptionKey)) {
            var victim = try Victim()
            let key = victim.members.groups[2].tree[LeafIndex(2)]?.encryptionKey ?? HPKEPublicKey([])
            try victim.receive(victim.forge.commit([], path: victim.forge.path { $0.encryptionKey = key }))
        },
        ValidationRow("CM-12", .crypto(.open)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 0) { node in
                        UpdatePathNode(
                            encryptionKey: node.encryptionKey,
                            encryptedPathSecrets: node.encryptedPathSecrets.map {
                                HPKECiphertext(
                                    kemOutput: $0.kemOutput, ciphertext: $0.ciphertext.dropLast() + [0x55])
                            })
                    }))
        },
        ValidationRow("CM-13", .commit(.pathSecret)) {
            // A secret that decrypts but leads to other keys.
            var victim = try Victim()
            try victim.receive(commit(victim.forge) { _ in [UInt8](repeating: 9, count: 32) })
        },
        ValidationRow("CM-21", .commit(.pathSecret)) {
            // HMAC pads its key with zeros, so one more zero leads to the same keys.
            var victim = try Victim()
            try victim.receive(commit(victim.forge) { $0 + [0] })
        },
        ValidationRow("CM-14", .commit(.confirmationTag)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([], path: victim.forge.path()))
        },
        ValidationRow("CM-15", .commit(.confirmationTag)) {
            var victim = try Victim()
            let id = PreSharedKeyID(kind: .external(id: [1]), nonce: [UInt8](repeating: 1, count: 32))
            let environment = testEnvironment { $0.preSharedKey = { _ in SecretBytes([1]) } }
            try victim.receive(victim.forge.commit([.preSharedKey(id)]), environment)
        },
        ValidationRow("CM-18", .crypto(.decapsulate)) {
            // An encapsulation that makes the shared secret zero: anyone could read the path secret.
            var victim = try Victim()
            let zero = [UInt8](repeating: 0, count: 32)
            try victim.receive(
                victim.forge.commit(
                    [],
                    path: changing(victim.forge.path(), 0) { node in
                        UpdatePathNode(
                            encryptionKey: node.encryptionKey,
                            encryptedPathSecrets: node.encryptedPathSecrets.map {
                                HPKECiphertext(kemOutput: zero, ciphertext: $0.ciphertext)
                            })
                    }))
        },
        ValidationRow("CM-16", .leafNode(.credential)) {
            // An outsider that claims to be the receiver, rejoining with a new key.
            var victim = try Victim()
            guard let bob = victim.members.groups[0].tree[LeafIndex(1)] else { return }
            let keys = Set(victim.members.groups[0].members.map(\.leaf.signatureKey))
            let outsider = Client(
                credential: bob.credential,
                signer: try SignaturePrivateKey(generatingFor: victim.forge.group.cipherSuite))
            let info = try victim.members.groups[0].groupInfo().asGroupInfo
            let join = try Group.joinExternally(
                info, client: outsider, .init(removing: LeafIndex(1)), in: testEnvironment())
            try victim.receive(join.message, MLSEnvironment(authentication: KnownKeys(keys: keys), now: testNow))
        },
        ValidationRow("CM-17", .commit(.parentHash)) {
            var victim = try Victim()
            let path = try victim.forge.path(CommitOptions([.remove(LeafIndex(1))]))
            var draft = LeafDraft(path.leafNode)
            draft.source = .commit(parentHash: [1, 2])
            let forged = try draft.signed(victim.forge.group.signer, victim.forge.place)
            try victim.receive(
                victim.forge.commit(
                    [.remove(LeafIndex(1))], path: UpdatePath(leafNode: forged, nodes: path.nodes)))
        },
    ]

    /// Accepts members whose keys are known, whatever they call themselves.
    private struct KnownKeys: AuthenticationService {
        let keys: Set<SignaturePublicKey>
        func isValid(_: Credential, signatureKey: SignaturePublicKey, as _: CredentialRole) -> Bool {
            keys.contains(signatureKey)
        }
    }

    /// A commit in which the second member gets another path secret than the first member made.
    private static func commit(_ forge: Forge, secret change: ([UInt8]) -> [UInt8]) throws -> MLSMessage {
        let (group, own) = (forge.group, try forge.own)
        var tree = group.tree
        let generated = try tree.generatePath(
            group.ownLeafIndex,
            LeafTemplate(
                credential: own.credential, capabilities: own.capabilities, extensions: own.extensions,
                signer: group.signer), groupID: group.groupID, random: .system, group.algorithms)
        var context = group.context
        context.epoch += 1
        context.treeHash = tree.treeHash()
        let path = try tree.encryptPath(
            generated, context: context.encoded, excluding: [], random: .system, group.algorithms)
        let bob = tree[LeafIndex(1)]?.encryptionKey ?? HPKEPublicKey([])
        let sealed = try group.algorithms.encryptWithLabel(
            to: bob, "UpdatePathNode", context: context.encoded, change(generated.secrets[0].copyBytes()), .system)
        return try forge.commit(
            [],
            path: changing(path, 0) {
                UpdatePathNode(encryptionKey: $0.encryptionKey, encryptedPathSecrets: [sealed])
            })
    }

    private static func changing(
        _ path: UpdatePath, _ index: Int, _ change: (UpdatePathNode) -> UpdatePathNode
    ) -> UpdatePath {
        var nodes = path.nodes
        nodes[index] = change(nodes[index])
        return UpdatePath(leafNode: path.leafNode, nodes: nodes)
    }
}
