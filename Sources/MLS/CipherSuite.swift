/// The code point of an MLS cipher suite (RFC 9420 §5.1, §17.1). A message may contain any code point. Only a suite whose
/// ``isSupported`` is `true` can be used.
public struct CipherSuite: CodePoint {
    /// The code point.
    public let rawValue: UInt16

    /// Creates a code point. The suite may be unsupported.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519` (§17.1).
    public static let x25519AES128SHA256Ed25519 = CipherSuite(rawValue: 0x0001)
    /// `MLS_128_DHKEMP256_AES128GCM_SHA256_P256` (§17.1).
    public static let p256AES128SHA256P256 = CipherSuite(rawValue: 0x0002)
    /// `MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519` (§17.1).
    public static let x25519ChaCha20SHA256Ed25519 = CipherSuite(rawValue: 0x0003)
    /// `MLS_256_DHKEMP521_AES256GCM_SHA512_P521` (§17.1).
    public static let p521AES256SHA512P521 = CipherSuite(rawValue: 0x0005)
    /// `MLS_256_DHKEMP384_AES256GCM_SHA384_P384` (§17.1).
    public static let p384AES256SHA384P384 = CipherSuite(rawValue: 0x0007)
    /// X-Wing, ChaCha20-Poly1305, SHA-256 and Ed25519, as in existing implementations. `DeriveKeyPair` uses the SHAKE256 hash of
    /// its input as the private key, as in draft-connolly-cfrg-xwing-kem.
    public static let xWingChaCha20SHA256Ed25519 = CipherSuite(rawValue: 0x004d)

    // The suites of draft-ietf-mls-pq-ciphersuites have no numbers yet. Until the suites have numbers, this module uses these
    // numbers from the private-use range (§17.1: 0xF000 to 0xFFFF), in the order of the draft's table. When the suites get
    // numbers, only the following lines have to change.

    /// `MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519` (TBD1 of draft-ietf-mls-pq-ciphersuites).
    public static let xWingAES128SHA256Ed25519 = CipherSuite(rawValue: 0xf901)
    /// `MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519` (TBD2 of draft-ietf-mls-pq-ciphersuites).
    public static let xWingAES256SHA384Ed25519 = CipherSuite(rawValue: 0xf902)
    /// `MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519` (TBD6 of draft-ietf-mls-pq-ciphersuites).
    public static let mlkem768AES256SHA384Ed25519 = CipherSuite(rawValue: 0xf906)
    /// `MLS_128_MLKEM768_AES256GCM_SHA384_P256` (TBD7 of draft-ietf-mls-pq-ciphersuites).
    public static let mlkem768AES256SHA384P256 = CipherSuite(rawValue: 0xf907)
    /// `MLS_192_MLKEM1024_AES256GCM_SHA384_P384` (TBD8 of draft-ietf-mls-pq-ciphersuites).
    public static let mlkem1024AES256SHA384P384 = CipherSuite(rawValue: 0xf908)
    /// `MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65` (TBD10 of draft-ietf-mls-pq-ciphersuites).
    public static let mlkem768AES256SHA384MLDSA65 = CipherSuite(rawValue: 0xf90a)
    /// `MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87` (TBD11 of draft-ietf-mls-pq-ciphersuites).
    public static let mlkem1024AES256SHA384MLDSA87 = CipherSuite(rawValue: 0xf90b)

    /// All suites that this module can use, the most common first.
    public static let supported: [CipherSuite] = [
        .x25519AES128SHA256Ed25519, .p256AES128SHA256P256, .x25519ChaCha20SHA256Ed25519, .p521AES256SHA512P521,
        .p384AES256SHA384P384, .xWingChaCha20SHA256Ed25519, .xWingAES128SHA256Ed25519, .xWingAES256SHA384Ed25519,
        .mlkem768AES256SHA384Ed25519, .mlkem768AES256SHA384P256, .mlkem1024AES256SHA384P384,
        .mlkem768AES256SHA384MLDSA65, .mlkem1024AES256SHA384MLDSA87,
    ]

    /// Whether this module has the suite's algorithms. Some algorithms are missing in swift-crypto: X448 and Ed448 (suites 4 and
    /// 6), the hybrids of P-256 or P-384 with ML-KEM, and ML-DSA-44.
    public var isSupported: Bool { algorithms != nil }

    /// The suite's algorithms (§5.1, §17.1; draft-ietf-mls-pq-ciphersuites); `nil` if the suite is not supported. Only this
    /// property assigns algorithms to suites.
    var algorithms: Algorithms? {
        switch self {
        case .x25519AES128SHA256Ed25519: .init(.x25519, .sha256, .aes128GCM, .ed25519)
        case .p256AES128SHA256P256: .init(.p256, .sha256, .aes128GCM, .ecdsaP256)
        case .x25519ChaCha20SHA256Ed25519: .init(.x25519, .sha256, .chaCha20Poly1305, .ed25519)
        case .p521AES256SHA512P521: .init(.p521, .sha512, .aes256GCM, .ecdsaP521)
        case .p384AES256SHA384P384: .init(.p384, .sha384, .aes256GCM, .ecdsaP384)
        case .xWingChaCha20SHA256Ed25519: .init(.xWingUnlabeled, .sha256, .chaCha20Poly1305, .ed25519)
        case .xWingAES128SHA256Ed25519: .init(.xWing, .sha256, .aes128GCM, .ed25519)
        case .xWingAES256SHA384Ed25519: .init(.xWing, .sha384, .aes256GCM, .ed25519)
        case .mlkem768AES256SHA384Ed25519: .init(.mlkem768, .sha384, .aes256GCM, .ed25519)
        case .mlkem768AES256SHA384P256: .init(.mlkem768, .sha384, .aes256GCM, .ecdsaP256)
        case .mlkem1024AES256SHA384P384: .init(.mlkem1024, .sha384, .aes256GCM, .ecdsaP384)
        case .mlkem768AES256SHA384MLDSA65: .init(.mlkem768, .sha384, .aes256GCM, .mldsa65)
        case .mlkem1024AES256SHA384MLDSA87: .init(.mlkem1024, .sha384, .aes256GCM, .mldsa87)
        default: nil
        }
    }

    /// Returns the suite's algorithms. Throws ``MLSError/unsupportedCipherSuite(_:)`` if the suite is not supported.
    func requireAlgorithms() throws(MLSError) -> Algorithms {
        guard let algorithms else { throw .unsupportedCipherSuite(self) }
        return algorithms
    }
}

/// The algorithms of a cipher suite.
struct Algorithms: Hashable, Sendable {
    let kem: KEM
    let hash: HashAlgorithm
    let aead: AEAD
    let signature: SignatureScheme

    init(_ kem: KEM, _ hash: HashAlgorithm, _ aead: AEAD, _ signature: SignatureScheme) {
        self.kem = kem
        self.hash = hash
        self.aead = aead
        self.signature = signature
    }

    /// `KDF.Nh`: the length of a secret and of a hash, in bytes.
    var hashLength: Int { hash.length }
}
