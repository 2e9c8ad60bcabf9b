import TLSCodec

@testable import MLS

extension ValidationRow {
    static let messages: [ValidationRow] = [
        ValidationRow("MS-1", .malformed(.unknownValue(field: "version", value: 2))) {
            var victim = try Victim()
            var bytes = try victim.forge.commit([]).encoded
            bytes[1] = 2
            _ = try victim.members.groups[1].process(bytes, in: testEnvironment())
        },
        ValidationRow("MS-2", .malformed(.unknownValue(field: "wire_format", value: 9))) {
            var victim = try Victim()
            var bytes = try victim.forge.commit([]).encoded
            bytes[3] = 9
            _ = try victim.members.groups[1].process(bytes, in: testEnvironment())
        },
        ValidationRow("MS-3", .message(.wireFormat)) {
            var victim = try Victim()
            try victim.receive(testBundle("dave").message)
        },
        ValidationRow("MS-4", .message(.groupID)) {
            var victim = try Victim()
            try victim.receive(victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.groupID = [7] })
        },
        ValidationRow("MS-5", .message(.epoch(current: 1, message: 7))) {
            var victim = try Victim()
            try victim.receive(victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.epoch = 7 })
        },
        ValidationRow("MS-6", .message(.sender)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.sender = .member(LeafIndex(3)) })
        },
        ValidationRow("MS-7", .message(.signature)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(.proposal(.remove(LeafIndex(2)))) {
                    $0.signer = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519)
                })
        },
        ValidationRow("MS-8", .message(.membershipTag)) {
            var victim = try Victim()
            let message = try victim.forge.publicMessage(.proposal(.remove(LeafIndex(2))))
            try victim.receive(
                .publicMessage(
                    PublicMessage(
                        content: message.content, auth: message.auth,
                        membershipTag: [UInt8](repeating: 0, count: 32))))
        },
        ValidationRow("MS-9", .message(.publicApplicationData)) {
            var victim = try Victim()
            try victim.receive(victim.forge.message(.application([1])))
        },
        ValidationRow("MS-10", .message(.senderType)) {
            var victim = try Victim(["alice", "bob"], extensions: [.externalSenders([])])
            try victim.receive(
                victim.forge.message(.commit(Commit(proposals: [], path: nil))) { $0.sender = .external(0) })
        },
        ValidationRow("MS-11", .message(.sender)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.sender = .external(0) })
        },
        ValidationRow("MS-12", .message(.senderType)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.sender = .newMemberProposal })
        },
        ValidationRow("MS-13", .message(.senderType)) {
            var victim = try Victim()
            try victim.receive(
                victim.forge.message(.proposal(.remove(LeafIndex(2)))) { $0.sender = .newMemberCommit })
        },
        ValidationRow("MS-14", .message(.externalProposalType)) {
            let signer = try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519)
            let sender = ExternalSender(signatureKey: signer.publicKey, credential: .basic(identity: [1]))
            var victim = try Victim(extensions: [.externalSenders([sender])])
            try victim.receive(
                victim.forge.message(.proposal(.externalInit(kemOutput: [1]))) {
                    $0.sender = .external(0)
                    $0.signer = signer
                })
        },
        ValidationRow("MS-15", .message(.decryption)) {
            try privately { message in
                PrivateMessage(
                    groupID: message.groupID, epoch: message.epoch, contentType: message.contentType,
                    authenticatedData: [1], encryptedSenderData: message.encryptedSenderData,
                    ciphertext: message.ciphertext)
            }
        },
        ValidationRow("MS-16", .message(.decryption)) {
            try privately { message in
                PrivateMessage(
                    groupID: message.groupID, epoch: message.epoch, contentType: message.contentType,
                    authenticatedData: [], encryptedSenderData: message.encryptedSenderData.reversed(),
                    ciphertext: message.ciphertext)
            }
        },
        ValidationRow("MS-17", .message(.padding)) {
            var victim = try Victim()
            let group = victim.members.groups[0]
            let content = FramedContent(
                groupID: group.groupID, epoch: group.epoch, sender: .member(LeafIndex(0)), authenticatedData: [],
                content: .application([1]))
            let signed = try AuthenticatedContent(
                signing: content, wireFormat: .privateMessage, context: group.context, key: group.signer)
            let key = try group.secretTree.next(LeafIndex(0), .application).key
            var plaintext = TLSWriter()
            content.content.encode(into: &plaintext)
            signed.auth.encode(into: &plaintext)
            plaintext.writeBytes([0, 0, 1])
            var aad = TLSWriter()
            aad.writeOpaque(group.groupID)
            aad.write(group.epoch)
            aad.write(ContentType.application)
            var senderAAD = aad
            aad.writeOpaque([UInt8]())
            let ciphertext = try group.algorithms.aead.seal(
                plaintext.bytes, key: key.key, nonce: key.nonce(reuseGuard: [0, 0, 0, 0]), aad: aad.bytes)
            let keys = PrivateMessage.senderDataKeys(
                group.secrets.senderDataSecret, ciphertext, group.algorithms)
            let senderData = [UInt8](repeating: 0, count: 12)
            let sealed = try group.algorithms.aead.seal(
                senderData, key: keys.key, nonce: keys.nonce, aad: senderAAD.bytes)
            senderAAD.removeAll()
            try victim.receive(
                .privateMessage(
                    PrivateMessage(
                        groupID: group.groupID, epoch: group.epoch, contentType: .application,
                        authenticatedData: [], encryptedSenderData: sealed, ciphertext: ciphertext)))
        },
        ValidationRow("MS-18", .message(.generationConsumed)) {
            var victim = try Victim()
            let message = try victim.members.groups[0].encrypt([1], in: testEnvironment())
            try victim.receive(message)
            try victim.receive(message)
        },
        ValidationRow("MS-19", .message(.generationTooFarAhead)) {
            var victim = try Victim()
            let environment = testEnvironment { $0.configuration.maximumForwardDistance = 3 }
            var message = try victim.members.groups[0].encrypt([1], in: environment)
            for _ in 0..<4 { message = try victim.members.groups[0].encrypt([1], in: environment) }
            try victim.receive(message, environment)
        },
        ValidationRow("MS-20", .message(.fromSelf)) {
            var victim = try Victim()
            let message = try victim.members.groups[1].encrypt([1], in: testEnvironment())
            try victim.receive(message)
        },
        ValidationRow("MS-21", .message(.selfRemove)) {
            var victim = try Victim()
            var carol = victim.members.groups[2]
            let content = FramedContent(
                groupID: carol.groupID, epoch: carol.epoch, sender: .member(LeafIndex(2)), authenticatedData: [],
                content: .proposal(.selfRemove))
            let signed = try AuthenticatedContent(
                signing: content, wireFormat: .privateMessage, context: carol.context, key: carol.signer)
            try victim.receive(carol.protect(signed, testEnvironment()))
        },
        ValidationRow("MS-22", .usage(.proposalsPending)) {
            var victim = try Victim()
            try victim.receive(victim.forge.message(.proposal(.remove(LeafIndex(2)))))
            _ = try victim.members.groups[1].encrypt([1], in: testEnvironment())
        },
        ValidationRow("MS-23", .usage(.groupInactive)) {
            var victim = try Victim()
            try victim.members.commit(0, CommitOptions([.remove(LeafIndex(1))]))
            _ = try victim.members.groups[1].encrypt([1], in: testEnvironment())
        },
        ValidationRow("MS-24", .usage(.groupInactive)) {
            var victim = try Victim()
            let reInit = ReInit(groupID: [1], cipherSuite: .x25519AES128SHA256Ed25519)
            try victim.members.commit(0, CommitOptions([.reInit(reInit)]))
            _ = try victim.members.groups[1].commit(in: testEnvironment())
        },
    ]

    private static func privately(_ change: (PrivateMessage) -> PrivateMessage) throws {
        var victim = try Victim()
        guard case .privateMessage(let message) = try victim.members.groups[0].encrypt([1], in: testEnvironment())
        else { return }
        try victim.receive(.privateMessage(change(message)))
    }
}
