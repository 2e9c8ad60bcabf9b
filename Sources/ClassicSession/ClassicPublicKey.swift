import Crypto
import CryptoExtras
import Foundation
import KithSupport

/// An RSA public key that passed the checks on its size and form. Nothing is known yet about whose it is.
struct ClassicPublicKey: Sendable {
    /// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER. It is the only accepted encoding of this key, so each key has
    /// one fingerprint.
    let encoding: [UInt8]
    private let key: _RSA.Signing.PublicKey

    var fingerprint: Fingerprint { Fingerprint(ofSubjectPublicKeyInfo: encoding) }
    var bits: Int { key.keySizeInBits }

    /// Checks a key's size, its exponent, and that its encoding is the accepted one.
    ///
    /// - Throws: ``KeyRefusal``, naming the fault.
    init(subjectPublicKeyInfo encoding: ArraySlice<UInt8>) throws(KeyRefusal) {
        guard encoding.count <= ClassicLimits.publicKeyBytes,
            let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: Array(encoding))
        else { throw .notAnRSAKey }
        try self.init(key)
        // The parser also takes PKCS #1 and other spellings of the same key, which would have other fingerprints.
        guard self.encoding.elementsEqual(encoding) else { throw .notAnRSAKey }
    }

    init(_ key: _RSA.Signing.PublicKey) throws(KeyRefusal) {
        let bits = key.keySizeInBits
        guard bits >= ClassicLimits.leastRSABits else { throw .tooShort(bits: bits) }
        guard bits <= ClassicLimits.mostRSABits else { throw .tooLong(bits: bits) }
        // OAEP and PSS work on whole bytes; keys of another length exist only by mistake.
        guard bits.isMultiple(of: 8) else { throw .notAnRSAKey }
        // Every tool makes 65537. Tiny exponents have a history of attacks, and huge ones cost time.
        guard let primitives = try? key.getKeyPrimitives(), primitives.publicExponent.elementsEqual([1, 0, 1]) else {
            throw .unusualExponent
        }
        self.key = key
        self.encoding = Array(key.derRepresentation)
    }

    /// Whether `signature` is this key's RSA-PSS signature (SHA-256, MGF1 with SHA-256, 32 bytes of salt).
    func verifies(_ signature: [UInt8], over content: [UInt8]) -> Bool {
        key.isValidSignature(.init(rawRepresentation: signature), for: content, padding: .PSS)
    }

    /// Wraps a secret so that only the holder of the private key can open it: RSA-OAEP with SHA-256.
    func wrap(_ secret: SecretBytes) throws -> [UInt8] {
        let encryption = try _RSA.Encryption.PublicKey(derRepresentation: encoding)
        var plain = secret.withUnsafeBytes { Data($0) }
        defer { plain.withUnsafeMutableBytes { wipe($0) } }
        return Array(try encryption.encrypt(plain, padding: .PKCS1_OAEP_SHA256))
    }
}

/// The reason that an RSA key is not used.
public enum KeyRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is no RSA key, or not in the form in which keys are exchanged.
    case notAnRSAKey
    /// Its modulus is shorter than ``ClassicLimits/leastRSABits``.
    case tooShort(bits: Int)
    /// Its modulus is longer than ``ClassicLimits/mostRSABits``.
    case tooLong(bits: Int)
    /// Its public exponent is not 65537.
    case unusualExponent

    /// The fault, in words that follow "the key".
    public var description: String {
        switch self {
        case .notAnRSAKey: "is not an RSA key in the expected form"
        case .tooShort(let bits): "has only \(bits) bits; at least \(ClassicLimits.leastRSABits) are needed"
        case .tooLong(let bits): "has \(bits) bits; at most \(ClassicLimits.mostRSABits) are taken"
        case .unusualExponent: "has a public exponent other than 65537"
        }
    }
}
