import Crypto
import CryptoExtras
import Foundation
import KithSupport

/// A user's RSA key pair: made for one run, or kept in a file so that the other user can pin its fingerprint.
///
/// The one key signs (RSA-PSS) and opens keys wrapped for it (RSA-OAEP), as in the original system. That is safe here
/// because both paddings are randomized and everything signed begins with a label; newer designs use two keys.
///
/// Private-key operations take their randomness (PSS salts, blinding) from BoringSSL's generator, not from the session's.
public struct ClassicIdentity: Sendable {
    private let privateKey: _RSA.Signing.PrivateKey
    let publicKey: ClassicPublicKey
    let isKept: Bool

    /// The fingerprint of this identity, as the other user sees it.
    public var fingerprint: Fingerprint { publicKey.fingerprint }

    /// The modulus in bits.
    public var bits: Int { publicKey.bits }

    /// Makes a new RSA-3072 key pair. Takes a good part of a second.
    ///
    /// - Throws: ``ClassicIdentityError/generationFailed`` if the cryptographic library can't make one.
    public static func generate() throws(ClassicIdentityError) -> ClassicIdentity {
        guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits3072) else { throw .generationFailed }
        return try ClassicIdentity(key, isKept: false)
    }

    /// Takes a key pair from the text of a key file: an unencrypted RSA private key in PEM, PKCS #8 or PKCS #1, as
    /// `openssl genpkey` and ``pem`` write it.
    ///
    /// - Throws: ``ClassicIdentityError`` if it is no such key, or one that no peer would accept.
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

    /// The private key as the text of a key file (PKCS #8 PEM). Anybody who has it can act as this user: make the file
    /// readable by nobody else.
    public var pem: String { privateKey.pkcs8PEMRepresentation + "\n" }

    /// An RSA-PSS signature (SHA-256, MGF1 with SHA-256, 32 bytes of salt).
    func sign(_ content: [UInt8]) throws -> [UInt8] {
        Array(try privateKey.signature(for: content, padding: .PSS).rawRepresentation)
    }

    /// Opens a key that was wrapped for this one with RSA-OAEP (SHA-256).
    ///
    /// Callers verify the sender's signature over `wrapped` first, so strangers can't probe this private key.
    func unwrap(_ wrapped: [UInt8]) throws -> SecretBytes {
        // The library has one type for signing and another for opening; only the encoding leads from one to the other.
        var encoding = privateKey.derRepresentation
        defer { encoding.withUnsafeMutableBytes { wipe($0) } }
        let opener = try _RSA.Encryption.PrivateKey(derRepresentation: encoding)
        var plain = try opener.decrypt(wrapped, padding: .PKCS1_OAEP_SHA256)
        return plain.withUnsafeMutableBytes { SecretBytes(wiping: $0) }
    }
}

extension ClassicIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The public fingerprint, and nothing of the private key.
    public var description: String { "ClassicIdentity(RSA-\(bits), \(fingerprint))" }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Without children, so that dumps show nothing of the private key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The reason that there is no identity.
public enum ClassicIdentityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text is not an unencrypted RSA private key in PEM.
    case unreadable
    /// No peer would accept the key.
    case refused(KeyRefusal)
    /// The cryptographic library could not make a key.
    case generationFailed

    /// A sentence for the user who named the key file.
    public var description: String {
        switch self {
        case .unreadable: "the key file holds no unencrypted RSA private key in PEM"
        case .refused(let refusal): "the key \(refusal)"
        case .generationFailed: "no RSA key could be made"
        }
    }
}
