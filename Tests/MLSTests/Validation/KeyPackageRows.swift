@testable import MLS

private let suite = CipherSuite.x25519AES128SHA256Ed25519

private func verify(
    _ keyPackage: KeyPackage, _ extensions: [Extension] = [], _ environment: MLSEnvironment = testEnvironment()
) throws {
    try keyPackage.verify(groupExtensions: extensions, in: environment)
}

extension ValidationRow {
    static let keyPackages: [ValidationRow] = [
        ValidationRow("KP-1", .keyPackage(.version)) {
            let good = try testBundle("mallory").keyPackage
            try verify(
                KeyPackage(
                    version: ProtocolVersion(rawValue: 2), cipherSuite: suite, initKey: good.initKey,
                    leafNode: good.leafNode, extensions: [], signature: good.signature))
        },
        ValidationRow("KP-2", .keyPackage(.cipherSuite)) {
            var victim = try Victim()
            let other = try testBundle("mallory", .x25519ChaCha20SHA256Ed25519)
            try victim.receive(victim.forge.commit([.add(other.keyPackage)]))
        },
        ValidationRow("KP-3", .keyPackage(.signature)) {
            let good = try testBundle("mallory").keyPackage
            try verify(
                KeyPackage(
                    version: .mls10, cipherSuite: suite, initKey: good.initKey, leafNode: good.leafNode,
                    extensions: [Extension(type: ExtensionType(rawValue: 0x0a0a), data: [1])],
                    signature: good.signature))
        },
        ValidationRow("KP-4", .keyPackage(.initKeyIsEncryptionKey)) {
            let bundle = try testBundle("mallory")
            try verify(
                KeyPackage(
                    cipherSuite: suite, initKey: bundle.keyPackage.leafNode.encryptionKey,
                    leafNode: bundle.keyPackage.leafNode, extensions: [], signer: bundle.signer))
        },
        ValidationRow("KP-5", .keyPackage(.duplicateExtension)) {
            let bundle = try testBundle("mallory")
            let grease = Extension(type: ExtensionType(rawValue: 0x0a0a), data: [])
            try verify(
                KeyPackage(
                    cipherSuite: suite, initKey: bundle.keyPackage.initKey, leafNode: bundle.keyPackage.leafNode,
                    extensions: [grease, grease], signer: bundle.signer))
        },
        ValidationRow("KP-6", .crypto(.invalidPublicKey)) {
            let bundle = try testBundle("mallory")
            try verify(
                KeyPackage(
                    cipherSuite: suite, initKey: HPKEPublicKey([1, 2, 3]), leafNode: bundle.keyPackage.leafNode,
                    extensions: [], signer: bundle.signer))
        },
        ValidationRow("KP-7", .crypto(.invalidPublicKey)) {
            // The curve's point of order two: every shared secret with it is zero.
            let bundle = try testBundle("mallory")
            try verify(
                KeyPackage(
                    cipherSuite: suite, initKey: HPKEPublicKey([UInt8](repeating: 0, count: 32)),
                    leafNode: bundle.keyPackage.leafNode, extensions: [], signer: bundle.signer))
        },
    ]

    static let leafNodes: [ValidationRow] = [
        ValidationRow("LN-1", .leafNode(.credential)) {
            try verify(
                Forge.keyPackage(), [],
                testEnvironment { $0.authentication = TestAuthentication(refused: ["mallory"]) })
        },
        ValidationRow("LN-2", .leafNode(.signature)) {
            try verify(Forge.keyPackage(sign: SignaturePrivateKey(generatingFor: suite)))
        },
        ValidationRow("LN-3", .leafNode(.requiredCapability)) {
            let required = RequiredCapabilities(proposals: [ProposalType(rawValue: 0xff00)])
            try verify(Forge.keyPackage(), [.requiredCapabilities(required)])
        },
        ValidationRow("LN-4", .leafNode(.groupExtensionUnsupported)) {
            try verify(Forge.keyPackage(), [Extension(type: ExtensionType(rawValue: 0xff00), data: [])])
        },
        ValidationRow("LN-5", .leafNode(.versionOrCipherSuiteUnsupported)) {
            try verify(Forge.keyPackage { $0.capabilities.cipherSuites = [.p256AES128SHA256P256] })
        },
        ValidationRow("LN-6", .leafNode(.versionOrCipherSuiteUnsupported)) {
            try verify(Forge.keyPackage { $0.capabilities.versions = [ProtocolVersion(rawValue: 7)] })
        },
        ValidationRow("LN-7", .leafNode(.credentialTypeUnsupportedByMember)) {
            var victim = try Victim()
            let other = try Forge.keyPackage {
                $0.credential = .x509(certificates: [])
                $0.capabilities.credentials = [.basic, .x509]
            }
            try victim.receive(victim.forge.commit([.add(other)]))
        },
        ValidationRow("LN-8", .leafNode(.credentialTypeUnsupportedByMember)) {
            var victim = try Victim(capabilities: Capabilities(credentials: [.basic, .x509]))
            let other = try Forge.keyPackage {
                $0.credential = .x509(certificates: [])
                $0.capabilities.credentials = [.x509]
            }
            try victim.receive(victim.forge.commit([.add(other)]))
        },
        ValidationRow("LN-9", .leafNode(.lifetime)) {
            try verify(Forge.keyPackage(), [], testEnvironment { $0.now = testLifetime.notAfter + 1 })
        },
        ValidationRow("LN-10", .leafNode(.lifetime)) {
            try verify(Forge.keyPackage(), [], testEnvironment { $0.now = testLifetime.notBefore - 1 })
        },
        ValidationRow("LN-11", .leafNode(.lifetimeTooLong)) {
            try verify(
                Forge.keyPackage { $0.source = .keyPackage(Lifetime(notBefore: 0, notAfter: UInt64.max)) })
        },
        ValidationRow("LN-12", .leafNode(.extensionNotInCapabilities)) {
            try verify(
                Forge.keyPackage {
                    $0.extensions = [Extension(type: ExtensionType(rawValue: 0xff00), data: [])]
                })
        },
        ValidationRow("LN-13", .leafNode(.credentialTypeNotInCapabilities)) {
            try verify(Forge.keyPackage { $0.capabilities.credentials = [.x509] })
        },
        ValidationRow("LN-14", .leafNode(.duplicateExtension)) {
            try verify(
                Forge.keyPackage { $0.extensions = [.applicationID([1]), .applicationID([2])] })
        },
        ValidationRow("LN-15", .leafNode(.defaultTypeInCapabilities)) {
            try verify(Forge.keyPackage { $0.capabilities.proposals = [.add] })
        },
        ValidationRow("LN-16", .leafNode(.source)) {
            try verify(Forge.keyPackage { $0.source = .update })
        },
        ValidationRow("LN-17", .leafNode(.source)) {
            var victim = try Victim()
            try victim.receive(victim.forge.update { $0.source = .keyPackage(testLifetime) })
        },
        ValidationRow("LN-18", .leafNode(.source)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([], path: victim.forge.path { $0.source = .update }))
        },
        ValidationRow("LN-19", .leafNode(.encryptionKeyNotChanged)) {
            var victim = try Victim()
            let forge = victim.forge
            try victim.receive(forge.update { $0.encryptionKey = try forge.own.encryptionKey })
        },
        ValidationRow("LN-20", .leafNode(.encryptionKeyNotChanged)) {
            var victim = try Victim()
            let forge = victim.forge
            try victim.receive(
                forge.commit([], path: forge.path { $0.encryptionKey = try forge.own.encryptionKey }))
        },
        ValidationRow("LN-21", .leafNode(.duplicateSignatureKey)) {
            var victim = try Victim()
            let signer = victim.members.groups[2].signer
            var draft = LeafDraft(try victim.forge.own)
            draft.encryptionKey = try victim.forge.group.algorithms.kem.generateKeyPair(.system).publicKey
            draft.source = .update
            draft.signatureKey = signer.publicKey
            let leaf = try draft.signed(signer, victim.forge.place)
            try victim.receive(victim.forge.message(.proposal(.update(leaf))))
        },
        ValidationRow("LN-22", .leafNode(.duplicateEncryptionKey)) {
            var victim = try Victim()
            let key = victim.members.groups[2].tree[LeafIndex(2)]?.encryptionKey
            try victim.receive(victim.forge.update { if let key { $0.encryptionKey = key } })
        },
        ValidationRow("LN-23", .leafNode(.duplicateEncryptionKey)) {
            var victim = try Victim()
            let key = victim.members.groups[2].tree[LeafIndex(2)]?.encryptionKey
            try victim.receive(
                victim.forge.commit([.add(Forge.keyPackage { if let key { $0.encryptionKey = key } })]))
        },
        ValidationRow("LN-24", .leafNode(.notASuccessor)) {
            var victim = try Victim()
            try victim.receive(victim.forge.update { $0.credential = .basic(identity: Array("bob".utf8)) })
        },
        ValidationRow("LN-25", .leafNode(.notASuccessor)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit(
                    [], path: victim.forge.path { $0.credential = .basic(identity: Array("bob".utf8)) }))
        },
        ValidationRow("LN-26", .leafNode(.invalidEncryptionKey)) {
            try verify(
                Forge.keyPackage(suite: .p256AES128SHA256P256) {
                    $0.encryptionKey = HPKEPublicKey([4] + [UInt8](repeating: 1, count: 64))
                })
        },
        ValidationRow("LN-29", .leafNode(.invalidEncryptionKey)) {
            let unusable = HPKEPublicKey([UInt8](repeating: 0xff, count: 1_216))
            try verify(
                Forge.keyPackage(suite: .xWingAES128SHA256Ed25519) { $0.encryptionKey = unusable })
        },
        ValidationRow("LN-27", .leafNode(.signature)) {
            var victim = try Victim()
            let path = try victim.forge.path()
            let leaf = try LeafDraft(path.leafNode).signed(
                victim.forge.group.signer, .init(groupID: [0], leafIndex: LeafIndex(0)))
            try victim.receive(victim.forge.commit([], path: UpdatePath(leafNode: leaf, nodes: path.nodes)))
        },
        ValidationRow("LN-30", .leafNode(.signature)) {
            var victim = try Victim()
            var draft = LeafDraft(try victim.forge.own)
            draft.encryptionKey = try victim.forge.group.algorithms.kem.generateKeyPair(.system).publicKey
            draft.source = .update
            let leaf = try draft.signed(victim.forge.group.signer, .init(groupID: [0], leafIndex: LeafIndex(0)))
            try victim.receive(victim.forge.message(.proposal(.update(leaf))))
        },
        ValidationRow("LN-28", .leafNode(.duplicateSignatureKey)) {
            var victim = try Victim()
            let signer = victim.members.groups[2].signer
            let path = try victim.forge.path()
            var draft = LeafDraft(path.leafNode)
            draft.signatureKey = signer.publicKey
            let leaf = try draft.signed(signer, victim.forge.place)
            try victim.receive(victim.forge.commit([], path: UpdatePath(leafNode: leaf, nodes: path.nodes)))
        },
    ]
}
