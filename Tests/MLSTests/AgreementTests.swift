import Testing

@testable import MLS

/// What one member makes, the others must accept, and what one accepts the others must: else the group forks.
@Suite("Agreement")
struct AgreementTests {
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
