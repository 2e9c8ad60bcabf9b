import TLSCodec
import Testing

@testable import MLS

/// Refusals that need no row in the validation table: another check stands behind them, or no peer can cause them.
@Suite("Refusals by a group")
struct RefusalTests {
    private let suite = CipherSuite.x25519AES128SHA256Ed25519

    @Test("a lifetime may be as long as the application accepts, and must not end before it begins")
    func lifetimes() throws {
        func verify(_ lifetime: Lifetime, _ longest: UInt64) throws {
            let environment = testEnvironment { $0.configuration.maximumLifetime = longest }
            try KeyPackageBundle(suite: suite, client: testClient("bob"), lifetime: lifetime).keyPackage.verify(
                in: environment)
        }
        let year = Lifetime(notBefore: testNow, notAfter: testNow + 1_000)
        #expect(throws: Never.self) { try verify(year, 1_000) }
        #expect(throws: MLSError.leafNode(.lifetimeTooLong)) { try verify(year, 999) }
        let reversed = Lifetime(notBefore: testNow + 1, notAfter: testNow)
        #expect(throws: MLSError.leafNode(.lifetime)) { try verify(reversed, .max) }
        // Even where the time is not compared.
        #expect(throws: MLSError.leafNode(.lifetime)) {
            let leaf = try KeyPackageBundle(suite: suite, client: testClient("bob"), lifetime: reversed).keyPackage
                .leafNode
            let rules = try LeafNodeRules(suite: suite, extensions: [], isSending: false)
            try leaf.validate(.tree, rules, testEnvironment { $0.configuration.maximumLifetime = .max })
        }
    }

    @Test("a signer of another suite makes no group, commit or external commit")
    func signers() throws {
        let wrong = try testClient("alice", .p256AES128SHA256P256)
        #expect(throws: MLSError.usage(.wrongKey)) {
            try Group(creating: [1], suite: suite, client: wrong, lifetime: testLifetime, in: testEnvironment())
        }
        var group = try testGroup("alice")
        var options = CommitOptions()
        options.newLeaf = wrong
        #expect(throws: MLSError.usage(.wrongKey)) { try group.commit(options, in: testEnvironment()) }
        let info = try group.groupInfo().asGroupInfo
        #expect(throws: MLSError.usage(.wrongKey)) {
            try Group.joinExternally(info, client: wrong, in: testEnvironment())
        }
    }

    @Test("extensions, proposals or PSKs over the limits are not applied")
    func limits() throws {
        let many = (0...Limits.extensions).map {
            Extension(type: ExtensionType(rawValue: 0xf000 + UInt16($0)), data: [])
        }
        #expect(throws: MLSError.usage(.tooLarge)) {
            try testGroup("alice", extensions: many, capabilities: Capabilities(extensions: many.map(\.type)))
        }
        let group = try testGroup("alice")
        let list = ProposalList(
            group: group.view, committer: .member(LeafIndex(0)), environment: testEnvironment(), allowedUsage: nil,
            isSending: true)
        func committed(_ proposal: Proposal) -> CommittedProposal {
            CommittedProposal(proposal: proposal, sender: .member(LeafIndex(0)), isByReference: false, ownUpdate: nil)
        }
        #expect(throws: MLSError.usage(.tooLarge)) {
            try list.apply(Array(repeating: committed(.remove(LeafIndex(1))), count: Limits.proposals + 1))
        }
        let nonce = [UInt8](repeating: 1, count: 32)
        var keys = (0..<Limits.preSharedKeys).map { number in
            committed(
                .preSharedKey(
                    PreSharedKeyID(kind: .external(id: [UInt8(number >> 8), UInt8(number & 255)]), nonce: nonce)))
        }
        #expect(try list.apply(keys).preSharedKeys.count == Limits.preSharedKeys)
        keys.append(committed(.preSharedKey(PreSharedKeyID(kind: .external(id: []), nonce: nonce))))
        #expect(throws: MLSError.preSharedKey(.tooMany)) { try list.apply(keys) }
    }

    @Test("no commit is made or processed in the last epoch that can be counted")
    func lastEpoch() throws {
        var members = try TestMembers(["alice", "bob"])
        members.groups[0].context.epoch = .max
        #expect(throws: MLSError.commit(.epochOverflow)) { try members.groups[0].commit(in: members.environment) }
        let content = AuthenticatedContent(
            wireFormat: .publicMessage,
            content: FramedContent(
                groupID: members.groups[0].groupID, epoch: .max, sender: .member(LeafIndex(1)), authenticatedData: [],
                content: .commit(Commit(proposals: [], path: nil))),
            auth: .init(signature: [], confirmationTag: [1]))
        #expect(throws: MLSError.commit(.epochOverflow)) {
            try members.groups[0].stage(
                Commit(proposals: [], path: nil), VerifiedContent.own(content), members.environment)
        }
    }

    @Test("a removed member processes nothing")
    func removedMember() throws {
        var members = try TestMembers(["alice", "bob"])
        let message = try members.groups[0].encrypt([1], in: members.environment)
        try members.commit(0, CommitOptions([.remove(LeafIndex(1))]))
        #expect(throws: MLSError.usage(.groupInactive)) {
            try members.groups[1].process(message.delivered, in: members.environment)
        }
    }

    @Test("an external sender that is no longer accepted proposes nothing, and stays listed until changed")
    func externalSender() throws {
        let server = try testClient("server")
        let sender = ExternalSender(signatureKey: server.signer.publicKey, credential: server.credential)
        let extensions = [Extension.externalSenders([sender])]
        var members = try TestMembers(["alice", "bob"], extensions: extensions)
        let group = members.groups[0]
        let proposal = try Group.externalProposal(
            .remove(LeafIndex(1)), senderIndex: 0, groupID: group.groupID, epoch: group.epoch, signer: server.signer)
        members.environment.authentication = TestAuthentication(refused: ["server"])
        #expect(throws: MLSError.message(.sender)) {
            try members.groups[0].process(proposal.delivered, in: members.environment)
        }
        let required = Extension.requiredCapabilities(RequiredCapabilities())
        try members.commit(1, CommitOptions([.groupContextExtensions(extensions + [required])]))
        try members.checkAgreement()
    }

    @Test("an update is not committed if the application no longer accepts its member")
    func updateBeforeRefusal() throws {
        var victim = try Victim()
        let carol = Forge(group: victim.members.groups[2])
        guard case .publicMessage(let update) = try carol.update({ _ in }) else { return }
        let environment = testEnvironment { $0.authentication = TestAuthentication(refused: ["carol"]) }
        #expect(throws: MLSError.leafNode(.credential)) { try victim.hearAndCommit([update], in: environment) }
    }

    @Test("a member's own public message is not processed")
    func ownPublicMessage() throws {
        let members = try TestMembers(["alice", "bob"])
        var bob = members.groups[1]
        let own = try Forge(group: bob).message(.proposal(.remove(LeafIndex(0))))
        #expect(throws: MLSError.message(.fromSelf)) { try bob.process(own.delivered, in: members.environment) }
        #expect(bob.pendingProposals.isEmpty)
    }

    @Test("a member rejoins only if the application allows rejoining")
    func resync() throws {
        let members = try TestMembers(["alice", "bob"])
        let bob = Client(
            credential: .basic(identity: Array("bob".utf8)),
            signer: try SignaturePrivateKey(generatingFor: suite))
        let strict = testEnvironment { $0.configuration.allowsResync = false }
        let info = try members.groups[0].groupInfo().asGroupInfo
        #expect(throws: MLSError.proposals(.externalCommit)) {
            try Group.joinExternally(info, client: bob, .init(removing: LeafIndex(1)), in: strict)
        }
        var alice = members.groups[0]
        let join = try Group.joinExternally(info, client: bob, .init(removing: LeafIndex(1)), in: testEnvironment())
        #expect(throws: MLSError.proposals(.externalCommit)) { try alice.process(join.message.delivered, in: strict) }
    }

    @Test("a proposed ReInit to an older version is not kept")
    func reInitVersion() throws {
        var victim = try Victim()
        let reInit = ReInit(groupID: [1], version: ProtocolVersion(rawValue: 0), cipherSuite: suite)
        #expect(throws: MLSError.proposals(.reInitVersion)) {
            try victim.receive(victim.forge.message(.proposal(.reInit(reInit))))
        }
        #expect(victim.members.groups[1].pendingProposals.isEmpty)
    }

    @Test("a path secret is refused if all nodes of its path are blank")
    func pathSecretForBlankNodes() throws {
        let members = try TestMembers(["alice"])
        let bundle = try testBundle("dave")
        let welcome = try Forge(group: members.groups[0]).welcome(bundle) { $0.pathSecret = .zero(count: 32) }
        #expect(throws: MLSError.joining(.pathSecret)) {
            try Group(joining: welcome, with: bundle, in: testEnvironment())
        }
    }

    @Test("a Welcome signed by its recipient, or for a group of another suite, is refused")
    func welcomes() throws {
        let members = try TestMembers(["alice", "bob"])
        let bundle = try testBundle("dave")
        let own = try Forge(group: members.groups[0]).welcome(bundle) {
            $0.pathSecret = .zero(count: 32)
            $0.signerIndex = LeafIndex(2)
            $0.signer = bundle.signer
        }
        #expect(throws: MLSError.joining(.pathSecret)) {
            try Group(joining: own, with: bundle, in: testEnvironment())
        }
        let otherSuite = try Forge(group: members.groups[0]).welcome(bundle) { draft in
            let context = draft.context
            draft.context = GroupContext(
                cipherSuite: .x25519ChaCha20SHA256Ed25519, groupID: context.groupID,
                epoch: context.epoch, treeHash: context.treeHash,
                confirmedTranscriptHash: context.confirmedTranscriptHash, extensions: context.extensions)
        }
        #expect(throws: MLSError.joining(.cipherSuite)) {
            try Group(joining: otherSuite, with: bundle, in: testEnvironment())
        }
    }

    @Test("stored keys of a place outside of the tree, or of another length, are not restored")
    func storedKeys() throws {
        var group = try TestMembers(["alice", "bob"]).groups[0]
        _ = try group.encrypt([1], in: testEnvironment())
        let leaf = try #require(group.records.first { $0.key == .leaf(group.ownLeafIndex) }?.content)
        let node = try #require(group.records.first)
        let content = try #require(node.content).copyBytes()
        let records: [GroupRecord] = [
            GroupRecord(key: node.key, content: SecretBytes(content.dropLast())),
            GroupRecord(key: .node(3), content: SecretBytes(content)),
            GroupRecord(key: .leaf(LeafIndex(2)), content: leaf),
        ]
        for record in records {
            #expect(throws: MLSError.storage(.malformed)) {
                try Group(restoring: group.epochState, records: [record])
            }
        }
    }

    @Test("nobody joins a tree in which a member lacks a credential type in use")
    func credentialTypesOfTree() throws {
        let members = try TestMembers(["alice", "bob"])
        let eve = Client(
            credential: .x509(certificates: [[1]]), signer: try SignaturePrivateKey(generatingFor: suite),
            capabilities: Capabilities(credentials: [.basic, .x509]))
        let other = try KeyPackageBundle(suite: suite, client: eve, lifetime: testLifetime)
        let bundle = try testBundle("dave")
        let welcome = try Forge(group: members.groups[0]).welcome(bundle) {
            _ = try $0.tree.add(other.keyPackage.leafNode)
        }
        #expect(throws: MLSError.leafNode(.credentialTypeUnsupportedByMember)) {
            _ = try Group(joining: welcome, with: bundle, in: members.environment)
        }
    }

    @Test("a parent node where a leaf belongs is refused")
    func parentAsLeaf() throws {
        let parent = ParentNode(
            encryptionKey: HPKEPublicKey([UInt8](repeating: 9, count: 32)), parentHash: [], unmergedLeaves: [])
        var writer = TLSWriter()
        writer.writeNested { writer in
            writer.writeBytes([1, 2])
            writer.writeBytes(parent.encoded)
        }
        let algorithms = try suite.requireAlgorithms()
        #expect(throws: MLSError.tree(.nodeType)) { try RatchetTree(decoding: writer.bytes, algorithms.hash) }
    }

    @Test("a leaf index outside of the tree has no member and no keys")
    func keysOfNobody() throws {
        let group = try TestMembers(["alice", "bob"]).groups[0]
        #expect(group.tree[LeafIndex(1)] != nil)
        for leaf in [2, 1_000, Limits.members] { #expect(group.tree[LeafIndex(leaf)] == nil) }
        let window = testEnvironment().configuration.window
        #expect(throws: Never.self) {
            _ = try group.secretTree.key(LeafIndex(1), .application, generation: 0, window)
        }
        #expect(throws: MLSError.message(.sender)) {
            _ = try group.secretTree.key(LeafIndex(2), .application, generation: 0, window)
        }
    }

    @Test("no leaf is made that lists default types")
    func defaultCapabilities() {
        for capabilities in [Capabilities(extensions: [.requiredCapabilities]), Capabilities(proposals: [.add])] {
            #expect(throws: MLSError.leafNode(.defaultTypeInCapabilities)) {
                try testBundle("bob", capabilities: capabilities)
            }
        }
    }

    @Test("secrets of different lengths differ, even if one begins with the other")
    func lengths() {
        #expect(SecretBytes([1]) != SecretBytes([1, 2]) && SecretBytes([1, 2]) != SecretBytes([1]))
        #expect(!equalMACs([1], [1, 2]) && !equalMACs([], [1]) && equalMACs([1, 2], [1, 2]))
    }

    @Test("a path whose leaf lacks a credential type in use is refused")
    func credentialTypes() throws {
        let both = Capabilities(credentials: [.basic, .x509])
        var members = try TestMembers(["alice", "bob"], capabilities: both)
        let carol = Client(
            credential: .x509(certificates: [[1]]), signer: try SignaturePrivateKey(generatingFor: suite),
            capabilities: both)
        let bundle = try KeyPackageBundle(suite: suite, client: carol, lifetime: testLifetime)
        try members.commit(0, CommitOptions([.add(bundle.keyPackage)]))
        let forge = Forge(group: members.groups[0])
        let path = try forge.path { $0.capabilities.credentials = [.basic] }
        #expect(throws: MLSError.leafNode(.credentialTypeUnsupportedByMember)) {
            try members.groups[1].process(try forge.commit([], path: path).delivered, in: members.environment)
        }
    }
}
