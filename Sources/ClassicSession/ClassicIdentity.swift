import Crypto
import CryptoExtras
import Foundation
import KithSupport

/// A user's RSA key pair. The key pair is made for one run, or is stored in a file. The other user can pin the fingerprint of a
/// stored key pair.
///
/// As in the original system, one key pair serves for signatures (RSA-PSS) and for wrapped keys (RSA-OAEP). Newer designs use two
/// key pairs. One key pair is safe here: both paddings are randomized, and all signed content begins with a label.
///
/// Private-key operations take their random numbers (PSS salts, blinding) from BoringSSL's generator, not from the session's
/// generator.
public struct ClassicIdentity: Sendable {
    private let privateKey: _RSA.Signing.PrivateKey
    let publicKey: ClassicPublicKey
    let isKept: Bool

    /// The fingerprint of this identity. The other user sees this fingerprint.
    public var fingerprint: Fingerprint { publicKey.fingerprint }

    /// The length of the modulus in bits.
    public var bits: Int { publicKey.bits }

    /// Creates a new RSA-3072 key pair. This takes most of a second.
    ///
    /// - Throws: ``ClassicIdentityError/generationFailed`` if the cryptographic library cannot create a key pair.
    public static func generate() throws(ClassicIdentityError) -> ClassicIdentity {
        guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits3072) else { throw .generationFailed }
        return try ClassicIdentity(key, isKept: false)
    }

    /// Reads a key pair from the text of a key file. The text must be an unencrypted RSA private key in PEM (PKCS #8 or PKCS #1).
    /// `openssl genpkey` and ``pem`` write this form.
    ///
    /// - Throws: ``ClassicIdentityError`` if the text is not such a key, or if no peer would accept the key.
    public init(pem: String) throws(ClassicIdentityError) {
        guard let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) else { throw .unreadable }
        try self.init(key, isKept: true)
    }

    private init(_ key: _RSA.Signing.PrivateKey, isKept: Bool) throws(ClassicIdentityError) {
        do throws(KeyRefusal) {
            publicKey = try ClassicPublicKey(key.publicKey)
        } catch {
            throw .refused(error)
        }
        privateKey = key
        self.isKept = isKept
    }

    /// The private key as the text of a key file (PKCS #8 PEM). Anyone who has this text can act as the user. Make the file
    /// readable for its owner only.
    public var pem: String { privateKey.pkcs8PEMRepresentation + "\n" }

    /// Signs `content` with RSA-PSS (SHA-256, MGF1 with SHA-256, 32 bytes of salt).
    func sign(_ content: [UInt8]) throws -> [UInt8] {
        Array(try privateKey.signature(for: content, padding: .PSS).rawRepresentation)
    }

    /// Unwraps a key that was wrapped for this key pair with RSA-OAEP (SHA-256).
    ///
    /// Callers must first verify the sender's signature of `wrapped`, so that strangers cannot probe this private key.
    func unwrap(_ wrapped: [UInt8]) throws -> SecretBytes {
        // The library has one type for signing and another for unwrapping. The only way from one to the other is through the
        // encoding.
        var encoding = privateKey.derRepresentation
        defer { encoding.withUnsafeMutableBytes { wipe($0) } }
        let opener = try _RSA.Encryption.PrivateKey(derRepresentation: encoding)
        var plain = try opener.decrypt(wrapped, padding: .PKCS1_OAEP_SHA256)
        return plain.withUnsafeMutableBytes { SecretBytes(wiping: $0) }
    }
}

extension ClassicIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length and fingerprint of the public key, without any part of the private key.
    public var description: String { "ClassicIdentity(RSA-\(bits), \(fingerprint))" }
    /// Equals ``description``.
    public var debugDescription: String { description }
    /// Has no children. This keeps the private key out of dumps.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The reason why an identity cannot be created.
public enum ClassicIdentityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text is not an unencrypted RSA private key in PEM.
    case unreadable
    /// No peer would accept the key.
    case refused(KeyRefusal)
    /// The cryptographic library could not make a key.
    case generationFailed

    /// A sentence for the user who has chosen the key file.
    public var description: String {
        switch self {
        case .unreadable: "the key file holds no unencrypted RSA private key in PEM"
        case .refused(let refusal): "the key \(refusal)"
        case .generationFailed: "no RSA key could be made"
        }
    }
}
