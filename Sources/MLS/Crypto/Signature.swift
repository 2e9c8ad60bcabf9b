import Crypto
import TLSCodec

/// The signature scheme of a cipher suite (RFC 9420 §5.1.2; draft-ietf-tls-mldsa).
enum SignatureScheme: Hashable, Sendable {
    case ed25519, ecdsaP256, ecdsaP384, ecdsaP521, mldsa65, mldsa87
}

/// A signature public key in the encoding of its scheme (RFC 9420 §5.1.1).
public struct SignaturePublicKey: Hashable, Sendable, TLSCodable {
    let compact: ShortBytes
    /// The key's bytes.
    public var bytes: [UInt8] { compact.array }

    /// Creates a key from bytes. The bytes may be an invalid key.
    public init(_ bytes: [UInt8]) { compact = ShortBytes(bytes) }

    /// Reads an `opaque SignaturePublicKey<V>`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        compact = ShortBytes(try reader.readOpaque(limit: Limits.publicKeyLength))
    }

    /// Writes an `opaque SignaturePublicKey<V>`.
    public func encode(into writer: inout TLSWriter) { compact.encodeOpaque(into: &writer) }
}

/// A signature private key with its public key. The key is kept in parsed form, because parsing a seed of Ed25519 takes as long
/// as signing.
public struct SignaturePrivateKey: Sendable {
    private enum Parsed: Sendable {
        case ed25519(Curve25519.Signing.PrivateKey)
        case ecdsaP256(P256.Signing.PrivateKey)
        case ecdsaP384(P384.Signing.PrivateKey)
        case ecdsaP521(P521.Signing.PrivateKey)
        case mldsa65(MLDSA65.PrivateKey)
        case mldsa87(MLDSA87.PrivateKey)
    }

    private let key: Parsed
    /// The scheme to which the key belongs.
    let scheme: SignatureScheme
    /// The serialized key: a seed, or a field element for ECDSA.
    public let bytes: SecretBytes
    /// The public key.
    public let publicKey: SignaturePublicKey

    /// Creates a random key for a suite.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public init(generatingFor suite: CipherSuite, random: RandomSource = .system) throws(MLSError) {
        let scheme = try suite.requireAlgorithms().signature
        let length =
            switch scheme {
            case .ed25519, .ecdsaP256, .mldsa65, .mldsa87: 32
            case .ecdsaP384: 48
            case .ecdsaP521: 66
            }
        // ECDSA refuses the few numbers that are not scalars, so another number is drawn (rejection sampling).
        for _ in 0..<Limits.keyGenerationAttempts {
            let candidate = SecretBytes(count: length) { bytes in
                random.secret(length).withUnsafeBytes { UnsafeMutableRawBufferPointer(bytes).copyMemory(from: $0) }
                if scheme == .ecdsaP521 { bytes[0] &= 0x01 }
            }
            if let key = try? SignaturePrivateKey(scheme: scheme, candidate) {
                self = key
                return
            }
        }
        throw .crypto(.keyDerivation)
    }

    /// Reads a stored key.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``. ``MLSError/crypto(_:)`` if the bytes are not a key of the suite's
    ///   scheme.
    public init(_ bytes: SecretBytes, suite: CipherSuite) throws(MLSError) {
        try self.init(scheme: suite.requireAlgorithms().signature, bytes)
    }

    init(scheme: SignatureScheme, _ bytes: SecretBytes) throws(MLSError) {
        do {
            let (key, publicKey) = try bytes.withUnsafeBytes { raw throws -> (Parsed, [UInt8]) in
                switch scheme {
                case .ed25519:
                    // Some encodings append the public key to the seed.
                    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: raw.prefix(32))
                    return (.ed25519(key), Array(key.publicKey.rawRepresentation))
                case .ecdsaP256:
                    let key = try P256.Signing.PrivateKey(rawRepresentation: leftPadded(raw, 32))
                    return (.ecdsaP256(key), Array(key.publicKey.x963Representation))
                case .ecdsaP384:
                    let key = try P384.Signing.PrivateKey(rawRepresentation: leftPadded(raw, 48))
                    return (.ecdsaP384(key), Array(key.publicKey.x963Representation))
                case .ecdsaP521:
                    let key = try P521.Signing.PrivateKey(rawRepresentation: leftPadded(raw, 66))
                    return (.ecdsaP521(key), Array(key.publicKey.x963Representation))
                case .mldsa65:
                    let key = try MLDSA65.PrivateKey(seedRepresentation: Array(raw), publicKey: nil)
                    return (.mldsa65(key), Array(key.publicKey.rawRepresentation))
                case .mldsa87:
                    let key = try MLDSA87.PrivateKey(seedRepresentation: Array(raw), publicKey: nil)
                    return (.mldsa87(key), Array(key.publicKey.rawRepresentation))
                }
            }
            self.key = key
            self.scheme = scheme
            self.bytes = bytes
            self.publicKey = SignaturePublicKey(publicKey)
        } catch {
            throw .crypto(.invalidPrivateKey)
        }
    }

    /// Returns the signature of a message.
    func sign(_ message: [UInt8]) throws(MLSError) -> [UInt8] {
        do {
            return switch key {
            case .ed25519(let key): Array(try key.signature(for: message))
            case .ecdsaP256(let key): Array(try key.signature(for: message).derRepresentation)
            case .ecdsaP384(let key): Array(try key.signature(for: message).derRepresentation)
            case .ecdsaP521(let key): Array(try key.signature(for: message).derRepresentation)
            case .mldsa65(let key): Array(try key.signature(for: message))
            case .mldsa87(let key): Array(try key.signature(for: message))
            }
        } catch {
            throw .crypto(.sign)
        }
    }

    /// `SignWithLabel(SignatureKey, Label, Content)` (§5.1.2).
    func signWithLabel(_ label: StaticString, _ content: [UInt8]) throws(MLSError) -> [UInt8] {
        try sign(signContent(label, content))
    }
}

extension SignatureScheme {
    /// Whether a signature of a message is valid. If the key or the signature cannot be parsed, the signature is not valid.
    func isValid(_ signature: [UInt8], over message: [UInt8], _ key: SignaturePublicKey) -> Bool {
        switch self {
        case .ed25519:
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key.bytes) else { return false }
            return key.isValidSignature(signature, for: message)
        case .ecdsaP256:
            guard let key = try? P256.Signing.PublicKey(x963Representation: key.bytes),
                let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .ecdsaP384:
            guard let key = try? P384.Signing.PublicKey(x963Representation: key.bytes),
                let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .ecdsaP521:
            guard let key = try? P521.Signing.PublicKey(x963Representation: key.bytes),
                let signature = try? P521.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .mldsa65:
            guard let key = try? MLDSA65.PublicKey(rawRepresentation: key.bytes) else { return false }
            return key.isValidSignature(signature, for: message)
        case .mldsa87:
            guard let key = try? MLDSA87.PublicKey(rawRepresentation: key.bytes) else { return false }
            return key.isValidSignature(signature, for: message)
        }
    }

    /// `VerifyWithLabel(VerificationKey, Label, Content, SignatureValue)` (RFC 9420 §5.1.2).
    func verifyWithLabel(
        _ signature: [UInt8], _ label: StaticString, _ content: [UInt8], _ key: SignaturePublicKey
    ) -> Bool {
        isValid(signature, over: signContent(label, content), key)
    }
}

/// `struct { opaque label<V> = "MLS 1.0 " + Label; opaque content<V>; } SignContent;` (RFC 9420 §5.1.2)
private func signContent(_ label: StaticString, _ content: [UInt8]) -> [UInt8] {
    var writer = TLSWriter(capacity: content.count + 48)
    writer.writeOpaque(Array("MLS 1.0 ".utf8) + label.utf8Bytes)
    writer.writeOpaque(content)
    return writer.bytes
}
