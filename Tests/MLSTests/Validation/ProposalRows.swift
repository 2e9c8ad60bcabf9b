@testable import MLS

private let nonce = [UInt8](repeating: 1, count: 32)

extension ValidationRow {
    static let proposals: [ValidationRow] = [
        ValidationRow("PL-1", .proposals(.unknownReference)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(
                    .commit(Commit(proposals: [.reference([UInt8](repeating: 1, count: 32))], path: nil))))
        },
        ValidationRow("PL-2", .proposals(.updateByCommitter)) {
            var victim = try Victim()
            let update = try victim.forge.update { _ in }
            guard case .publicMessage(let update) = update else { return }
            try victim.hearAndCommit([update])
        },
        ValidationRow("PL-3", .proposals(.committerRemoved)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.remove(LeafIndex(0))]))
        },
        ValidationRow("PL-4", .proposals(.multipleChangesOfLeaf)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.remove(LeafIndex(2)), .remove(LeafIndex(2))]))
        },
        ValidationRow("PL-5", .proposals(.multipleChangesOfLeaf)) {
            var victim = try Victim()
            let carol = Forge(group: victim.members.groups[2])
            guard case .publicMessage(let update) = try carol.update({ _ in }) else { return }
            let remove = try carol.publicMessage(.proposal(.remove(LeafIndex(2))))
            try victim.hearAndCommit([update, remove])
        },
        ValidationRow("PL-38", .proposals(.multipleChangesOfLeaf)) {
            var victim = try Victim()
            let carol = Forge(group: victim.members.groups[2])
            let updates = try (0..<2).compactMap { _ in
                if case .publicMessage(let update) = try carol.update({ _ in }) { update } else { nil }
            }
            try victim.hearAndCommit(updates)
        },
        ValidationRow("PL-39", .proposals(.unsupportedType)) {
            // An Update takes away the support that the self-remove needs.
            var victim = try Victim(["alice", "bob", "carol", "dan"])
            let (carol, dan) = (Forge(group: victim.members.groups[2]), Forge(group: victim.members.groups[3]))
            let update = try carol.update { $0.capabilities.proposals = [] }
            guard case .publicMessage(let update) = update else { return }
            try victim.hearAndCommit([update, dan.publicMessage(.proposal(.selfRemove))])
        },
        ValidationRow("PL-6", .proposals(.multipleAddsOfClient)) {
            var victim = try Victim()
            let bundle = try testBundle("dave")
            let again = try KeyPackageBundle(
                suite: .x25519AES128SHA256Ed25519,
                client: Client(credential: .basic(identity: [1]), signer: bundle.signer), lifetime: testLifetime)
            try victim.receive(victim.forge.commit([.add(bundle.keyPackage), .add(again.keyPackage)]))
        },
        ValidationRow("PL-7", .proposals(.clientIsMember)) {
            var victim = try Victim()
            let again = try KeyPackageBundle(
                suite: .x25519AES128SHA256Ed25519,
                client: Client(credential: .basic(identity: [1]), signer: victim.members.groups[2].signer),
                lifetime: testLifetime)
            try victim.receive(victim.forge.commit([.add(again.keyPackage)]))
        },
        ValidationRow("PL-8", .proposals(.clientIsMember)) {
            var victim = try Victim()
            let environment = testEnvironment {
                $0.authentication = TestAuthentication(identifiesClients: true)
            }
            try victim.receive(victim.forge.commit([.add(testBundle("carol").keyPackage)]), environment)
        },
        ValidationRow("PL-9", .proposals(.duplicatePreSharedKey)) {
            var victim = try Victim()
            let psk = Proposal.preSharedKey(PreSharedKeyID(kind: .external(id: [1]), nonce: nonce))
            try victim.receive(victim.forge.commit([psk, psk]))
        },
        ValidationRow("PL-10", .proposals(.multipleGroupContextExtensions)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit([.groupContextExtensions([]), .groupContextExtensions([])]))
        },
        ValidationRow("PL-11", .proposals(.reInitNotAlone)) {
            var victim = try Victim()
            let reInit = ReInit(groupID: [1], cipherSuite: .x25519AES128SHA256Ed25519)
            try victim.receive(victim.forge.commit([.reInit(reInit), .remove(LeafIndex(2))]))
        },
        ValidationRow("PL-12", .proposals(.externalInit)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.externalInit(kemOutput: [1])]))
        },
        ValidationRow("PL-13", .proposals(.unsupportedType)) {
            var victim = try Victim(capabilities: Capabilities(proposals: []))
            let carol = Forge(group: victim.members.groups[2])
            try victim.receive(carol.message(.proposal(.selfRemove)))
        },
        ValidationRow("PL-14", .proposals(.removedLeafBlank)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.remove(LeafIndex(3))]))
        },
        ValidationRow("PL-15", .proposals(.updateSender)) {
            var victim = try Victim()
            var draft = LeafDraft(try victim.forge.own)
            draft.source = .update
            try victim.receive(
                victim.forge.commit([.update(draft.signed(victim.forge.group.signer, victim.forge.place))]))
        },
        ValidationRow("PL-16", .proposals(.reInitVersion)) {
            var victim = try Victim()
            let reInit = ReInit(
                groupID: [1], version: ProtocolVersion(rawValue: 0), cipherSuite: .x25519AES128SHA256Ed25519)
            try victim.receive(victim.forge.commit([.reInit(reInit)]))
        },
        ValidationRow("PL-17", .proposals(.requiredCapabilities)) {
            var victim = try Victim()
            let required = RequiredCapabilities(credentials: [.x509])
            try victim.receive(
                victim.forge.commit([.groupContextExtensions([.requiredCapabilities(required)])]))
        },
        ValidationRow("PL-18", .proposals(.groupExtensionUnsupported)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit([
                    .groupContextExtensions([Extension(type: ExtensionType(rawValue: 0xff00), data: [])])
                ]))
        },
        ValidationRow("PL-19", .proposals(.duplicateExtension)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit([.groupContextExtensions([.externalSenders([]), .externalSenders([])])]))
        },
        ValidationRow("PL-37", .proposals(.groupExtensionRefused)) {
            var victim = try Victim()
            let environment = testEnvironment { $0.configuration.allowedGroupExtensions = [.requiredCapabilities] }
            let extensions = [Extension.requiredCapabilities(RequiredCapabilities()), .externalSenders([])]
            try victim.receive(victim.forge.commit([.groupContextExtensions(extensions)]), environment)
        },
        ValidationRow("PL-20", .proposals(.malformedExtension)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.commit([.groupContextExtensions([Extension(type: .externalSenders, data: [9])])]))
        },
        ValidationRow("PL-21", .preSharedKey(.nonceLength)) {
            var victim = try Victim()
            let id = PreSharedKeyID(kind: .external(id: [1]), nonce: nonce + [1])
            try victim.receive(victim.forge.commit([.preSharedKey(id)]))
        },
        ValidationRow("PL-22", .preSharedKey(.usage)) {
            var victim = try Victim()
            let id = PreSharedKeyID(kind: .resumption(usage: .reInit, groupID: [1], epoch: 1), nonce: nonce)
            try victim.receive(victim.forge.commit([.preSharedKey(id)]))
        },
        ValidationRow("PL-23", .preSharedKey(.usage)) {
            var victim = try Victim()
            let id = PreSharedKeyID(kind: .resumption(usage: .branch, groupID: [1], epoch: 1), nonce: nonce)
            try victim.receive(victim.forge.commit([.preSharedKey(id)]))
        },
        ValidationRow("PL-24", .preSharedKey(.unknown)) {
            var victim = try Victim()
            let id = PreSharedKeyID(kind: .external(id: [1]), nonce: nonce)
            try victim.receive(victim.forge.commit([.preSharedKey(id)]))
        },
        ValidationRow("PL-25", .proposals(.selfRemove)) {
            var victim = try Victim()
            try victim.receive(victim.forge.commit([.selfRemove]))
        },
        ValidationRow("PL-26", .proposals(.selfRemove)) {
            var victim = try Victim()
            let carol = Forge(group: victim.members.groups[2])
            let first = try carol.publicMessage(.proposal(.selfRemove))
            var second = carol
            second.group.context.extensions = carol.group.context.extensions
            let again = FramedContent(
                groupID: carol.group.groupID, epoch: carol.group.epoch, sender: .member(LeafIndex(2)),
                authenticatedData: [1], content: .proposal(.selfRemove))
            let signed = try AuthenticatedContent(
                signing: again, wireFormat: .publicMessage, context: carol.group.context, key: carol.group.signer)
            let tag = carol.group.algorithms.hash.hmac(
                key: carol.group.secrets.membershipKey, signed.toBeMACed(carol.group.context))
            try victim.hearAndCommit([
                first, PublicMessage(content: again, auth: signed.auth, membershipTag: tag),
            ])
        },
        ValidationRow("PL-27", .proposals(.externalCommit)) { try external([]) },
        ValidationRow("PL-28", .proposals(.externalCommit)) {
            try external([.externalInit(kemOutput: [1]), .externalInit(kemOutput: [1])])
        },
        ValidationRow("PL-29", .proposals(.externalCommit)) {
            try external([.externalInit(kemOutput: [1]), .remove(LeafIndex(1)), .remove(LeafIndex(2))])
        },
        ValidationRow("PL-30", .proposals(.externalCommit)) {
            try external([.externalInit(kemOutput: [1]), .add(testBundle("eve").keyPackage)])
        },
        ValidationRow("PL-31", .proposals(.externalCommit)) {
            var victim = try Victim()
            let remove = try victim.forge.publicMessage(.proposal(.remove(LeafIndex(2))))
            try victim.receive(.publicMessage(remove))
            let content = AuthenticatedContent(
                wireFormat: .publicMessage, content: remove.content, auth: remove.auth)
            let reference = victim.forge.group.algorithms.hash.proposalRef(content.encoded)
            try external([.externalInit(kemOutput: [1])], references: [reference], victim)
        },
        ValidationRow("PL-32", .leafNode(.notASuccessor)) {
            try external([.externalInit(kemOutput: [1]), .remove(LeafIndex(2))])
        },
        ValidationRow("PL-33", .leafNode(.encryptionKeyNotChanged)) {
            var victim = try Victim()
            guard let old = victim.members.groups[0].tree[LeafIndex(2)] else { return }
            let client = Client(credential: old.credential, signer: victim.members.groups[2].signer)
            let info = try victim.members.groups[0].groupInfo().asGroupInfo
            let join = try Group.joinExternally(
                info, client: client, .init(removing: LeafIndex(2)), in: testEnvironment())
            guard case .publicMessage(let message) = join.message, case .commit(let commit) = message.content.content,
                let path = commit.path
            else { return }
            var draft = LeafDraft(path.leafNode)
            draft.encryptionKey = old.encryptionKey
            let place = LeafNode.Place(groupID: info.groupContext.groupID, leafIndex: LeafIndex(2))
            let leaf = try draft.signed(client.signer, place)
            try victim.receive(
                victim.forge.message(
                    .commit(
                        Commit(proposals: commit.proposals, path: UpdatePath(leafNode: leaf, nodes: path.nodes)))
                ) {
                    $0.sender = .newMemberCommit
                    $0.signer = client.signer
                })
        },
        ValidationRow("PL-34", .proposals(.externalSender)) {
            var victim = try Victim()
            let key = victim.members.groups[0].signatureKey
            let sender = ExternalSender(signatureKey: key, credential: .basic(identity: Array("mallory".utf8)))
            try victim.receive(
                victim.forge.commit([.groupContextExtensions([.externalSenders([sender])])]),
                testEnvironment { $0.authentication = TestAuthentication(refused: ["mallory"]) })
        },
        ValidationRow("PL-35", .proposals(.malformedExtension)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(
                    .proposal(.groupContextExtensions([Extension(type: .requiredCapabilities, data: [9])]))))
        },
        ValidationRow("PL-36", .proposals(.malformedExtension)) {
            var victim = try Victim()
            let broken = Extension(type: .externalSenders, data: [9])
            let reInit = ReInit(groupID: [1], cipherSuite: .x25519AES128SHA256Ed25519, extensions: [broken])
            try victim.receive(victim.forge.commit([.reInit(reInit)]))
        },
    ]

    /// A commit from outside with any proposals, whose path is signed by a newcomer.
    static func external(
        _ proposals: [Proposal], references: [[UInt8]] = [], _ given: Victim? = nil, path: Bool = true
    ) throws {
        var victim = try given ?? Victim()
        let client = try testClient("dave")
        let environment = testEnvironment()
        let join = try Group.joinExternally(
            victim.members.groups[0].groupInfo().asGroupInfo, client: client, in: environment)
        guard case .publicMessage(let message) = join.message, case .commit(let commit) = message.content.content
        else { return }
        let list = proposals.map { ProposalOrRef.proposal($0) } + references.map { .reference($0) }
        try victim.receive(
            victim.forge.message(.commit(Commit(proposals: list, path: path ? commit.path : nil))) {
                $0.sender = .newMemberCommit
                $0.signer = client.signer
            })
    }
}
