import Testing

@testable import MLS

/// Members must accept what other members make, and refuse what the others refuse. Otherwise the group forks.
@Suite("Agreement")
struct AgreementTests {
    @Test("a commit whose new leaf does not support a credential type in use is not made")
    func ownLeafAmongOthers() throws {
        let both = Capabilities(credentials: [.basic, .x509])
        var alice = try testGroup("alice", capabilities: both)
        let signer = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519)
        let bob = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519,
            client: Client(credential: .x509(certificates: [[1]]), signer: signer, capabilities: both),
            lifetime: testLifetime)
        try alice.apply(try alice.commit(CommitOptions([.add(bob.keyPackage)]), in: testEnvironment()))
        var options = CommitOptions()
        options.newLeaf = try testClient("alice")
        #expect(throws: MLSError.leafNode(.credentialTypeUnsupportedByMember)) {
            try alice.commit(options, in: testEnvironment())
        }
        options.newLeaf = try testClient("alice", capabilities: both)
        #expect(throws: Never.self) { try alice.commit(options, in: testEnvironment()) }
    }

    @Test("an update with another member's signature key is not proposed")
    func ownUpdateAmongOthers() throws {
        var members = try TestMembers(["alice", "bob"])
        let client = Client(credential: .basic(identity: Array("alice".utf8)), signer: members.groups[1].signer)
        #expect(throws: MLSError.leafNode(.duplicateSignatureKey)) {
            try members.groups[0].proposeUpdate(client, in: members.environment)
        }
        #expect(members.groups[0].pendingProposals.isEmpty)
    }

    @Test("received proposals that are not valid together are committed as far as they are")
    func proposalsThatDoNotGoTogether() throws {
        let environment = testEnvironment { $0.authentication = TestAuthentication(identifiesClients: true) }
        var members = try TestMembers(["alice", "bob", "carol"], environment: environment)
        let unknown = PreSharedKeyID(kind: .external(id: [1]), nonce: [UInt8](repeating: 1, count: 32))
        let proposals: [Proposal] = [
            .preSharedKey(unknown), .add(try testBundle("dave").keyPackage), .add(try testBundle("dave").keyPackage),
            .add(try testBundle("erin").keyPackage),
        ]
        for proposal in proposals {
            try members.propose(1, members.groups[1].propose(proposal, in: environment))
        }
        let commit = try members.commit(0)
        #expect(commit.effect.preSharedKeys.isEmpty)
        #expect(
            commit.effect.added.map(\.leaf.credential) == ["dave", "erin"].map { .basic(identity: Array($0.utf8)) })
        try members.checkAgreement()
    }

    @Test("a member that is removed while it leaves by a self-remove is removed once, by the self-remove")
    func removedWhileLeaving() throws {
        let inTheOpen = testEnvironment { $0.configuration.encryptsHandshakes = false }
        var members = try TestMembers(["alice", "bob", "carol"], environment: inTheOpen)
        try members.propose(2, members.groups[2].proposeLeaving(in: inTheOpen))
        let commit = try members.commit(0, CommitOptions([.remove(LeafIndex(2))]))
        guard case .publicMessage(let message) = commit.message, case .commit(let content) = message.content.content,
            case .reference? = content.proposals.first
        else {
            Issue.record("the removal is not by the self-remove")
            return
        }
        #expect(content.proposals.count == 1 && commit.effect.removed.map(\.index) == [LeafIndex(2)])
        try members.checkAgreement()
    }

    @Test("no number of uncommittable proposals keeps a member from committing")
    func manyMisfits() throws {
        var members = try TestMembers(["alice", "bob"])
        for number in 0..<300 {
            let unknown = PreSharedKeyID(
                kind: .external(id: Array("key \(number)".utf8)), nonce: [UInt8](repeating: 1, count: 32))
            try members.propose(1, members.groups[1].propose(.preSharedKey(unknown), in: members.environment))
        }
        #expect(try members.commit(0).effect.preSharedKeys.isEmpty)
        try members.checkAgreement()
    }

    @Test("a commit is not made without its own proposals")
    func ownProposalThatCannotBe() throws {
        var members = try TestMembers(["alice", "bob"])
        try members.propose(1, members.groups[1].proposeUpdate(in: members.environment))
        #expect(throws: MLSError.proposals(.removedLeafBlank)) {
            try members.groups[0].commit(CommitOptions([.remove(LeafIndex(3))]), in: members.environment)
        }
    }

    @Test("a member knows a proposal that it discarded when another commits it, even after a restart")
    func discardedProposal() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        try members.propose(1, members.groups[1].propose(.remove(LeafIndex(2)), in: members.environment))
        members.groups[0].discardProposals()
        members.groups[0] = try Group(restoring: members.groups[0].epochState, records: members.groups[0].records)
        #expect(members.groups[0].pendingProposals.isEmpty)
        _ = try members.groups[0].encrypt([1], in: members.environment)
        #expect(try members.groups[0].commit(in: members.environment).effect.removed.isEmpty)
        try members.commit(1)
        #expect(members.groups[0].memberCount == 2)
        try members.checkAgreement()
    }

    @Test("a key package that expires between its proposal and its commit does not fork the group")
    func lifetimeBetweenProposalAndCommit() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        try members.propose(1, members.groups[1].propose(.add(testBundle("dave").keyPackage), in: members.environment))
        let commit = try members.groups[0].commit(in: members.environment)
        let late = testEnvironment { $0.now = testLifetime.notAfter + 1 }
        #expect(throws: Never.self) { try members.groups[2].follow(commit.message, late) }
    }

    @Test("a member that leaves and rejoins at once is not removed twice")
    func rejoiningWhileLeaving() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let leaving = try members.groups[1].proposeLeaving(in: members.environment)
        guard case .publicMessage(let proposal) = leaving else { return }
        for index in [0, 2] { try members.groups[index].hear(leaving) }
        let client = Client(credential: .basic(identity: Array("bob".utf8)), signer: members.groups[1].signer)
        // A delivery service may give it twice.
        let join = try Group.joinExternally(
            members.groups[0].groupInfo().asGroupInfo, client: client,
            .init(removing: LeafIndex(1), selfRemoves: [proposal, proposal]), in: members.environment)
        for index in [0, 1, 2] { try members.groups[index].follow(join.message) }
        members.groups.append(join.group)
        try members.checkAgreement()
    }

    @Test("a joiner does not make a commit that removes somebody else")
    func joinerRemovesAnother() throws {
        let members = try TestMembers(["alice", "bob"])
        let info = try members.groups[0].groupInfo().asGroupInfo
        #expect(throws: MLSError.leafNode(.notASuccessor)) {
            try Group.joinExternally(
                info, client: testClient("dave"), .init(removing: LeafIndex(1)), in: members.environment)
        }
    }

    @Test("a member that was removed applies no commit of its own, and keeps no secrets")
    func afterRemoval() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        try members.commit(2)
        let pending = try members.groups[1].commit(in: members.environment)
        let before = members.groups[1]
        #expect(!before.privateKeys.isEmpty && !before.resumptionPSKs.isEmpty)
        try members.propose(2, members.groups[2].proposeUpdate(in: members.environment))
        try members.commit(0, CommitOptions([.remove(LeafIndex(1))]))
        #expect(throws: MLSError.usage(.groupInactive)) { try members.groups[1].apply(pending) }
        let removed = try Group(restoring: members.groups[1].epochState, records: members.groups[1].records)
        for group in [members.groups[1], removed] {
            #expect(group.status == .removed)
            #expect(throws: MLSError.usage(.groupInactive)) { try group.export(label: "label", length: 32) }
            for (new, old) in zip(group.secrets.stored, before.secrets.stored) { #expect(new != old) }
            #expect(group.pendingProposals.isEmpty && group.exporterTree.secrets.isEmpty)
            #expect(group.privateKeys.isEmpty && group.resumptionPSKs.isEmpty && group.secretTree.recordKeys.isEmpty)
        }
        try members.checkAgreement()
    }

    @Test("a received commit is applied once, in its epoch, and by no removed member")
    func staleStagedCommit() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        func staged(_ message: MLSMessage, by index: Int) throws -> StagedCommit {
            guard
                case .commit(let commit) = try members.groups[index].process(
                    message.delivered, in: members.environment)
            else { throw JSON.Missing(description: "no commit") }
            return commit
        }
        let removal = try members.groups[0].commit(
            CommitOptions([.remove(LeafIndex(1))]), in: members.environment)
        let renewal = try members.groups[2].commit(in: members.environment)
        let atBob = try [staged(removal.message, by: 1), staged(renewal.message, by: 1)]
        let atAlice = try staged(renewal.message, by: 0)

        try members.groups[1].apply(atBob[0])
        #expect(throws: MLSError.usage(.groupInactive)) { try members.groups[1].apply(atBob[1]) }
        #expect(members.groups[1].status == .removed)

        try members.groups[0].apply(removal)
        #expect(throws: MLSError.usage(.staleCommit)) { try members.groups[0].apply(atAlice) }
        #expect(members.groups[0].memberCount == 2)
    }

    @Test("a group with the announced identifier but without the predecessor's key is not its successor")
    func successorWithoutTheKey() throws {
        var members = try TestMembers(["alice", "bob"])
        let reInit = ReInit(groupID: [1, 2], cipherSuite: .p256AES128SHA256P256)
        try members.commit(0, CommitOptions([.reInit(reInit)]))
        var impostor = try Group(
            creating: reInit.groupID, suite: reInit.cipherSuite, client: testClient("bob", reInit.cipherSuite),
            lifetime: testLifetime, in: members.environment)
        let bundle = try testBundle("alice", reInit.cipherSuite)
        let commit = try impostor.commit(CommitOptions([.add(bundle.keyPackage)]), in: members.environment)
        let welcome = try #require(commit.welcome)
        #expect(throws: MLSError.joining(.reInitMismatch)) {
            try Group(
                joining: welcome.asWelcome, with: bundle, predecessor: members.groups[0], in: members.environment)
        }
    }

    @Test("a key package's extensions are in its capabilities; that of last resort is added automatically")
    func keyPackageExtensions() throws {
        let bundle = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519, client: testClient("bob"), lifetime: testLifetime, isLastResort: true)
        #expect(bundle.keyPackage.isLastResort)
        #expect(bundle.keyPackage.leafNode.capabilities.supports(.appDataDictionary))
        #expect(throws: MLSError.leafNode(.extensionNotInCapabilities)) {
            try KeyPackageBundle(
                suite: .x25519AES128SHA256Ed25519, client: testClient("bob"), lifetime: testLifetime,
                extensions: [Extension(type: ExtensionType(rawValue: 0xff00), data: [])])
        }
    }
}
