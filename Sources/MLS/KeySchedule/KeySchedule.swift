import TLSCodec

/// The secrets that an epoch keeps until its end (RFC 9420 §8, Table 4).
struct EpochSecrets: Sendable {
    let senderDataSecret: SecretBytes
    let exporterSecret: SecretBytes
    let externalSecret: SecretBytes
    let confirmationKey: SecretBytes
    let membershipKey: SecretBytes
    let resumptionPSK: SecretBytes
    let epochAuthenticator: SecretBytes
    /// The next epoch's `init_secret`.
    let initSecret: SecretBytes
}

/// The key schedule from one epoch to the next (RFC 9420 §8).
struct KeySchedule {
    let joinerSecret: SecretBytes
    private let memberSecret: SecretBytes
    let epochSecret: SecretBytes
    let hash: HashAlgorithm

    /// Derives the epoch secret from the commit secret, for a processed or created commit.
    init(
        initSecret: SecretBytes, commitSecret: SecretBytes, pskSecret: SecretBytes, context: [UInt8],
        _ hash: HashAlgorithm
    ) {
        let extracted = hash.extract(salt: initSecret, commitSecret)
        self.init(
            joinerSecret: hash.expandWithLabel(extracted, "joiner", context, hash.length), pskSecret: pskSecret,
            context: context, hash)
    }

    /// Derives the epoch secret from the joiner secret, for a client that joins with a Welcome.
    init(joinerSecret: SecretBytes, pskSecret: SecretBytes, context: [UInt8], _ hash: HashAlgorithm) {
        self.joinerSecret = joinerSecret
        memberSecret = hash.extract(salt: joinerSecret, pskSecret)
        epochSecret = hash.expandWithLabel(memberSecret, "epoch", context, hash.length)
        self.hash = hash
    }

    /// Begins epoch 0 of a new group, with a random epoch secret (§11).
    init(epochSecret: SecretBytes, _ hash: HashAlgorithm) {
        joinerSecret = .zero(count: 0)
        memberSecret = .zero(count: 0)
        self.epochSecret = epochSecret
        self.hash = hash
    }

    /// `welcome_secret`, for a committer that adds members. A joiner calls ``welcomeSecret(joinerSecret:pskSecret:_:)``
    /// instead.
    var welcomeSecret: SecretBytes { hash.deriveSecret(memberSecret, "welcome") }

    /// Returns `welcome_secret` for a joiner (§12.4.3.1). The secret opens the GroupInfo, before the joiner knows the group
    /// context.
    static func welcomeSecret(
        joinerSecret: SecretBytes, pskSecret: SecretBytes, _ hash: HashAlgorithm
    ) -> SecretBytes {
        hash.deriveSecret(hash.extract(salt: joinerSecret, pskSecret), "welcome")
    }

    /// The secrets that the epoch keeps (Table 4).
    var secrets: EpochSecrets {
        EpochSecrets(
            senderDataSecret: hash.deriveSecret(epochSecret, "sender data"),
            exporterSecret: hash.deriveSecret(epochSecret, "exporter"),
            externalSecret: hash.deriveSecret(epochSecret, "external"),
            confirmationKey: hash.deriveSecret(epochSecret, "confirm"),
            membershipKey: hash.deriveSecret(epochSecret, "membership"),
            resumptionPSK: hash.deriveSecret(epochSecret, "resumption"),
            epochAuthenticator: hash.deriveSecret(epochSecret, "authentication"),
            initSecret: hash.deriveSecret(epochSecret, "init"))
    }

    /// The root of the secret tree (§9).
    var encryptionSecret: SecretBytes { hash.deriveSecret(epochSecret, "encryption") }

    /// The root of the exporter tree (draft-ietf-mls-extensions).
    var applicationExportSecret: SecretBytes { hash.deriveSecret(epochSecret, "application_export") }
}

extension EpochSecrets {
    /// `MLS-Exporter(Label, Context, Length)` (§8.5).
    func export(
        label: [UInt8], context: [UInt8], length: Int, _ hash: HashAlgorithm
    ) throws(MLSError) -> SecretBytes {
        // The KDFLabel stores the length in 16 bits, and HKDF returns at most 255 blocks.
        guard length > 0, length <= min(hash.longestExpansion, 0xffff) else { throw .usage(.exportLength) }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        let derived = label.withUnsafeBytes { hash.expandWithLabel(exporterSecret, $0, nothing, hash.length) }
        return hash.expandWithLabel(derived, "exported", hash.hash(context), length)
    }

    /// Returns the key pair for external commits (§8.3).
    func externalKeyPair(_ kem: KEM) throws(MLSError) -> HPKEPrivateKey { try kem.deriveKeyPair(externalSecret) }

    /// Returns the confirmation tag of an epoch (§6.1).
    func confirmationTag(_ confirmedTranscriptHash: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        hash.hmac(key: confirmationKey, confirmedTranscriptHash)
    }
}

/// The two running hashes of all commits (RFC 9420 §8.2).
enum TranscriptHash {
    /// `confirmed_transcript_hash_[n] = Hash(interim_[n-1] || ConfirmedTranscriptHashInput_[n])`.
    static func confirmed(_ interim: [UInt8], _ input: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        hash.hash(interim + input)
    }

    /// `interim_transcript_hash_[n] = Hash(confirmed_[n] || InterimTranscriptHashInput_[n])`.
    static func interim(_ confirmed: [UInt8], confirmationTag: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeBytes(confirmed)
        writer.writeOpaque(confirmationTag)
        return hash.hash(writer.bytes)
    }
}
