import Crypto
import CryptoExtras
import Foundation
import KithSupport

/// An RSA public key whose size and form have been checked. The owner of the key is not known yet.
struct ClassicPublicKey: Sendable {
    /// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER. No other encoding of this key is accepted, so each key has one
    /// fingerprint.
    let encoding: [UInt8]
    private let key: _RSA.Signing.PublicKey

    var fingerprint: Fingerprint { Fingerprint(ofSubjectPublicKeyInfo: encoding) }
    var bits: Int { key.keySizeInBits }

    /// Checks the size, the exponent and the encoding of a key.
    ///
    /// - Throws: ``KeyRefusal``, which names the fault.
    init(subjectPublicKeyInfo encoding: ArraySlice<UInt8>) throws(KeyRefusal) {
        guard encoding.count <= ClassicLimits.publicKeyBytes,
            let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: Array(encoding))
        else { throw .notAnRSAKey }
        try self.init(key)
        // The parser also accepts PKCS #1 and other encodings of the same key, which would have other fingerprints.
        guard self.encoding.elementsEqual(encoding) else { throw .notAnRSAKey }
    }

    init(_ key: _RSA.Signing.PublicKey) throws(KeyRefusal) {
        let bits = key.keySizeInBits
        guard bits >= ClassicLimits.leastRSABits else { throw .tooShort(bits: bits) }
        guard bits <= ClassicLimits.mostRSABits else { throw .tooLong(bits: bits) }
        // OAEP and PSS work with whole bytes. A key of another length exists only by mistake.
        guard bits.isMultiple(of: 8) else { throw .notAnRSAKey }
        // All common tools create keys with the exponent 65537. Very small exponents have been attacked in the past, and very
        // large ones cost time.
        guard let primitives = try? key.getKeyPrimitives(), primitives.publicExponent.elementsEqual([1, 0, 1]) else {
            throw .unusualExponent
        }
        self.key = key
        self.encoding = Array(key.derRepresentation)
    }

    /// Whether `signature` is a valid RSA-PSS signature of `content` by this key (SHA-256, MGF1 with SHA-256, 32 bytes of salt).
    func verifies(_ signature: [UInt8], over content: [UInt8]) -> Bool {
        key.isValidSignature(.init(rawRepresentation: signature), for: content, padding: .PSS)
    }

    /// Wraps a secret with RSA-OAEP (SHA-256). Only the owner of the private key can unwrap the secret.
    func wrap(_ secret: SecretBytes) throws -> [UInt8] {
        let encryption = try _RSA.Encryption.PublicKey(derRepresentation: encoding)
        var plain = secret.withUnsafeBytes { Data($0) }
        defer { plain.withUnsafeMutableBytes { wipe($0) } }
        return Array(try encryption.encrypt(plain, padding: .PKCS1_OAEP_SHA256))
    }
}

/// The reason why an RSA key is refused.
public enum KeyRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The key is not an RSA key, is not encoded as a SubjectPublicKeyInfo, or has a length that is not a multiple of 8 bits.
    case notAnRSAKey
    /// The modulus is shorter than ``ClassicLimits/leastRSABits``.
    case tooShort(bits: Int)
    /// The modulus is longer than ``ClassicLimits/mostRSABits``.
    case tooLong(bits: Int)
    /// The public exponent is not 65537.
    case unusualExponent

    /// The fault, in words that can follow "the key".
    public var description: String {
        switch self {
        case .notAnRSAKey: "is not an RSA key in the expected form"
        case .tooShort(let bits): "has only \(bits) bits; at least \(ClassicLimits.leastRSABits) are needed"
        case .tooLong(let bits): "has \(bits) bits; at most \(ClassicLimits.mostRSABits) are taken"
        case .unusualExponent: "has a public exponent other than 65537"
        }
    }
}
