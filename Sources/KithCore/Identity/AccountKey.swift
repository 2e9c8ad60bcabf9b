import Crypto
import KithSupport
import KithWire
import MLS
import TLSCodec

/// The identity of a person: an Ed25519 public key.
///
/// The type is not `CustomStringConvertible`, because the keys of people do not belong in a program's log.
public struct AccountKey: Hashable, Sendable, TLSCodable {
    /// The 32 bytes of the key.
    public let bytes: [UInt8]

    /// Creates a key from 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { bytes = Array(try reader.readBytes(32)) }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }

    /// SHA-256 of the key. Invites contain the fingerprint. If a contact's key differs from the pinned key, the user sees the
    /// fingerprints.
    public var fingerprint: AccountFingerprint { AccountFingerprint(digest: SHA256.hash(data: bytes)) }

    /// Whether a signature of a message by this key is valid. The message has to begin with the label of its kind; see
    /// ``AccountPrivateKey/sign(_:)``.
    func isValid(_ signature: some Collection<UInt8>, over message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(Array(signature), for: message)
    }
}

/// SHA-256 of an account key.
public struct AccountFingerprint: Hashable, Sendable, TLSCodable, CustomStringConvertible {
    /// The 32 bytes of the hash.
    public let bytes: [UInt8]

    init(digest: SHA256.Digest) { bytes = Array(digest) }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { bytes = Array(try reader.readBytes(32)) }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }

    /// The hash as 64 hexadecimal digits in groups of four.
    public var description: String {
        stride(from: 0, to: bytes.count, by: 2).map { Hex.encode(bytes[$0...($0 + 1)]) }.joined(separator: "-")
    }
}

/// The private key of an account. The first device of the account creates the key. Every backup must contain the key.
package struct AccountPrivateKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// The 32 bytes of the seed.
    package let bytes: SecretBytes
    /// The public key.
    package let publicKey: AccountKey

    /// Creates a random key.
    package init(random: RandomSource = .system) throws(MLSError) { try self.init(random.secret(32)) }

    /// Restores a stored key.
    ///
    /// - Throws: ``MLSError/crypto(_:)`` if the key does not have 32 bytes.
    package init(_ bytes: SecretBytes) throws(MLSError) {
        guard let key = bytes.withUnsafeBytes({ try? Curve25519.Signing.PrivateKey(rawRepresentation: $0) }),
            let publicKey = AccountKey(Array(key.publicKey.rawRepresentation))
        else { throw .crypto(.invalidPrivateKey) }
        self.key = key
        self.bytes = bytes
        self.publicKey = publicKey
    }

    /// Creates a signed record for a relay. The record states that a name leads to this account (Docs/relay-protocol.md).
    func nameRecord(_ name: Name, version: UInt64, content: [UInt8]) throws(MLSError) -> NameRecord {
        do {
            return try NameRecord(name: name, version: version, content: content, signedBy: key)
        } catch { throw .crypto(.sign) }
    }

    /// Signs a message. Each kind of message must begin with a different label.
    func sign(_ message: [UInt8]) throws(MLSError) -> [UInt8] {
        do { return Array(try key.signature(for: message)) } catch { throw .crypto(.sign) }
    }
}
