import TLSCodec
import Testing

@testable import MLS

/// Values without meaning, in what this module makes and receives (RFC 9420 §13.5).
@Suite("GREASE")
struct GREASETests {
    private func isGreased(_ leaf: LeafNode) -> Bool {
        let (lists, extensions) = (leaf.capabilities, leaf.extensions.filter(\.type.isGREASE))
        return lists.cipherSuites.count(where: \.isGREASE) == 1 && lists.proposals.count(where: \.isGREASE) == 1
            && lists.credentials.count(where: \.isGREASE) == 1 && extensions.count == 1
            && lists.extensions.filter(\.isGREASE) == extensions.map(\.type)
    }

    @Test("leaves of every source, key packages and GroupInfo carry it")
    func carried() throws {
        var members = try TestMembers(["alice", "bob"])
        #expect(members.groups[0].members.allSatisfy { isGreased($0.leaf) })
        let carol = try testBundle("carol")
        #expect(isGreased(carol.keyPackage.leafNode))
        #expect(carol.keyPackage.extensions.count(where: \.type.isGREASE) == 1)
        var options = CommitOptions()
        options.newLeaf = try testClient("alice")
        try members.commit(0, options)
        try members.propose(1, try members.groups[1].proposeUpdate(testClient("bob"), in: members.environment))
        try members.commit(0)
        #expect(members.groups[1].members.allSatisfy { isGreased($0.leaf) })
        let info = try members.groups[0].groupInfo().asGroupInfo
        #expect(info.extensions.count(where: \.type.isGREASE) == 1)
        let joined = try Group.joinExternally(info, client: testClient("dave"), in: members.environment)
        #expect(joined.group.tree[joined.group.ownLeafIndex].map(isGreased) == true)
    }

    @Test("it takes 11 bytes of a leaf and 3 more of a key package, and can be left out")
    func size() throws {
        var client = try testClient("alice")
        func bundle() throws -> KeyPackageBundle {
            try KeyPackageBundle(suite: .x25519AES128SHA256Ed25519, client: client, lifetime: testLifetime)
        }
        let with = try bundle().keyPackage
        client.carriesGREASE = false
        let without = try bundle().keyPackage
        #expect(with.leafNode.encoded.count - without.leafNode.encoded.count == 11)
        #expect(with.encoded.count - without.encoded.count == 14)
        #expect(without.leafNode.capabilities == client.capabilities && without.leafNode.extensions.isEmpty)
        #expect(without.extensions.isEmpty)
    }

    @Test("the same randomness makes the same values")
    func repeatable() throws {
        func capabilities(_ seed: UInt8) -> Capabilities {
            Capabilities().greased(random: RandomSource { for index in $0.indices { $0[index] = seed } })
        }
        #expect(capabilities(7) == capabilities(7) && capabilities(7) != capabilities(8))
        #expect((0...255).allSatisfy { capabilities($0).extensions.allSatisfy(\.isGREASE) })
        #expect(Set((0...255).map(capabilities)).count == 15)
        #expect(capabilities(7).greased() == capabilities(7), "once is enough")
        #expect(capabilities(7).withoutGREASE == Capabilities())
    }

    @Test("it is ignored in capabilities, leaves, key packages and GroupInfo of others")
    func ignored() throws {
        var capabilities = Capabilities().greased()
        capabilities.extensions.append(ExtensionType(rawValue: 0x3a3a))
        capabilities.extensions.append(ExtensionType(rawValue: 0xeaea))
        var client = try testClient("bob", capabilities: capabilities)
        client.leafExtensions = [Extension(type: capabilities.extensions[0], data: [1, 2])]
        let bundle = try KeyPackageBundle(
            suite: .x25519AES128SHA256Ed25519, client: client, lifetime: testLifetime,
            extensions: [Extension(type: ExtensionType(rawValue: 0x3a3a), data: [9])])
        var creator = try testGroup("alice")
        var options = CommitOptions([.add(bundle.keyPackage)])
        options.groupInfoExtensions = [Extension(type: ExtensionType(rawValue: 0x7a7a), data: [])]
        let commit = try creator.commit(options, in: testEnvironment())
        let welcome = try #require(commit.welcome)
        #expect(throws: Never.self) { try Group(joining: welcome.asWelcome, with: bundle, in: testEnvironment()) }
    }

    @Test("it does not count as supported by the client that carries it")
    func unsupported() throws {
        let members = try TestMembers(["alice"])
        let bundle = try testBundle("dave")
        let grease = bundle.keyPackage.leafNode.capabilities.extensions.filter(\.isGREASE)
        let own = try #require(grease.first)
        let welcome = try Forge(group: members.groups[0]).welcome(bundle) {
            $0.context.extensions = [Extension(type: own, data: [])]
        }
        #expect(throws: MLSError.joining(.groupExtensionUnsupported)) {
            try Group(joining: welcome, with: bundle, in: testEnvironment())
        }
    }
}
