import TLSCodec

@testable import MLS

/// A Welcome for dave by alice of a group of eight in which everyone has committed, changed as `change` says.
private func join(
    _ change: (inout Forge.WelcomeDraft) throws -> Void, adds: Bool = true,
    environment: MLSEnvironment = testEnvironment(), predecessor: Group? = nil,
    isMemberOf: ([UInt8]) -> Bool = { _ in false }
) throws {
    var members = try TestMembers(["alice", "bob", "carol", "dan", "erin"])
    for index in members.groups.indices { try members.commit(index) }
    let bundle = try testBundle("dave")
    let welcome = try Forge(group: members.groups[0]).welcome(bundle, adds: adds, change)
    let opened = try OpenedWelcome(welcome, with: bundle, predecessor: predecessor, in: environment)
    _ = try Group(joining: opened, isMemberOf: isMemberOf, in: environment)
}

/// Replaces a parent node of the tree.
private func parent(
    _ draft: inout Forge.WelcomeDraft, _ node: Int, _ change: (inout ParentNode) -> Void
) throws {
    guard var parent = draft.tree[parent: node] else { throw JSON.Missing(description: "blank \(node)") }
    change(&parent)
    draft.tree.setParent(parent, at: node)
}

extension ValidationRow {
    static let trees: [ValidationRow] = [
        ValidationRow("TR-1", .tree(.trailingBlank)) {
            try join { $0.encodedTree = [1, 0] }
        },
        ValidationRow("TR-2", .tree(.trailingBlank)) {
            try join { $0.encodedTree = [0] }
        },
        ValidationRow("TR-3", .tree(.nodeType)) {
            // A leaf where a parent belongs.
            try join { draft in
                let leaf = draft.tree[LeafIndex(0)]?.encoded ?? []
                var writer = TLSWriter()
                writer.writeNested { writer in
                    for _ in 0..<2 {
                        writer.writeBytes([1, 1])
                        writer.writeBytes(leaf)
                    }
                }
                draft.encodedTree = writer.bytes
            }
        },
        ValidationRow("TR-4", .tree(.treeHash)) {
            try join {
                $0.announcesTreeHash = false
                $0.context.treeHash = [1]
            }
        },
        ValidationRow("TR-5", .tree(.parentHash)) {
            try join { try parent(&$0, 3) { $0.parentHash = [1] } }
        },
        ValidationRow("TR-6", .tree(.parentHash)) {
            // A key that no member of the subtree put there.
            try join { draft in
                let key = HPKEPublicKey([UInt8](repeating: 9, count: 32))
                try parent(&draft, 1) {
                    $0 = ParentNode(
                        encryptionKey: key, parentHash: $0.parentHash, unmergedLeaves: $0.unmergedLeaves)
                }
            }
        },
        ValidationRow("TR-7", .tree(.unmergedLeaf)) {
            try join { try parent(&$0, 7) { $0.unmergedLeaves.append(LeafIndex(7)) } }
        },
        ValidationRow("TR-8", .tree(.unmergedLeaf)) {
            try join { try parent(&$0, 3) { $0.unmergedLeaves.append(LeafIndex(4)) } }
        },
        ValidationRow("TR-9", .tree(.unmergedLeafMissingBelow)) {
            try join { try parent(&$0, 3) { $0.unmergedLeaves.append(LeafIndex(2)) } }
        },
        ValidationRow("TR-10", .tree(.unmergedLeavesOrder)) {
            try join { try parent(&$0, 1) { $0.unmergedLeaves = [LeafIndex(1), LeafIndex(1)] } }
        },
        ValidationRow("TR-11", .tree(.duplicateEncryptionKey)) {
            try join { draft in
                let key = draft.tree[parent: 3]?.encryptionKey ?? HPKEPublicKey([])
                try parent(&draft, 1) {
                    $0 = ParentNode(
                        encryptionKey: key, parentHash: $0.parentHash, unmergedLeaves: $0.unmergedLeaves)
                }
            }
        },
        ValidationRow("TR-12", .tree(.invalidEncryptionKey)) {
            try join { draft in
                try parent(&draft, 1) {
                    $0 = ParentNode(
                        encryptionKey: HPKEPublicKey([1]), parentHash: $0.parentHash,
                        unmergedLeaves: $0.unmergedLeaves)
                }
            }
        },
        ValidationRow("TR-13", .leafNode(.duplicateSignatureKey)) {
            try join { draft in
                guard let leaf = draft.tree[LeafIndex(1)] else { return }
                var copy = LeafDraft(leaf)
                copy.encryptionKey = HPKEPublicKey([UInt8](repeating: 5, count: 32))
                draft.tree.setLeaf(try copy.signed(draft.signer), at: LeafIndex(2))
                var second = LeafDraft(leaf)
                second.encryptionKey = HPKEPublicKey([UInt8](repeating: 6, count: 32))
                second.signatureKey = copy.signatureKey
                draft.tree.setLeaf(try second.signed(draft.signer), at: LeafIndex(3))
            }
        },
        ValidationRow("TR-14", .leafNode(.signature)) {
            // The leaf is of another group, and parents are blank, so only the signature shows it.
            let bundle = try testBundle("dave")
            var group = try testGroup("alice")
            let erin = try testBundle("erin")
            let added = try group.commit(CommitOptions([.add(erin.keyPackage)]), in: testEnvironment())
            try group.apply(added)
            let welcome = try Forge(group: group).welcome(bundle) { draft in
                guard let leaf = draft.tree[LeafIndex(1)] else { return }
                let other = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519)
                draft.tree.setParent(nil, at: 1)
                draft.tree.setLeaf(try LeafDraft(leaf).signed(other), at: LeafIndex(1))
                var own = LeafDraft(draft.tree[LeafIndex(0)] ?? leaf)
                own.source = .update
                draft.tree.setParent(nil, at: 3)
                draft.tree.setLeaf(
                    try own.signed(draft.signer, .init(groupID: draft.context.groupID, leafIndex: LeafIndex(0))),
                    at: LeafIndex(0))
            }
            _ = try Group(joining: welcome, with: bundle, in: testEnvironment())
        },
        ValidationRow("TR-15", .leafNode(.requiredCapability)) {
            try join {
                $0.context.extensions = [
                    .requiredCapabilities(RequiredCapabilities(proposals: [ProposalType(rawValue: 0xff00)]))
                ]
            }
        },
        ValidationRow("TR-16", .leafNode(.credential)) {
            try join(
                { _ in },
                environment: testEnvironment { $0.authentication = TestAuthentication(refused: ["erin"]) })
        },
        ValidationRow("TR-17", .tree(.tooSparse)) {
            try join { draft in
                while draft.tree.size <= Limits.sparseLeaves { try draft.tree.extend() }
                draft.tree.setLeaf(try testBundle("far").keyPackage.leafNode, at: LeafIndex(draft.tree.size - 1))
            }
        },
    ]

    static let welcomes: [ValidationRow] = [
        ValidationRow("WE-1", .joining(.notForThisKeyPackage)) {
            let members = try TestMembers(["alice"])
            let welcome = try Forge(group: members.groups[0]).welcome(testBundle("dave"))
            _ = try Group(joining: welcome, with: testBundle("eve"), in: testEnvironment())
        },
        ValidationRow("WE-2", .joining(.cipherSuite)) {
            try join { $0.suite = .x25519ChaCha20SHA256Ed25519 }
        },
        ValidationRow("WE-3", .joining(.groupInfoSignature)) {
            try join { $0.signer = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519) }
        },
        ValidationRow("WE-4", .joining(.groupInfoSignature)) {
            try join { $0.signerIndex = LeafIndex(6) }
        },
        ValidationRow("WE-5", .joining(.treeMissing)) {
            try join { $0.includesTree = false }
        },
        ValidationRow("WE-6", .joining(.leafMissing)) {
            try join({ _ in }, adds: false)
        },
        ValidationRow("WE-7", .joining(.confirmationTag)) {
            try join { $0.tag = [UInt8](repeating: 0, count: 32) }
        },
        ValidationRow("WE-8", .joining(.pathSecret)) {
            try join { $0.pathSecret = SecretBytes([UInt8](repeating: 1, count: 32)) }
        },
        ValidationRow("WE-9", .joining(.groupExtensionUnsupported)) {
            try join { $0.context.extensions = [Extension(type: ExtensionType(rawValue: 0xff00), data: [])] }
        },
        ValidationRow("WE-23", .preSharedKey(.nonceLength)) {
            try join {
                $0.preSharedKeys = [
                    PreSharedKeyID(kind: .external(id: [1]), nonce: [UInt8](repeating: 1, count: 33))
                ]
            }
        },
        ValidationRow("WE-24", .leafNode(.credential)) {
            // The inviter's credential is judged before the tree; this one is refused for another reason.
            try join(
                {
                    $0.announcesTreeHash = false
                    $0.context.treeHash = [1]
                }, environment: testEnvironment { $0.authentication = TestAuthentication(refused: ["alice"]) })
        },
        ValidationRow("WE-22", .joining(.groupExtensionRefused)) {
            try join(
                { $0.context.extensions = [.externalSenders([])] },
                environment: testEnvironment { $0.configuration.allowedGroupExtensions = [.requiredCapabilities] })
        },
        ValidationRow("WE-10", .joining(.groupIDInUse)) {
            try join({ _ in }, isMemberOf: { $0 == Array("group".utf8) })
        },
        ValidationRow("WE-11", .joining(.duplicateExtension)) {
            try join { $0.infoExtensions = [.applicationID([1]), .applicationID([2])] }
        },
        ValidationRow("WE-12", .joining(.duplicateExtension)) {
            try join { $0.context.extensions = [.externalSenders([]), .externalSenders([])] }
        },
        ValidationRow("WE-13", .preSharedKey(.unknown)) {
            try join {
                $0.preSharedKeys = [
                    PreSharedKeyID(kind: .external(id: [1]), nonce: [UInt8](repeating: 1, count: 32))
                ]
            }
        },
        ValidationRow("WE-14", .preSharedKey(.multipleResumptions)) {
            try join(
                { draft in
                    draft.preSharedKeys = [ResumptionUsage.reInit, .branch].map {
                        PreSharedKeyID(
                            kind: .resumption(usage: $0, groupID: [1], epoch: 1),
                            nonce: [UInt8](repeating: 1, count: 32))
                    }
                }, environment: testEnvironment { $0.preSharedKey = { _ in SecretBytes([1]) } })
        },
        ValidationRow("WE-15", .joining(.notFirstEpoch)) { try succession(.reInit) { _ in } },
        ValidationRow("WE-16", .joining(.reInitMismatch)) { try succession(.reInit) { $0.context.epoch = 1 } },
        ValidationRow("WE-17", .joining(.branchMismatch)) { try succession(.branch) { $0.context.epoch = 1 } },
        ValidationRow("WE-18", .joining(.externalPubMissing)) {
            let members = try TestMembers(["alice", "bob"])
            let info = try members.groups[0].groupInfo(includesExternalPub: false).asGroupInfo
            _ = try Group.joinExternally(info, client: testClient("dave"), in: testEnvironment())
        },
        ValidationRow("WE-19", .joining(.groupInfoSignature)) {
            let members = try TestMembers(["alice", "bob"])
            let info = try members.groups[0].groupInfo().asGroupInfo
            let forged = GroupInfo(
                info.groupContext, info.extensions, info.confirmationTag, LeafIndex(1), signature: info.signature)
            _ = try Group.joinExternally(forged, client: testClient("dave"), in: testEnvironment())
        },
        ValidationRow("WE-20", .crypto(.open)) {
            let members = try TestMembers(["alice"])
            let bundle = try testBundle("dave")
            let welcome = try Forge(group: members.groups[0]).welcome(bundle)
            var info = welcome.encryptedGroupInfo
            info[info.count - 1] ^= 1
            let broken = Welcome(
                cipherSuite: welcome.cipherSuite, secrets: welcome.secrets, encryptedGroupInfo: info)
            _ = try Group(joining: broken, with: bundle, in: testEnvironment())
        },
        ValidationRow("WE-21", .joining(.branchMismatch)) { try join({ _ in }, predecessor: testGroup("alice")) },
    ]

    /// A Welcome that claims to continue a group that it has nothing to do with.
    private static func succession(
        _ usage: ResumptionUsage, _ change: (inout Forge.WelcomeDraft) -> Void
    ) throws {
        let old = try Group(
            creating: Array("old".utf8), suite: .x25519AES128SHA256Ed25519, client: testClient("stranger"),
            lifetime: testLifetime, in: testEnvironment())
        let id = PreSharedKeyID(
            kind: .resumption(usage: usage, groupID: old.groupID, epoch: old.epoch),
            nonce: [UInt8](repeating: 1, count: 32))
        try join(
            { draft in
                draft.preSharedKeys = [id]
                draft.pskSecrets = [ResolvedPSK(id: id, secret: old.resumptionPSK)]
                change(&draft)
            }, predecessor: old)
    }
}
