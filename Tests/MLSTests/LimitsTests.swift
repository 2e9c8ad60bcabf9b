import TLSCodec
import Testing

@testable import MLS

/// Before it is trusted, a stranger's message costs time and memory in proportion to its bytes.
@Suite("Limits")
struct LimitsTests {
    @Test("long lists of capabilities are compared like short ones", arguments: [1, 8, 9, 3_000])
    func longCapabilities(count: Int) {
        // None of these is a default type, and some are repeated.
        let types = (0..<count).map { ExtensionType(rawValue: UInt16(1_000 + $0)) }
        let required = RequiredCapabilities(extensions: types + types + [.externalSenders], proposals: [.add])
        #expect(Capabilities(extensions: types.reversed()).satisfies(required))
        #expect(!Capabilities(extensions: Array(types.dropFirst())).satisfies(required))
        #expect(!Capabilities(extensions: types).satisfies(RequiredCapabilities(credentials: [.x509])))
        #expect(Capabilities(extensions: types).list(types.map { Extension(type: $0, data: []) }))
    }

    @Test("a path with more nodes than the tallest tree has levels is not decoded")
    func longPath() throws {
        let path = try Forge(group: TestMembers(["alice", "bob"]).groups[0]).path()
        let node = try #require(path.nodes.first)
        let long = UpdatePath(leafNode: path.leafNode, nodes: Array(repeating: node, count: Limits.pathNodes + 1))
        #expect(throws: TLSCodecError.tooLong(limit: Limits.pathNodes)) { try UpdatePath(decoding: long.encoded) }
        let allowed = UpdatePath(leafNode: path.leafNode, nodes: Array(repeating: node, count: Limits.pathNodes))
        #expect(try UpdatePath(decoding: allowed.encoded) == allowed)
    }

    @Test("a path node returns its ciphertexts unchanged and counts them without decoding")
    func pathNode() throws {
        let secrets = (0..<100).map {
            HPKECiphertext(kemOutput: [UInt8($0)], ciphertext: Array(repeating: 7, count: $0))
        }
        let node = UpdatePathNode(encryptionKey: HPKEPublicKey([1]), encryptedPathSecrets: secrets)
        let decoded = try UpdatePathNode(decoding: node.encoded)
        #expect(decoded == node && decoded.secretCount == 100)
        #expect(decoded.encryptedPathSecrets == secrets)
        #expect(decoded.encryptedPathSecret(at: 42) == secrets[42])
        #expect(decoded.encryptedPathSecret(at: 100) == nil)
        #expect(throws: TLSCodecError.truncated) { try UpdatePathNode(decoding: [1, 1, 2, 1, 1]) }
    }

    @Test("a list of the smallest proposals takes a few times its bytes in memory")
    func smallProposals() {
        #expect(MemoryLayout<ProposalOrRef>.stride <= 16)
        let commit = Commit(proposals: Array(repeating: .reference([]), count: 10_000), path: nil)
        #expect(FramedContent.Content.commit(commit).sizeHint <= 4 * commit.encoded.count)
    }

    @Test("a tree with more blank nodes than any valid tree is refused, and one with many is decoded")
    func blankNodes() throws {
        func encoded(blanks: Int, _ node: [UInt8]) -> [UInt8] {
            var writer = TLSWriter()
            writer.writeNested { writer in
                writer.writeBytes(repeatElement(0, count: blanks))
                writer.writeBytes(node)
            }
            return writer.bytes
        }
        let tree = try testGroup("alice").tree
        let leaf = try #require(tree[LeafIndex(0)])
        let read = try RatchetTree(decoding: encoded(blanks: 2_000, [1, 1] + leaf.encoded), tree.hash)
        #expect(read[LeafIndex(1_000)] == leaf && read.memberCount == 1 && read.size == 1_024)
        #expect(throws: MLSError.tree(.tooLarge)) {
            try RatchetTree(decoding: encoded(blanks: 2 * Limits.members, []), tree.hash)
        }
        #expect(throws: MLSError.tree(.trailingBlank)) {
            try RatchetTree(decoding: encoded(blanks: 2_000, []), tree.hash)
        }
    }

    @Test("an X.509 credential has at most 16 certificates with 64 KiB in total")
    func certificates() throws {
        let longest = Credential.x509(certificates: Array(repeating: [], count: Limits.certificates))
        #expect(try Credential(decoding: longest.encoded) == longest)
        let tooMany = Credential.x509(certificates: Array(repeating: [], count: Limits.certificates + 1))
        #expect(throws: TLSCodecError.tooLong(limit: Limits.certificates)) { try Credential(decoding: tooMany.encoded) }
        let tooLarge = Credential.x509(certificates: [[UInt8](repeating: 0, count: Limits.certificateBytes)])
        #expect(throws: TLSCodecError.tooLong(limit: Limits.certificateBytes)) {
            try Credential(decoding: tooLarge.encoded)
        }
        // A credential that others could not decode is not made.
        func bundle(_ credential: Credential) throws -> KeyPackageBundle {
            let client = Client(
                credential: credential, signer: try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519),
                capabilities: Capabilities(credentials: [.x509]))
            return try KeyPackageBundle(
                suite: .x25519AES128SHA256Ed25519, client: client, lifetime: testLifetime)
        }
        #expect(throws: Never.self) { try bundle(longest) }
        for credential in [tooMany, tooLarge] {
            #expect(throws: MLSError.usage(.tooLarge)) { try bundle(credential) }
        }
    }

    @Test("every list of extensions has at most 32")
    func extensions() throws {
        let many = (0...Limits.extensions).map {
            Extension(type: ExtensionType(rawValue: 0xf000 + UInt16($0)), data: [])
        }
        let error = TLSCodecError.tooLong(limit: Limits.extensions)
        let proposal = Proposal.groupContextExtensions(many)
        #expect(throws: error) { try Proposal(decoding: proposal.encoded) }
        let reInit = ReInit(groupID: [1], cipherSuite: .x25519AES128SHA256Ed25519, extensions: many)
        #expect(throws: error) { try ReInit(decoding: reInit.encoded) }
        var context = try testGroup("alice").context
        context.extensions = many
        #expect(throws: error) { try GroupContext(decoding: context.encoded) }
        context.extensions.removeLast()
        #expect(try GroupContext(decoding: context.encoded) == context)
        var client = try testClient("alice", capabilities: Capabilities(extensions: many.map(\.type)))
        client.leafExtensions = many
        #expect(throws: MLSError.usage(.tooLarge)) {
            try KeyPackageBundle(suite: .x25519AES128SHA256Ed25519, client: client, lifetime: testLifetime)
        }
    }

    @Test("a group has at most 64 external senders")
    func externalSenders() throws {
        let sender = ExternalSender(
            signatureKey: try testClient("server").signer.publicKey, credential: .basic(identity: []))
        let most = [Extension.externalSenders(Array(repeating: sender, count: Limits.externalSenders))]
        #expect(try most.externalSenders().count == Limits.externalSenders)
        let tooMany = [Extension.externalSenders(Array(repeating: sender, count: Limits.externalSenders + 1))]
        #expect(throws: MLSError.proposals(.malformedExtension)) {
            try validateGroupExtensions(tooMany, replacing: [], testEnvironment())
        }
    }

    @Test("references and nonces shorter than any hash are not decoded")
    func shortHashes() throws {
        let short = [UInt8](repeating: 1, count: Limits.shortestHash - 1)
        let error = TLSCodecError.tooShort(minimum: Limits.shortestHash)
        #expect(throws: error) { try ProposalOrRef(decoding: ProposalOrRef.reference(short).encoded) }
        let id = PreSharedKeyID(kind: .external(id: [1]), nonce: short)
        #expect(throws: error) { try PreSharedKeyID(decoding: id.encoded) }
        let secrets = EncryptedGroupSecrets(
            newMember: short, encryptedGroupSecrets: HPKECiphertext(kemOutput: [1], ciphertext: [1]))
        #expect(throws: error) { try EncryptedGroupSecrets(decoding: secrets.encoded) }
    }

    @Test("a change to one of several pieces that share storage leaves the others unchanged")
    func sharedPieces() {
        var array = ChunkedArray<Int?>()
        array.grow(to: 1_000, with: nil)
        array[130] = 1
        array.append(2)
        #expect((0..<1_001).filter { array[$0] != nil } == [130, 1_000])
    }
}
