import Crypto
import KithSupport
import KithWire
import MLS
import TLSCodec

/// The identity of a person: an Ed25519 public key. It has no description, so it cannot be logged by accident.
public struct AccountKey: Hashable, Sendable, TLSCodable {
    /// The 32 bytes of the key.
    public let bytes: [UInt8]

    /// Takes 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { bytes = Array(try reader.readBytes(32)) }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }

    /// SHA-256 of the key. Invites carry it, and users see it where keys differ.
    public var fingerprint: AccountFingerprint { AccountFingerprint(digest: SHA256.hash(data: bytes)) }

    /// Whether the signature over a labeled message is valid.
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

    /// 64 hexadecimal digits in groups of four.
    public var description: String {
        stride(from: 0, to: bytes.count, by: 2).map { Hex.encode(bytes[$0...($0 + 1)]) }.joined(separator: "-")
    }
}

/// The private half of an account key, made on the first device. A backup must hold it.
package struct AccountPrivateKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// The 32 bytes of the seed.
    package let bytes: SecretBytes
    /// The public half.
    package let publicKey: AccountKey

    /// A fresh key.
    package init(random: RandomSource = .system) throws(MLSError) { try self.init(random.secret(32)) }

    /// A stored key.
    ///
    /// - Throws: ``MLSError/crypto(_:)`` if it is not 32 bytes long.
    package init(_ bytes: SecretBytes) throws(MLSError) {
        guard let key = bytes.withUnsafeBytes({ try? Curve25519.Signing.PrivateKey(rawRepresentation: $0) }),
            let publicKey = AccountKey(Array(key.publicKey.rawRepresentation))
        else { throw .crypto(.invalidPrivateKey) }
        self.key = key
        self.bytes = bytes
        self.publicKey = publicKey
    }

    /// A record for a relay which states that a name leads to this account (Docs/relay-protocol.md).
    func nameRecord(_ name: Name, version: UInt64, content: [UInt8]) throws(MLSError) -> NameRecord {
        do {
            return try NameRecord(name: name, version: version, content: content, signedBy: key)
        } catch { throw .crypto(.sign) }
    }

    /// Signs a message, which must begin with a label of its own.
    func sign(_ message: [UInt8]) throws(MLSError) -> [UInt8] {
        do { return Array(try key.signature(for: message)) } catch { throw .crypto(.sign) }
    }
}
