import Crypto
import Foundation
import GRDBSQLite
import MLS
import TLSCodec

/// The key of a vault. Each value is sealed with this key, together with the value's place:
///
/// ```text
/// sealed = nonce[12] || ChaCha20-Poly1305(key, nonce, aad = "kith vault value v1" || uint8 table || uint64 owner
///                                         || uint64 item, value)
/// ```
///
/// Nonces are random. After 2^32 values (about four thousand million), the probability of a repeated nonce reaches NIST's limit
/// of 2^-32.
struct VaultKey: Sendable {
    /// The 32 bytes of the key.
    let bytes: SecretBytes

    /// Creates a random key.
    init(random: RandomSource = .system) { bytes = random.secret(32) }

    /// Creates a key from bytes that were unwrapped.
    init(_ bytes: SecretBytes) { self.bytes = bytes }

    /// The key, prepared for sealing and opening many values.
    var symmetric: SymmetricKey { bytes.withUnsafeBytes { SymmetricKey(data: $0) } }
}

extension SymmetricKey {
    private static func place(_ table: StoreTable, _ owner: UInt64, _ item: UInt64) -> [UInt8] {
        var writer = TLSWriter(capacity: 40)
        writer.writeBytes("kith vault value v1".utf8)
        writer.write(table.rawValue)
        writer.write(owner)
        writer.write(item)
        return writer.bytes
    }

    /// Seals a value for a place.
    func seal(_ value: [UInt8], for key: StoreKey) throws(StoreError) -> Data {
        do {
            return try ChaChaPoly.seal(
                value, using: self, authenticating: Self.place(key.table, key.owner, key.item)
            ).combined
        } catch {
            // This cannot happen, because the library accepts every key of 32 bytes.
            throw .database(code: SQLITE_INTERNAL)
        }
    }

    /// Opens a value that was sealed for a place.
    func open(_ sealed: Data?, _ table: StoreTable, owner: UInt64, item: UInt64) throws(StoreError) -> [UInt8] {
        do {
            let box = try ChaChaPoly.SealedBox(combined: sealed ?? Data())
            return Array(try ChaChaPoly.open(box, using: self, authenticating: Self.place(table, owner, item)))
        } catch {
            throw .damaged(table)
        }
    }
}
