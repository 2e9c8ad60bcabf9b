import KithSupport
import Testing

@testable import MLS

@Suite("Groups")
struct GroupTests {
    @Test("members of every suite add, remove, update, commit and talk", arguments: CipherSuite.supported)
    func lifeOfAGroup(suite: CipherSuite) throws {
        var members = try TestMembers(["alice", "bob", "carol"], suite: suite)
        try members.checkAgreement()
        for index in 0..<3 { try members.commit(index) }
        try members.checkAgreement()

        let dave = try testBundle("dave", suite)
        let commit = try members.commit(1, CommitOptions([.add(dave.keyPackage), .remove(LeafIndex(2))]))
        #expect(commit.effect.added.map(\.index) == [LeafIndex(2)])
        #expect(commit.effect.removed.map(\.index) == [LeafIndex(2)])
        let welcome = try #require(commit.welcome)
        members.groups.append(try Group(joining: welcome.asWelcome, with: dave, in: members.environment))
        #expect(members.groups[2].status == .removed)
        try members.checkAgreement()
    }

    @Test("the suites whose curves swift-crypto lacks are refused by name", arguments: [4, 6] as [UInt16])
    func unsupportedSuites(number: UInt16) {
        let suite = CipherSuite(rawValue: number)
        #expect(throws: MLSError.unsupportedCipherSuite(suite)) { try SignaturePrivateKey(generatingFor: suite) }
    }

    @Test("an update proposal renews its sender's leaf when another member commits it")
    func updateProposal() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let before = members.groups[1].tree[LeafIndex(1)]
        let message = try members.groups[1].proposeUpdate(in: members.environment)
        try members.propose(1, message)
        let commit = try members.commit(0)
        #expect(commit.effect.updated.contains { $0.index == LeafIndex(1) })
        #expect(members.groups[0].tree[LeafIndex(1)]?.encryptionKey != before?.encryptionKey)
        try members.checkAgreement()
        try members.commit(1)
        try members.checkAgreement()
    }

    @Test("an update may bring a new signature key, with which the member signs afterwards")
    func updateSignatureKey() throws {
        var members = try TestMembers(["alice", "bob"])
        let renewed = try testClient("bob")
        let message = try members.groups[1].proposeUpdate(renewed, in: members.environment)
        try members.propose(1, message)
        try members.commit(0)
        #expect(members.groups[1].signatureKey == renewed.signer.publicKey)
        try members.checkAgreement()
        var options = CommitOptions()
        options.newLeaf = try testClient("alice")
        try members.commit(0, options)
        try members.checkAgreement()
    }

    @Test("commits without a path, with PSKs and with new extensions keep members in agreement")
    func partialCommits() throws {
        let capabilities = Capabilities(extensions: [ExtensionType(rawValue: 0xff01)])
        var members = try TestMembers(["alice", "bob", "carol"], capabilities: capabilities)
        let secret = SecretBytes([1, 2, 3])
        members.environment.preSharedKey = { $0 == .external(id: [7]) ? secret : nil }
        var options = CommitOptions([
            .preSharedKey(PreSharedKeyID(kind: .external(id: [7]), nonce: [UInt8](repeating: 5, count: 32)))
        ])
        options.renewsPath = false
        try members.commit(2, options)
        try members.checkAgreement()
        let epoch = members.groups[0].epoch
        try members.commit(0)
        options.proposals = [
            .preSharedKey(
                PreSharedKeyID(
                    kind: .resumption(usage: .application, groupID: members.groups[0].groupID, epoch: epoch),
                    nonce: [UInt8](repeating: 6, count: 32)))
        ]
        try members.commit(1, options)
        try members.checkAgreement()
        let extensions = [
            Extension(type: ExtensionType(rawValue: 0xff01), data: [1]),
            Extension.requiredCapabilities(RequiredCapabilities(credentials: [.basic])),
        ]
        try members.commit(1, CommitOptions([.groupContextExtensions(extensions)]))
        #expect(members.groups[2].context.extensions == extensions)
        try members.checkAgreement()
    }

    @Test("unencrypted handshake messages are authenticated")
    func publicHandshakes() throws {
        var environment = testEnvironment()
        environment.configuration.encryptsHandshakes = false
        var members = try TestMembers(["alice", "bob", "carol"], environment: environment)
        let message = try members.groups[2].propose(.remove(LeafIndex(1)), in: environment)
        try members.propose(2, message)
        let commit = try members.commit(0)
        #expect(commit.message.wireFormat == .publicMessage)
        #expect(members.groups[1].status == .removed)
        try members.checkAgreement()
    }

    @Test("an outsider joins with an external commit, and rejoins in place of its old leaf")
    func externalCommit() throws {
        var members = try TestMembers(["alice", "bob"])
        let client = try testClient("carol")
        let info = try members.groups[0].groupInfo().asGroupInfo
        let join = try Group.joinExternally(info, client: client, in: members.environment)
        for index in members.groups.indices {
            let effect = try members.groups[index].follow(join.message, members.environment)
            #expect(effect.added.map(\.index) == [LeafIndex(2)])
        }
        members.groups.append(join.group)
        try members.checkAgreement()
        try members.commit(2)

        let again = try Group.joinExternally(
            members.groups[1].groupInfo().asGroupInfo, client: client, .init(removing: LeafIndex(2)),
            in: members.environment)
        for index in 0..<2 { try members.groups[index].follow(again.message, members.environment) }
        members.groups[2] = again.group
        #expect(members.groups[0].memberCount == 3)
        try members.checkAgreement()
    }

    @Test("a listed external sender and a newcomer propose, and a member commits it")
    func externalProposals() throws {
        let signer = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519)
        let sender = ExternalSender(signatureKey: signer.publicKey, credential: .basic(identity: [9]))
        var members = try TestMembers(["alice", "bob", "carol"], extensions: [.externalSenders([sender])])
        let group = members.groups[0]
        let remove = try Group.externalProposal(
            .remove(LeafIndex(2)), senderIndex: 0, groupID: group.groupID, epoch: group.epoch, signer: signer)
        let dave = try testBundle("dave")
        let add = try Group.newMemberProposal(dave, groupID: group.groupID, epoch: group.epoch)
        for index in members.groups.indices {
            try members.groups[index].hear(remove)
            try members.groups[index].hear(add)
        }
        let commit = try members.commit(1)
        let welcome = try #require(commit.welcome)
        members.groups.append(try Group(joining: welcome.asWelcome, with: dave, in: members.environment))
        #expect(members.groups[2].status == .removed)
        try members.checkAgreement()
    }

    @Test("a group is reinitialized with another suite and the same members")
    func reinitialization() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let reInit = ReInit(groupID: [1, 2], cipherSuite: .p256AES128SHA256P256)
        try members.commit(0, CommitOptions([.reInit(reInit)]))
        #expect(members.groups[1].status == .reinitialized(reInit))
        #expect(throws: MLSError.usage(.groupInactive)) {
            try members.groups[1].encrypt([1], in: members.environment)
        }
        let suite = CipherSuite.p256AES128SHA256P256
        let bundles = try [testBundle("alice", suite), testBundle("carol", suite)]
        var (created, commit) = try members.groups[1].reinitialize(
            with: Founders(
                client: testClient("bob", suite), lifetime: testLifetime, keyPackages: bundles.map(\.keyPackage)),
            in: members.environment)
        try created.apply(commit)
        let welcome = try #require(commit.welcome)
        var successor = members
        successor.groups = [created]
        for (bundle, old) in zip(bundles, [members.groups[0], members.groups[2]]) {
            successor.groups.append(
                try Group(joining: welcome.asWelcome, with: bundle, predecessor: old, in: members.environment))
        }
        try successor.checkAgreement()
        #expect(throws: (any Error).self) {
            try Group(
                joining: welcome.asWelcome, with: bundles[0], predecessor: testGroup("alice"),
                in: members.environment)
        }
    }

    @Test("a branch links some members to the group they came from")
    func branching() throws {
        let members = try TestMembers(["alice", "bob", "carol"])
        let bundle = try testBundle("carol")
        var (created, commit) = try members.groups[0].branch(
            groupID: [5],
            with: Founders(
                client: testClient("alice"), lifetime: testLifetime, keyPackages: [bundle.keyPackage]),
            in: members.environment)
        try created.apply(commit)
        let welcome = try #require(commit.welcome)
        let joined = try Group(
            joining: welcome.asWelcome, with: bundle, predecessor: members.groups[2], in: members.environment)
        #expect(joined.epochAuthenticator == created.epochAuthenticator)
        let stranger = try testBundle("mallory")
        #expect(throws: MLSError.joining(.branchMismatch)) {
            try members.groups[0].branch(
                groupID: [6],
                with: Founders(
                    client: testClient("alice"), lifetime: testLifetime, keyPackages: [stranger.keyPackage]),
                in: members.environment)
        }
    }

    @Test("a member leaves by a self-remove, even if the next commit is a newcomer's")
    func selfRemove() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let leaving = try members.groups[1].proposeLeaving(in: members.environment)
        guard case .publicMessage(let proposal) = leaving else {
            Issue.record("a self-remove must be public")
            return
        }
        let others = [0, 2]
        for index in others { try members.groups[index].hear(leaving) }
        let join = try Group.joinExternally(
            members.groups[0].groupInfo().asGroupInfo, client: testClient("dave"), .init(selfRemoves: [proposal]),
            in: members.environment)
        for index in [0, 1, 2] { try members.groups[index].follow(join.message) }
        #expect(members.groups[1].status == .removed)
        members.groups.append(join.group)
        try members.checkAgreement()
    }

    @Test("a proposal that the others would refuse is not sent")
    func ownProposals() throws {
        var members = try TestMembers(["alice", "bob"])
        let expired = testEnvironment { $0.now = testLifetime.notAfter + 1 }
        let dave = try testBundle("dave")
        #expect(throws: MLSError.proposals(.removedLeafBlank)) {
            try members.groups[0].propose(.remove(LeafIndex(5)), in: members.environment)
        }
        #expect(throws: MLSError.leafNode(.lifetime)) {
            try members.groups[0].propose(.add(dave.keyPackage), in: expired)
        }
        #expect(members.groups[0].pendingProposals.isEmpty)
    }

    @Test("a committer that lost the race drops its commit and applies the winner's")
    func race() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let lost = try members.groups[0].commit(in: members.environment)
        let won = try members.groups[1].commit(in: members.environment)
        try members.groups[1].apply(won)
        try members.groups[0].follow(won.message)
        try members.groups[2].follow(won.message)
        #expect(throws: MLSError.usage(.staleCommit)) { try members.groups[0].apply(lost) }
        #expect(throws: MLSError.self) { try members.groups[2].follow(lost.message) }
        try members.checkAgreement()
    }

    @Test("a pending and a staged commit give the exporters of the epoch they open")
    func exportersAhead() throws {
        var members = try TestMembers(["alice", "bob"])
        let pending = try members.groups[0].commit(in: members.environment)
        guard case .commit(let staged) = try members.groups[1].process(pending.message, in: members.environment)
        else { return }
        let ahead = try pending.export(label: "kith channel", context: [1], length: 32)
        let ofStaged = try staged.export(label: "kith channel", context: [1], length: 32)
        let before = try members.groups[0].export(label: "kith channel", context: [1], length: 32)
        try members.groups[0].apply(pending)
        let after = try members.groups[0].export(label: "kith channel", context: [1], length: 32)
        #expect(ofStaged == ahead && before != ahead && after == ahead)
    }

    @Test("an exported component secret can be taken once and is the same for all members")
    func safeExporter() throws {
        var members = try TestMembers(["alice", "bob"])
        let component = ComponentID(rawValue: 0x8001)
        let first = try members.groups[0].takeExportedSecret(component)
        let second = try members.groups[1].takeExportedSecret(component)
        #expect(second == first)
        #expect(throws: MLSError.usage(.consumed)) { try members.groups[0].takeExportedSecret(component) }
        let other = try members.groups[0].takeExportedSecret(ComponentID(rawValue: 0x8002))
        #expect(other != first)
    }

    @Test("a key package of last resort is marked as such")
    func lastResort() throws {
        let capabilities = Capabilities(extensions: [.appDataDictionary])
        let bundle = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519, client: testClient("bob", capabilities: capabilities),
            lifetime: testLifetime, isLastResort: true)
        #expect(bundle.keyPackage.isLastResort)
        let ordinary = try testBundle("carol")
        #expect(!ordinary.keyPackage.isLastResort)
    }

    @Test("X.509 credentials are carried and judged by the application")
    func x509() throws {
        let capabilities = Capabilities(credentials: [.basic, .x509])
        var client = try testClient("bob", capabilities: capabilities)
        client.credential = .x509(certificates: [[1, 2, 3], [4]])
        let bundle = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519, client: client, lifetime: testLifetime)
        var creator = try testGroup("alice", capabilities: capabilities)
        let commit = try creator.commit(CommitOptions([.add(bundle.keyPackage)]), in: testEnvironment())
        let welcome = try #require(commit.welcome)
        let joined = try Group(joining: welcome.asWelcome, with: bundle, in: testEnvironment())
        #expect(joined.tree[LeafIndex(1)]?.credential == .x509(certificates: [[1, 2, 3], [4]]))
    }
}
