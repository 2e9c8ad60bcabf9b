import Crypto
import TLSCodec

/// The name of a record: 1 to 64 of the characters `a-z`, `0-9`, `.`, `_` and `-`. All other characters are refused: some of them
/// could make two names look alike.
public struct Name: Hashable, Sendable, TLSCodable {
    /// The characters of the name.
    public let text: String

    /// Creates a name; `nil` if the text is empty, too long, or contains a character that names do not allow.
    public init?(_ text: String) {
        guard Name.isValid(Array(text.utf8)[...]) else { return nil }
        self.text = text
    }

    private static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...WireLimits.name).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// Writes an `opaque<V>`.
    public func encode(into writer: inout TLSWriter) { writer.writeOpaque(text.utf8) }

    /// Reads an `opaque<V>` and refuses an invalid name.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let bytes = try reader.readOpaque(limit: WireLimits.name)
        guard Name.isValid(bytes) else { throw .unknownValue(field: "Name", value: UInt64(bytes.count)) }
        text = String(decoding: bytes, as: UTF8.self)
    }
}

/// A name record as received, with a signature that has not been verified.
///
/// `struct { uint64 version; opaque identity[32]; opaque content<V>; opaque signature[64]; } NameRecord;`
/// The signature is Ed25519 by `identity` over `"kith name v1" || opaque name<V> || version || identity ||
/// opaque content<V>`.
public struct UnverifiedNameRecord: Hashable, Sendable, TLSCodable {
    let version: UInt64
    let identity: [UInt8]
    let content: [UInt8]
    let signature: [UInt8]

    /// Writes the fields in order.
    public func encode(into writer: inout TLSWriter) {
        writer.write(version)
        writer.writeBytes(identity)
        writer.writeOpaque(content)
        writer.writeBytes(signature)
    }

    /// Reads the fields in order.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        version = try reader.readUInt64()
        identity = Array(try reader.readBytes(32))
        content = Array(try reader.readOpaque(limit: WireLimits.nameContent))
        signature = Array(try reader.readBytes(64))
    }

    init(version: UInt64, identity: [UInt8], content: [UInt8], signature: [UInt8]) {
        self.version = version
        self.identity = identity
        self.content = content
        self.signature = signature
    }

    /// Returns the verified record if the record's identity has signed the record for `name`, otherwise `nil`.
    public func verified(for name: Name) -> NameRecord? {
        guard
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: identity),
            key.isValidSignature(
                signature,
                for: NameRecord.signedBytes(name: name, version: version, identity: identity, content: content))
        else { return nil }
        return NameRecord(unverified: self, name: name)
    }
}

/// A name record with a valid signature: the owner of ``identity`` has signed the record for ``name``.
public struct NameRecord: Hashable, Sendable {
    /// The record in the form that is sent.
    public let unverified: UnverifiedNameRecord
    /// The name under which the record is registered.
    public let name: Name

    /// The record's version. A higher version replaces a lower one.
    public var version: UInt64 { unverified.version }
    /// The Ed25519 public key of the name's owner, 32 bytes.
    public var identity: [UInt8] { unverified.identity }
    /// The owner's content. The relay does not interpret this content.
    public var content: [UInt8] { unverified.content }

    /// Creates a record and signs it.
    ///
    /// - Throws: an error of swift-crypto if the signature cannot be made.
    public init(name: Name, version: UInt64, content: [UInt8], signedBy key: Curve25519.Signing.PrivateKey) throws {
        let identity = Array(key.publicKey.rawRepresentation)
        let signature = try key.signature(
            for: NameRecord.signedBytes(name: name, version: version, identity: identity, content: content))
        self.init(
            unverified: UnverifiedNameRecord(
                version: version, identity: identity, content: content, signature: Array(signature)),
            name: name)
    }

    fileprivate init(unverified: UnverifiedNameRecord, name: Name) {
        self.unverified = unverified
        self.name = name
    }

    /// Returns `true` if this record may replace `current`: the two records have the same identity, and this record has the
    /// higher version.
    public func replaces(_ current: NameRecord) -> Bool {
        identity == current.identity && version > current.version
    }

    fileprivate static func signedBytes(name: Name, version: UInt64, identity: [UInt8], content: [UInt8]) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeBytes("kith name v1".utf8)
        writer.write(name)
        writer.write(version)
        writer.writeBytes(identity)
        writer.writeOpaque(content)
        return writer.bytes
    }
}
