import Testing

@testable import MLS

/// What one member makes, the others must accept, and what one accepts the others must: else the group forks.
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

    @Test("a member that leaves and rejoins at once is not removed twice")
    func rejoiningWhileLeaving() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let leaving = try members.groups[1].proposeLeaving(in: members.environment)
        guard case .publicMessage(let proposal) = leaving else { return }
        for index in [0, 2] { try members.groups[index].hear(leaving) }
        let client = Client(credential: .basic(identity: Array("bob".utf8)), signer: members.groups[1].signer)
        // A delivery service may give it twice.
        let join = try Group.joinExternally(
            members.groups[0].groupInfo().asGroupInfo, client: client, removing: LeafIndex(1),
            selfRemoves: [proposal, proposal], in: members.environment)
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
                info, client: testClient("dave"), removing: LeafIndex(1), in: members.environment)
        }
    }

    @Test("a member that was removed applies no commit of its own, and keeps no secrets")
    func afterRemoval() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let pending = try members.groups[1].commit(in: members.environment)
        let before = members.groups[1]
        try members.commit(0, CommitOptions([.remove(LeafIndex(1))]))
        #expect(throws: MLSError.usage(.groupInactive)) { try members.groups[1].apply(pending) }
        let removed = try Group(restoring: members.groups[1].epochState, records: members.groups[1].records)
        for group in [members.groups[1], removed] {
            #expect(group.status == .removed)
            #expect(throws: MLSError.usage(.groupInactive)) { try group.export(label: "label", length: 32) }
            for (new, old) in zip(group.secrets.stored, before.secrets.stored) { #expect(new != old) }
            #expect(group.privateKeys.isEmpty && group.resumptionPSKs.isEmpty && group.secretTree.recordKeys.isEmpty)
        }
        try members.checkAgreement()
    }

    @Test("a group of the announced identifier that does not have the predecessor's key is not its successor")
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
}
