import TLSCodec

@testable import MLS

enum KeyVectors {
    @Sendable
    static func secretTree(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        let data = vector["sender_data"]
        let keys = PrivateMessage.senderDataKeys(
            try data["sender_data_secret"].secret(), try data["ciphertext"].bytes(), algorithms)
        try check(keys.key == data["key"].secret(), "sender data key")
        try check(keys.nonce == data["nonce"].secret(), "sender data nonce")

        let leaves = try vector["leaves"].array()
        var tree = SecretTree(
            encryptionSecret: try vector["encryption_secret"].secret(), size: TreeMath.fullSize(leaves.count),
            algorithms)
        let window = RatchetWindow(maximumForwardDistance: 1_000, outOfOrderWindow: 1_000)
        for (index, generations) in leaves.enumerated() {
            for entry in try generations.array() {
                let generation = UInt32(try entry["generation"].int())
                let handshake = try tree.key(LeafIndex(index), .commit, generation: generation, window)
                tree.apply(handshake)
                try check(handshake.key.key == entry["handshake_key"].secret(), "handshake key")
                try check(handshake.key.nonce == entry["handshake_nonce"].secret(), "handshake nonce")
                let application = try tree.key(LeafIndex(index), .application, generation: generation, window)
                tree.apply(application)
                try check(application.key.key == entry["application_key"].secret(), "application key")
                try check(application.key.nonce == entry["application_nonce"].secret(), "application nonce")
            }
        }
    }

    @Sendable
    static func keySchedule(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        let hash = algorithms.hash
        var initSecret = try vector["initial_init_secret"].secret()
        for (index, epoch) in try vector["epochs"].array().enumerated() {
            let context = GroupContext(
                cipherSuite: try vector.suite(), groupID: try vector["group_id"].bytes(), epoch: UInt64(index),
                treeHash: try epoch["tree_hash"].bytes(),
                confirmedTranscriptHash: try epoch["confirmed_transcript_hash"].bytes(), extensions: [])
            try check(context.encoded == epoch["group_context"].bytes(), "group context")
            let schedule = KeySchedule(
                initSecret: initSecret, commitSecret: try epoch["commit_secret"].secret(),
                pskSecret: try epoch["psk_secret"].secret(), context: context.encoded, hash)
            let secrets = schedule.secrets
            try check(schedule.joinerSecret == epoch["joiner_secret"].secret(), "joiner")
            try check(schedule.welcomeSecret == epoch["welcome_secret"].secret(), "welcome")
            try check(secrets.initSecret == epoch["init_secret"].secret(), "init")
            try check(secrets.senderDataSecret == epoch["sender_data_secret"].secret(), "sender data")
            try check(schedule.encryptionSecret == epoch["encryption_secret"].secret(), "encryption")
            try check(secrets.exporterSecret == epoch["exporter_secret"].secret(), "exporter")
            try check(secrets.epochAuthenticator == epoch["epoch_authenticator"].secret(), "authenticator")
            try check(secrets.externalSecret == epoch["external_secret"].secret(), "external")
            try check(secrets.confirmationKey == epoch["confirmation_key"].secret(), "confirmation")
            try check(secrets.membershipKey == epoch["membership_key"].secret(), "membership")
            try check(secrets.resumptionPSK == epoch["resumption_psk"].secret(), "resumption")
            try check(
                secrets.externalKeyPair(algorithms.kem).publicKey.bytes == epoch["external_pub"].bytes(),
                "external key")
            let exporter = epoch["exporter"]
            try check(
                secrets.export(
                    label: Array(exporter["label"].string().utf8), context: exporter["context"].bytes(),
                    length: exporter["length"].int(), hash) == exporter["secret"].secret(), "exported")
            initSecret = secrets.initSecret
        }
    }

    @Sendable
    static func pskSecret(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let hash = try required(algorithms).hash
        let keys = try vector["psks"].array().map { psk in
            ResolvedPSK(
                id: PreSharedKeyID(
                    kind: .external(id: try psk["psk_id"].bytes()), nonce: try psk["psk_nonce"].bytes()),
                secret: try psk["psk"].secret())
        }
        try check(hash.pskSecret(keys) == vector["psk_secret"].secret(), "psk_secret")
    }

    @Sendable
    static func transcriptHashes(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let hash = try required(algorithms).hash
        let content = try AuthenticatedContent(decoding: try vector["authenticated_content"].bytes())
        guard case .commit = content.content.content, let tag = content.auth.confirmationTag else {
            throw JSON.Missing(description: "no commit")
        }
        let confirmed = TranscriptHash.confirmed(
            try vector["interim_transcript_hash_before"].bytes(), content.confirmedTranscriptHashInput, hash)
        try check(confirmed == vector["confirmed_transcript_hash_after"].bytes(), "confirmed")
        try check(hash.hmac(key: vector["confirmation_key"].secret(), confirmed) == tag, "tag")
        try check(
            TranscriptHash.interim(confirmed, confirmationTag: tag, hash)
                == vector["interim_transcript_hash_after"].bytes(), "interim")
    }
}
