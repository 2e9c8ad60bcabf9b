import TLSCodec

@testable import MLS

enum MessageVectors {
    @Sendable
    static func messages(_ vector: JSON, _: AlgorithmsOrNone) throws {
        func roundTrip<T: TLSCodable>(_ name: String, _: T.Type, _ accept: (T) -> Bool = { _ in true }) throws {
            let bytes = try vector[name].bytes()
            let value = try T(decoding: bytes)
            try check(value.encoded == bytes, "\(name) encoding")
            try check(accept(value), "\(name) kind")
        }
        func body<T: TLSCodable>(_ name: String, _ type: ProposalType, _: T.Type) throws {
            let bytes = try vector[name].bytes()
            try check(try T(decoding: bytes).encoded == bytes, "\(name) encoding")
            // A proposal's encoding begins with its type.
            let whole = type.encoded + bytes
            let proposal = try Proposal(decoding: whole)
            try check(proposal.type == type && proposal.encoded == whole, "\(name) as a proposal")
        }
        try roundTrip("mls_welcome", MLSMessage.self) { $0.wireFormat == .welcome }
        try roundTrip("mls_group_info", MLSMessage.self) { $0.wireFormat == .groupInfo }
        try roundTrip("mls_key_package", MLSMessage.self) { $0.wireFormat == .keyPackage }
        try check(
            RatchetTree(decoding: vector["ratchet_tree"].bytes(), .sha256).encoded == vector["ratchet_tree"].bytes(),
            "ratchet_tree")
        try roundTrip("group_secrets", GroupSecrets.self)
        try body("add_proposal", .add, KeyPackage.self)
        try body("update_proposal", .update, LeafNode.self)
        try body("remove_proposal", .remove, LeafIndex.self)
        try body("pre_shared_key_proposal", .preSharedKey, PreSharedKeyID.self)
        try body("re_init_proposal", .reInit, ReInit.self)
        for (name, type) in [
            ("external_init_proposal", ProposalType.externalInit),
            ("group_context_extensions_proposal", .groupContextExtensions),
        ] {
            let whole = type.encoded + (try vector[name].bytes())
            try check(try Proposal(decoding: whole).encoded == whole, name)
        }
        try roundTrip("commit", Commit.self)
        func publicMessage(_ name: String, _ type: ContentType) throws {
            try roundTrip(name, MLSMessage.self) {
                if case .publicMessage(let message) = $0 { message.contentType == type } else { false }
            }
        }
        try publicMessage("public_message_application", .application)
        try publicMessage("public_message_proposal", .proposal)
        try publicMessage("public_message_commit", .commit)
        try roundTrip("private_message", MLSMessage.self) { $0.wireFormat == .privateMessage }
    }

    @Sendable
    static func welcome(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: vector["key_package"].bytes()),
            case .welcome(let welcome) = try MLSMessage(decoding: vector["welcome"].bytes())
        else { throw JSON.Missing(description: "wire formats") }
        let reference = try keyPackage.reference()
        guard let entry = welcome.secrets.first(where: { $0.newMember == reference }) else {
            throw JSON.Missing(description: "no entry")
        }
        let opened = try algorithms.decryptWithLabel(
            entry.encryptedGroupSecrets, key: algorithms.kem.privateKey(vector["init_priv"].secret()), "Welcome",
            context: welcome.encryptedGroupInfo)
        let secrets = try GroupSecrets(decoding: opened.copyBytes())
        let none = SecretBytes.zero(count: algorithms.hashLength)
        let keys = WelcomeKeys(
            KeySchedule.welcomeSecret(joinerSecret: secrets.joinerSecret, pskSecret: none, algorithms.hash), algorithms)
        let info = try GroupInfo(
            decoding: algorithms.aead.open(
                welcome.encryptedGroupInfo[...], key: keys.key, nonce: keys.nonce, aad: []))
        try check(
            info.isSignatureValid(SignaturePublicKey(vector["signer_pub"].bytes()), algorithms.signature),
            "signature")
        let schedule = KeySchedule(
            joinerSecret: secrets.joinerSecret, pskSecret: none, context: info.groupContext.encoded, algorithms.hash)
        try check(
            schedule.secrets.confirmationTag(info.groupContext.confirmedTranscriptHash, algorithms.hash)
                == info.confirmationTag, "confirmation tag")
    }

    @Sendable
    static func messageProtection(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        let protection = Protection(
            algorithms: algorithms,
            context: GroupContext(
                cipherSuite: try vector.suite(), groupID: try vector["group_id"].bytes(),
                epoch: UInt64(try vector["epoch"].int()), treeHash: try vector["tree_hash"].bytes(),
                confirmedTranscriptHash: try vector["confirmed_transcript_hash"].bytes(), extensions: []),
            signer: try SignaturePrivateKey(scheme: algorithms.signature, vector["signature_priv"].secret()),
            key: SignaturePublicKey(try vector["signature_pub"].bytes()),
            encryptionSecret: try vector["encryption_secret"].secret(),
            senderDataSecret: try vector["sender_data_secret"].secret(),
            membershipKey: try vector["membership_key"].secret())
        let proposal = try Proposal(decoding: vector["proposal"].bytes())
        let commit = try Commit(decoding: vector["commit"].bytes())
        try protection.run(.proposal(proposal), vector["proposal_pub"].bytes(), vector["proposal_priv"].bytes())
        try protection.run(.commit(commit), vector["commit_pub"].bytes(), vector["commit_priv"].bytes())
        try protection.run(.application(vector["application"].bytes()), nil, vector["application_priv"].bytes())
    }

    private struct Protection {
        let algorithms: Algorithms
        let context: GroupContext
        let signer: SignaturePrivateKey
        let key: SignaturePublicKey
        let encryptionSecret: SecretBytes
        let senderDataSecret: SecretBytes
        let membershipKey: SecretBytes

        func run(_ content: FramedContent.Content, _ publicBytes: [UInt8]?, _ privateBytes: [UInt8]) throws {
            if let publicBytes {
                try check(unprotect(public: publicBytes) == content, "public")
            }
            try check(unprotect(private: privateBytes) == content, "private")

            let framed = FramedContent(
                groupID: context.groupID, epoch: context.epoch, sender: .member(LeafIndex(1)), authenticatedData: [],
                content: content)
            func signed(_ format: WireFormat) throws -> AuthenticatedContent {
                var signed = try AuthenticatedContent(
                    signing: framed, wireFormat: format, context: context, key: signer)
                if case .commit = content { signed.auth.confirmationTag = [1, 2, 3] }
                return signed
            }
            do {
                let message = try PublicMessage.protect(
                    signed(.publicMessage), membershipKey: membershipKey, context: context, algorithms.hash)
                try check(publicBytes != nil, "application data was made public")
                try check(unprotect(public: MLSMessage.publicMessage(message).encoded) == content, "own public")
            } catch MLSError.message(.publicApplicationData) where publicBytes == nil {}
            let tree = SecretTree(encryptionSecret: encryptionSecret, size: 2, algorithms)
            let step = try tree.next(LeafIndex(1), content.type)
            let message = try PrivateMessage.protect(
                signed(.privateMessage),
                with: .init(leaf: LeafIndex(1), message: step.key, senderDataSecret: senderDataSecret),
                padding: .multiple(of: 64), random: .system, algorithms)
            try check(unprotect(private: MLSMessage.privateMessage(message).encoded) == content, "own private")
        }

        func unprotect(public bytes: [UInt8]) throws -> FramedContent.Content {
            guard case .publicMessage(let message) = try MLSMessage(decoding: bytes) else {
                throw JSON.Missing(description: "no public message")
            }
            let content = try message.unprotect(
                membershipKey: membershipKey, context: context, algorithms.hash)
            return try content.verify(key, context: context, algorithms.signature).framed.content
        }

        func unprotect(private bytes: [UInt8]) throws -> FramedContent.Content {
            guard case .privateMessage(let message) = try MLSMessage(decoding: bytes) else {
                throw JSON.Missing(description: "no private message")
            }
            let tree = SecretTree(encryptionSecret: encryptionSecret, size: 2, algorithms)
            let senderData = try message.senderData(senderDataSecret, algorithms)
            try check(senderData.leafIndex == LeafIndex(1), "sender")
            let step = try tree.key(
                senderData.leafIndex, message.contentType, generation: senderData.generation,
                RatchetWindow(maximumForwardDistance: 100, outOfOrderWindow: 100))
            return try message.unprotect(senderData, step.key, algorithms)
                .verify(key, context: context, algorithms.signature).framed.content
        }
    }
}
