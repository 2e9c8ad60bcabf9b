import Crypto

/// The KEM of a cipher suite (RFC 9180 §4.1, §7.1; draft-ietf-hpke-pq; draft-connolly-cfrg-xwing-kem).
enum KEM: Hashable, Sendable {
    case x25519, p256, p384, p521
    /// X-Wing with the labelled key derivation of draft-ietf-hpke-pq.
    case xWing
    /// X-Wing with the key derivation of draft-connolly-cfrg-xwing-kem. Only the derivation of key pairs differs from ``xWing``.
    case xWingUnlabeled
    case mlkem768, mlkem1024

    /// The number of the KEM in HPKE.
    var hpkeID: UInt16 {
        switch self {
        case .x25519: 0x0020
        case .p256: 0x0010
        case .p384: 0x0011
        case .p521: 0x0012
        case .xWing, .xWingUnlabeled: 0x647a
        case .mlkem768: 0x0041
        case .mlkem1024: 0x0042
        }
    }

    /// The hash inside a DHKEM (RFC 9180 §7.1). Only DHKEMs use this hash.
    var hash: HashAlgorithm {
        switch self {
        case .p384: .sha384
        case .p521: .sha512
        default: .sha256
        }
    }

    /// `Npk`.
    var publicKeyLength: Int {
        switch self {
        case .x25519: 32
        case .p256: 65
        case .p384: 97
        case .p521: 133
        case .xWing, .xWingUnlabeled: 1216
        case .mlkem768: 1184
        case .mlkem1024: 1568
        }
    }

    /// `Nsk`. Private keys of the post-quantum KEMs are seeds.
    var privateKeyLength: Int {
        switch self {
        case .x25519, .p256, .xWing, .xWingUnlabeled: 32
        case .p384: 48
        case .p521: 66
        case .mlkem768, .mlkem1024: 64
        }
    }

    /// `"KEM" || I2OSP(kem_id, 2)` (RFC 9180 §4.1).
    private var suiteID: [UInt8] {
        Array("KEM".utf8) + [UInt8(hpkeID >> 8), UInt8(hpkeID & 0xff)]
    }

    // MARK: Key pairs

    /// `KEM.DeriveKeyPair(ikm)` (RFC 9180 §7.1.3; draft-ietf-hpke-pq §3, §4).
    func deriveKeyPair(_ material: SecretBytes) throws(MLSError) -> HPKEPrivateKey {
        switch self {
        case .x25519:
            let secret = LabeledHKDF(hash, suiteID).extract(.zero(count: 0), "dkp_prk", material)
            return try privateKey(LabeledHKDF(hash, suiteID).expand(secret, "sk", [], 32))
        case .p256, .p384, .p521:
            let hkdf = LabeledHKDF(hash, suiteID)
            let secret = hkdf.extract(.zero(count: 0), "dkp_prk", material)
            for counter: UInt8 in 0...255 {
                let candidate = hkdf.expand(secret, "candidate", [counter], privateKeyLength)
                let masked = SecretBytes(count: candidate.count) { bytes in
                    candidate.withUnsafeBytes { UnsafeMutableRawBufferPointer(bytes).copyMemory(from: $0) }
                    if self == .p521 { bytes[0] &= 0x01 }
                }
                // A candidate outside the field is not a key, so the next counter is tried.
                if let key = try? privateKey(masked) { return key }
            }
            throw .crypto(.keyDerivation)
        case .xWingUnlabeled:
            return try privateKey(SHAKE256.hash(material, count: 32))
        case .xWing, .mlkem768, .mlkem1024:
            // SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", Nsk)
            let label = Array("DeriveKeyPair".utf8)
            let suffix =
                Array("HPKE-v1".utf8) + suiteID + [0, UInt8(label.count)] + label + [0, UInt8(privateKeyLength)]
            return try privateKey(SHAKE256.hash(material, suffix: suffix, count: privateKeyLength))
        }
    }

    /// Creates a key pair from random bytes: `DeriveKeyPair(random(Nsk))` (RFC 9180 §4). For X25519, the random bytes are the
    /// private key itself.
    func generateKeyPair(_ random: RandomSource) throws(MLSError) -> HPKEPrivateKey {
        switch self {
        case .x25519: try privateKey(random.secret(32))
        default: try deriveKeyPair(random.secret(max(privateKeyLength, 32)))
        }
    }

    /// `DeserializePrivateKey` (RFC 9180 §4).
    func privateKey(_ bytes: SecretBytes) throws(MLSError) -> HPKEPrivateKey {
        HPKEPrivateKey(key: try parsePrivateKey(bytes), bytes: bytes)
    }

    private func parsePrivateKey(_ bytes: SecretBytes) throws(MLSError) -> HPKEPrivateKey.Parsed {
        guard bytes.count <= privateKeyLength else { throw .crypto(.invalidPrivateKey) }
        do {
            return try bytes.withUnsafeBytes { raw throws -> HPKEPrivateKey.Parsed in
                switch self {
                case .x25519: .x25519(try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: raw))
                // Some encodings drop leading zeros, so field elements are padded on the left.
                case .p256: .p256(try P256.KeyAgreement.PrivateKey(rawRepresentation: leftPadded(raw, 32)))
                case .p384: .p384(try P384.KeyAgreement.PrivateKey(rawRepresentation: leftPadded(raw, 48)))
                case .p521: .p521(try P521.KeyAgreement.PrivateKey(rawRepresentation: leftPadded(raw, 66)))
                case .xWing, .xWingUnlabeled:
                    .xWing(try XWingMLKEM768X25519.PrivateKey(seedRepresentation: Array(raw), publicKey: nil))
                case .mlkem768: .mlkem768(try MLKEM768.PrivateKey(seedRepresentation: Array(raw), publicKey: nil))
                case .mlkem1024: .mlkem1024(try MLKEM1024.PrivateKey(seedRepresentation: Array(raw), publicKey: nil))
                }
            }
        } catch {
            throw .crypto(.invalidPrivateKey)
        }
    }

    // MARK: Encapsulation

    /// `KEM.Encap(pkR)` (RFC 9180 §4.1). Returns a shared secret and its encapsulation.
    func encapsulate(to key: HPKEPublicKey, _ random: RandomSource) throws(MLSError) -> (SecretBytes, [UInt8]) {
        guard key.compact.count == publicKeyLength else { throw .crypto(.invalidPublicKey) }
        do {
            switch self {
            case .x25519, .p256, .p384, .p521:
                let ephemeral = try generateKeyPair(random)
                let shared = try ephemeral.agree(with: key.bytes)
                let encapsulated = ephemeral.publicKey.bytes
                return (extractAndExpand(shared, encapsulated + key.bytes), encapsulated)
            case .xWing, .xWingUnlabeled:
                let result = try XWingMLKEM768X25519.PublicKey(rawRepresentation: key.bytes).encapsulate()
                return (SecretBytes(result.sharedSecret), Array(result.encapsulated))
            case .mlkem768:
                let result = try MLKEM768.PublicKey(rawRepresentation: key.bytes).encapsulate()
                return (SecretBytes(result.sharedSecret), Array(result.encapsulated))
            case .mlkem1024:
                let result = try MLKEM1024.PublicKey(rawRepresentation: key.bytes).encapsulate()
                return (SecretBytes(result.sharedSecret), Array(result.encapsulated))
            }
        } catch {
            throw .crypto(.encapsulate)
        }
    }

    /// `KEM.Decap(enc, skR)` (RFC 9180 §4.1).
    func decapsulate(_ encapsulated: [UInt8], _ key: HPKEPrivateKey) throws(MLSError) -> SecretBytes {
        do {
            switch key.key {
            case .x25519, .p256, .p384, .p521:
                let shared = try key.agree(with: encapsulated)
                return extractAndExpand(shared, encapsulated + key.publicKey.bytes)
            case .xWing(let key): return SecretBytes(try key.decapsulate(.init(encapsulated)))
            case .mlkem768(let key): return SecretBytes(try key.decapsulate(encapsulated))
            case .mlkem1024(let key): return SecretBytes(try key.decapsulate(encapsulated))
            }
        } catch {
            throw .crypto(.decapsulate)
        }
    }

    /// DHKEM's `ExtractAndExpand(dh, kem_context)` (RFC 9180 §4.1).
    private func extractAndExpand(_ shared: SecretBytes, _ context: [UInt8]) -> SecretBytes {
        let hkdf = LabeledHKDF(hash, suiteID)
        let secret = hkdf.extract(.zero(count: 0), "eae_prk", shared)
        return hkdf.expand(secret, "shared_secret", context, hash.length)
    }
}

/// Returns a copy of `bytes`, padded on the left with zeros to `count` bytes.
func leftPadded(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: max(0, count - bytes.count)) + bytes
}

extension SecretBytes {
    /// Copies a key of swift-crypto.
    init(_ key: SymmetricKey) {
        self = key.withUnsafeBytes { SecretBytes($0) }
    }

    /// Copies the result of a key agreement.
    init(_ shared: SharedSecret) {
        self = shared.withUnsafeBytes { SecretBytes($0) }
    }
}
