import Foundation
import KithSupport
import Testing

@testable import MLS

/// Properties that an application needs besides RFC 9420 itself.
@Suite("An application's needs")
struct ApplicationNeedsTests {
    @Test("a received message has its sender, epoch, number and authenticated data")
    func received() throws {
        var members = try TestMembers(["alice", "bob"])
        try members.commit(0)
        for number: UInt32 in 0..<3 {
            let message = try members.groups[1].encrypt([7], authenticatedData: [1, 2], in: members.environment)
            let received = try members.groups[0].receive(message)
            #expect(received.epoch == 2 && received.generation == number && received.authenticatedData == [1, 2])
            #expect(members.groups[0].tree[received.sender]?.credential == .basic(identity: Array("bob".utf8)))
            #expect(try message.delivered.destination?.epoch == received.epoch)
        }
    }

    @Test("every message after a sender's first changes one record, that of the sender's leaf")
    func oneRecord() throws {
        var members = try TestMembers((0..<40).map { "member \($0)" })
        for _ in 0..<3 {
            let message = try members.groups[7].encrypt([1], in: members.environment)
            _ = try members.groups[31].receive(message)
        }
        for index in [7, 31] { _ = members.groups[index].takeChangedRecords() }
        let message = try members.groups[7].encrypt([1], in: members.environment)
        _ = try members.groups[31].receive(message)
        for index in [7, 31] {
            let changed = members.groups[index].takeChangedRecords()
            #expect(changed.map(\.key) == [.leaf(LeafIndex(rawValue: 7))])
            #expect(changed.allSatisfy { ($0.content?.count ?? 0) < 200 })
            #expect(members.groups[index].takeChangedRecords().isEmpty)
        }
    }

    @Test("a commit applied to a copy shows the next epoch and leaves the group unchanged")
    func copyShowsNext() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let pending = try members.groups[0].commit(
            CommitOptions([.remove(LeafIndex(rawValue: 2))]), in: members.environment)
        guard
            case .commit(let staged) = try members.groups[1].process(pending.message.delivered, in: members.environment)
        else { return #expect(Bool(false), "no commit") }
        var ahead = members.groups[1]
        try ahead.apply(staged)
        #expect(ahead.memberCount == 2 && ahead.epoch == staged.epoch)
        #expect(try ahead.export(label: "token", length: 32) == pending.export(label: "token", length: 32))
        #expect(ahead.epochAuthenticator == pending.epochAuthenticator)
        #expect(members.groups[1].memberCount == 3 && members.groups[1].epoch == 1)
    }

    @Test("a stored commit still knows the next epoch's exporters", arguments: [true, false])
    func storedCommit(isAccepted: Bool) throws {
        var members = try TestMembers(["alice", "bob"])
        let pending = try members.groups[0].commit(in: members.environment)
        let restored = try PendingCommit(restoring: pending.stored)
        #expect(restored.epochAuthenticator == pending.epochAuthenticator)
        #expect(try restored.export(label: "token", length: 32) == pending.export(label: "token", length: 32))
        members.groups[0] = try StorageTests.Store(members.groups[0]).restore()
        if isAccepted {
            try members.groups[1].follow(restored.message)
            try members.groups[0].apply(restored)
        } else {
            let other = try members.groups[1].commit(in: members.environment)
            try members.groups[0].follow(other.message)
            try members.groups[1].apply(other)
            #expect(throws: MLSError.usage(.staleCommit)) { try members.groups[0].apply(restored) }
        }
        try members.checkAgreement()
    }

    @Test("a group that accepts no newcomers is not held up by their proposals")
    func newcomersRefused() throws {
        let closed = testEnvironment { $0.configuration.acceptsNewcomers = false }
        var members = try TestMembers(["alice", "bob"])
        let group = members.groups[0]
        let proposal = try Group.newMemberProposal(
            testBundle("mallory"), groupID: group.groupID, epoch: group.epoch)
        let join = try Group.joinExternally(
            members.groups[1].groupInfo().asGroupInfo, client: testClient("mallory"), in: closed)
        for message in [proposal, join.message] {
            #expect(throws: MLSError.message(.senderType)) {
                try members.groups[0].process(message.delivered, in: closed)
            }
        }
        #expect(members.groups[0].pendingProposals.isEmpty)
        try members.checkAgreement()
    }

    // MARK: Key packages that wait

    @Test("a key package that waited on disk joins, whatever the suite", arguments: CipherSuite.supported)
    func waitingKeyPackage(suite: CipherSuite) throws {
        let environment = testEnvironment()
        var alice = try testGroup("alice", suite)
        let bundles = [try testBundle("bob", suite), try testBundle("bob", suite)]
        let disk = bundles.map(\.stored)
        let commit = try alice.commit(CommitOptions([.add(bundles[1].keyPackage)]), in: environment)
        let welcome = try #require(try commit.welcome?.asWelcome)
        let waiting = try disk.map { try KeyPackageBundle(restoring: $0) }
        #expect(try waiting.map { try welcome.isFor($0.keyPackage) } == [false, true])
        try alice.apply(commit)
        let bob = try Group(joining: welcome, with: waiting[1], in: environment)
        #expect(bob.epochAuthenticator == alice.epochAuthenticator)
    }

    @Test("a damaged or newer stored key package is refused")
    func damagedKeyPackage() throws {
        let whole = try testBundle("bob").stored.copyBytes()
        for length in 0..<whole.count {
            #expect(throws: MLSError.storage(.malformed)) {
                _ = try KeyPackageBundle(restoring: SecretBytes(whole.prefix(length)))
            }
        }
        #expect(throws: MLSError.storage(.version(2))) {
            _ = try KeyPackageBundle(restoring: SecretBytes([2] + whole.dropFirst()))
        }
        var other = whole
        other[whole.count - 40] ^= 1  // the encryption key's last bytes lie before the signer's 33
        #expect(throws: MLSError.self) { _ = try KeyPackageBundle(restoring: SecretBytes(other)) }
    }

    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/key-package-v1.json")

    @Test("a key package stored by version 1 can be read")
    func frozenFormat() throws {
        if ProcessInfo.processInfo.environment["KITH_WRITE_FIXTURES"] != nil {
            let bundle = try testBundle("bob")
            let object = [
                "stored": Hex.encode(bundle.stored.copyBytes()), "key_package": Hex.encode(bundle.keyPackage.encoded),
            ]
            try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
                .write(to: Self.fixture)
        }
        let json = try JSON(file: Self.fixture)
        let bundle = try KeyPackageBundle(restoring: json["stored"].secret())
        #expect(try bundle.keyPackage.encoded == json["key_package"].bytes())
    }

    @Test("a key package that never expires is accepted if the application allows it")
    func endlessLifetime() throws {
        let bundle = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519, client: testClient("bob"),
            lifetime: Lifetime(notBefore: 0, notAfter: .max))
        #expect(throws: MLSError.leafNode(.lifetimeTooLong)) { try bundle.keyPackage.verify(in: testEnvironment()) }
        let endless = testEnvironment { $0.configuration.maximumLifetime = .max }
        var group = try testGroup("alice")
        let commit = try group.commit(CommitOptions([.add(bundle.keyPackage)]), in: endless)
        let welcome = try #require(commit.welcome).asWelcome
        #expect(throws: Never.self) { try Group(joining: welcome, with: bundle, in: endless) }
    }

    @Test("no group is made with, or changed to, extensions that the application does not allow")
    func allowedGroupExtensions() throws {
        let environment = testEnvironment { $0.configuration.allowedGroupExtensions = [.requiredCapabilities] }
        #expect(throws: MLSError.proposals(.groupExtensionRefused)) {
            try testGroup("alice", extensions: [.externalSenders([])], environment)
        }
        var members = try TestMembers(["alice", "bob"], environment: environment)
        let senders = Proposal.groupContextExtensions([.externalSenders([])])
        #expect(throws: MLSError.proposals(.groupExtensionRefused)) {
            try members.groups[0].commit(CommitOptions([senders]), in: environment)
        }
        // Another member's application may allow more.
        let proposal = try members.groups[0].propose(senders, in: testEnvironment())
        #expect(throws: MLSError.proposals(.groupExtensionRefused)) {
            try members.groups[1].process(proposal.delivered, in: environment)
        }
        let required = Proposal.groupContextExtensions([.requiredCapabilities(RequiredCapabilities())])
        try members.commit(1, CommitOptions([required]))
        try members.checkAgreement()
    }
}
