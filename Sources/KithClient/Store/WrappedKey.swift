import Crypto
import Foundation
import MLS
import TLSCodec

/// The wrapped key of a vault or a backup. The structure is stored unencrypted.
///
/// ```text
/// struct {
///     uint8 version = 1;
///     uint8 kind;                   1: wrapped with a key from a passphrase, 2: with the key file
///     select (kind) { case 1: ScryptParameters scrypt; };
///     opaque wrapped_key[60];       nonce || ChaCha20-Poly1305(wrapping key, nonce,
///                                       aad = label || all fields above, key)
///     opaque checksum[8];           the first 8 bytes of SHA-256 of all fields above
/// } WrappedKey;
/// ```
///
/// The label is "kith vault key v1" or "kith backup key v1". The checksum does not protect the key. The checksum distinguishes a
/// damaged header from a wrong passphrase.
struct WrappedKey: Sendable, TLSCodable {
    /// The purpose of the key.
    enum Purpose: String { case vault, backup }

    /// The source of the wrapping key: a key file or a passphrase.
    enum Lock: Sendable {
        case passphrase(ScryptParameters)
        case keyFile
    }

    static let version: UInt8 = 1
    private static let wrappedLength = 12 + 32 + 16
    private static let checksumLength = 8
    /// Length of the fields after the lock, in bytes.
    static let endLength = wrappedLength + checksumLength

    let lock: Lock
    private let wrappedKey: [UInt8]

    /// Wraps a key. `nil` only if the cryptographic library fails.
    init?(_ key: SecretBytes, _ purpose: Purpose, under wrappingKey: SymmetricKey, _ lock: Lock) {
        let authenticated = Self.authenticated(purpose, lock)
        guard
            let box = key.withUnsafeBytes({
                try? ChaChaPoly.seal($0, using: wrappingKey, authenticating: authenticated)
            })
        else { return nil }
        self.lock = lock
        wrappedKey = Array(box.combined)
    }

    /// Returns the 32 bytes of the key. `nil` if the key was wrapped with another key or for another purpose.
    func unwrap(_ purpose: Purpose, with wrappingKey: SymmetricKey) -> SecretBytes? {
        guard let box = try? ChaChaPoly.SealedBox(combined: wrappedKey),
            var opened = try? ChaChaPoly.open(
                box, using: wrappingKey, authenticating: Self.authenticated(purpose, lock))
        else { return nil }
        defer { opened.resetBytes(in: 0..<opened.count) }
        return SecretBytes(opened)
    }

    private static func authenticated(_ purpose: Purpose, _ lock: Lock) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeBytes("kith \(purpose.rawValue) key v1".utf8)
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
        Array(SHA256.hash(data: Array(fields))).prefix(checksumLength)
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
                throw .unknownValue(field: "WrappedKey.version", value: UInt64(version))
            }
            let kind = try reader.readUInt8()
            let lock: Lock
            switch kind {
            case 1: lock = .passphrase(try reader.read())
            case 2: lock = .keyFile
            default: throw .unknownValue(field: "WrappedKey.kind", value: UInt64(kind))
            }
            return (lock, Array(try reader.readBytes(Self.wrappedLength)))
        }
        (lock, wrappedKey) = fields
        guard try reader.readBytes(Self.checksumLength).elementsEqual(Self.checksum(content)) else {
            throw .unknownValue(field: "WrappedKey.checksum", value: 0)
        }
    }
}
