import Crypto
import Foundation
import MLS
import TLSCodec

/// What a vault says of itself: how its key is wrapped.
///
/// ```text
/// struct {
///     uint8 version = 1;
///     uint8 kind;                   1: from a passphrase, 2: from the key file
///     select (kind) { case 1: ScryptParameters scrypt; };
///     opaque wrapped_key[60];       nonce || ChaCha20-Poly1305(key, nonce,
///                                       aad = "kith vault key v1" || all fields above, vault key)
///     opaque checksum[8];           SHA-256 of all fields above, its beginning
/// } VaultHeader;
/// ```
///
/// The checksum is no protection: it tells a damaged header from a wrong passphrase.
struct VaultHeader: Sendable, TLSCodable {
    /// Where the wrapping key comes from.
    enum Lock: Sendable {
        case passphrase(ScryptParameters)
        case keyFile
    }

    static let version: UInt8 = 1

    let lock: Lock
    private let wrappedKey: [UInt8]

    /// Wraps a vault's key; `nil` only if the library refuses.
    init?(wrapping key: VaultKey, under wrappingKey: SymmetricKey, _ lock: Lock) {
        guard
            let box = key.withUnsafeBytes({
                try? ChaChaPoly.seal($0, using: wrappingKey, authenticating: Self.authenticated(lock))
            })
        else { return nil }
        self.lock = lock
        wrappedKey = Array(box.combined)
    }

    /// The vault's key; `nil` if this is not the key that wrapped it.
    func unwrap(with wrappingKey: SymmetricKey) -> VaultKey? {
        guard let box = try? ChaChaPoly.SealedBox(combined: wrappedKey),
            var opened = try? ChaChaPoly.open(box, using: wrappingKey, authenticating: Self.authenticated(lock))
        else { return nil }
        defer { opened.resetBytes(in: 0..<opened.count) }
        return VaultKey(SecretBytes(opened))
    }

    private static func authenticated(_ lock: Lock) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeBytes("kith vault key v1".utf8)
        write(lock, into: &writer)
        return writer.bytes
    }

    private static func write(_ lock: Lock, into writer: inout TLSWriter) {
        writer.write(version)
        switch lock {
        case .passphrase(let parameters):
            writer.write(1 as UInt8)
            writer.write(parameters)
        case .keyFile: writer.write(2 as UInt8)
        }
    }

    private static func checksum(_ fields: some Collection<UInt8>) -> ArraySlice<UInt8> {
        Array(SHA256.hash(data: Array(fields))).prefix(8)
    }

    func encode(into writer: inout TLSWriter) {
        var content = TLSWriter()
        Self.write(lock, into: &content)
        content.writeBytes(wrappedKey)
        writer.writeBytes(content.bytes)
        writer.writeBytes(Self.checksum(content.bytes))
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let (fields, content) = try reader.capturing {
            (reader: inout TLSReader) throws(TLSCodecError) -> (Lock, [UInt8]) in
            let version = try reader.readUInt8()
            guard version == Self.version else {
                throw .unknownValue(field: "VaultHeader.version", value: UInt64(version))
            }
            let kind = try reader.readUInt8()
            let lock: Lock
            switch kind {
            case 1: lock = .passphrase(try reader.read())
            case 2: lock = .keyFile
            default: throw .unknownValue(field: "VaultHeader.kind", value: UInt64(kind))
            }
            return (lock, Array(try reader.readBytes(60)))
        }
        (lock, wrappedKey) = fields
        guard try reader.readBytes(8).elementsEqual(Self.checksum(content)) else {
            throw .unknownValue(field: "VaultHeader.checksum", value: 0)
        }
    }
}
