import Crypto
import TLSCodec

/// An HPKE public key in the encoding of its KEM (RFC 9420 §5.1.1).
public struct HPKEPublicKey: Hashable, Sendable, TLSCodable {
    let compact: ShortBytes
    /// The key's bytes. A valid key has the length that the suite's KEM requires.
    public var bytes: [UInt8] { compact.array }

    /// Creates a key from bytes. The bytes may be an invalid key.
    public init(_ bytes: [UInt8]) { compact = ShortBytes(bytes) }

    /// Reads an `opaque HPKEPublicKey<V>`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        compact = ShortBytes(try reader.readOpaque(limit: Limits.publicKeyLength))
    }

    /// Writes an `opaque HPKEPublicKey<V>`.
    public func encode(into writer: inout TLSWriter) { compact.encodeOpaque(into: &writer) }
}

/// An HPKE private key with its public key. The key is kept in parsed form, because parsing takes as long as an operation with
/// the key.
public struct HPKEPrivateKey: Sendable {
    /// The key in the type that swift-crypto uses.
    enum Parsed: Sendable {
        case x25519(Curve25519.KeyAgreement.PrivateKey)
        case p256(P256.KeyAgreement.PrivateKey)
        case p384(P384.KeyAgreement.PrivateKey)
        case p521(P521.KeyAgreement.PrivateKey)
        case xWing(XWingMLKEM768X25519.PrivateKey)
        case mlkem768(MLKEM768.PrivateKey)
        case mlkem1024(MLKEM1024.PrivateKey)
    }

    let key: Parsed
    /// The serialized key (RFC 9180 §4: `SerializePrivateKey`).
    public let bytes: SecretBytes
    /// The public key.
    public let publicKey: HPKEPublicKey

    init(key: Parsed, bytes: SecretBytes) {
        self.key = key
        self.bytes = bytes
        publicKey =
            switch key {
            case .x25519(let key): HPKEPublicKey(Array(key.publicKey.rawRepresentation))
            case .p256(let key): HPKEPublicKey(Array(key.publicKey.x963Representation))
            case .p384(let key): HPKEPublicKey(Array(key.publicKey.x963Representation))
            case .p521(let key): HPKEPublicKey(Array(key.publicKey.x963Representation))
            case .xWing(let key): HPKEPublicKey(Array(key.publicKey.rawRepresentation))
            case .mlkem768(let key): HPKEPublicKey(Array(key.publicKey.rawRepresentation))
            case .mlkem1024(let key): HPKEPublicKey(Array(key.publicKey.rawRepresentation))
            }
    }

    /// Returns the Diffie-Hellman result of this private key and an encoded public key of the same curve. Throws an error if the
    /// result is all zero (RFC 9180 §7.1.4).
    func agree(with publicKey: [UInt8]) throws -> SecretBytes {
        switch key {
        case .x25519(let key):
            let shared = SecretBytes(
                try key.sharedSecretFromKeyAgreement(with: .init(rawRepresentation: publicKey)))
            // A key of low order makes the secret zero for every private key. swift-crypto returns such a secret, but it must not
            // be used.
            guard shared != .zero(count: shared.count) else { throw MLSError.crypto(.invalidPublicKey) }
            return shared
        case .p256(let key):
            return SecretBytes(try key.sharedSecretFromKeyAgreement(with: .init(x963Representation: publicKey)))
        case .p384(let key):
            return SecretBytes(try key.sharedSecretFromKeyAgreement(with: .init(x963Representation: publicKey)))
        case .p521(let key):
            return SecretBytes(try key.sharedSecretFromKeyAgreement(with: .init(x963Representation: publicKey)))
        case .xWing, .mlkem768, .mlkem1024:
            throw MLSError.internalError
        }
    }
}
