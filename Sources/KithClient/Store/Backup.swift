import Crypto
import Foundation
import MLS
import TLSCodec

/// The format of a backup file. The file contains records that are sealed with a passphrase.
///
/// ```text
/// file   = "kith backup" || 0x0a || WrappedKey || chunk*
/// chunk  = ChaCha20-Poly1305(key, nonce = 0x000000 || uint64 number || uint8 is_last, aad = "", up to 64 KiB)
/// ```
///
/// The plaintexts of all chunks, joined together, are a sequence of `opaque record<V>`. Every chunk but the last is full. A
/// chunk's nonce contains the chunk's number and whether the chunk is the last, so decryption fails if a chunk is missing, moved
/// or added.
enum Backup {
    static let mark = Array("kith backup\n".utf8)
    /// Size of a chunk's plaintext, in bytes. A chunk of this size needs little memory, and is long in comparison with its tag of
    /// 16 bytes.
    static let chunkLength = 64 << 10
    static let tagLength = 16

    static func nonce(_ number: UInt64, isLast: Bool) -> ChaChaPoly.Nonce? {
        var writer = TLSWriter(capacity: 12)
        writer.writeBytes([0, 0, 0])
        writer.write(number)
        writer.write(isLast ? 1 : 0 as UInt8)
        return try? ChaChaPoly.Nonce(data: writer.bytes)
    }
}

extension BackupError {
    /// Derives the wrapping key from a passphrase.
    static func wrappingKey(
        _ parameters: ScryptParameters, _ passphrase: String
    ) throws(BackupError) -> SymmetricKey {
        do throws(ScryptParameters.Failure) { return try parameters.key(from: passphrase) } catch {
            switch error {
            case .emptyPassphrase: throw .wrongPassphrase
            case .noMemory(let bytes): throw .noMemory(bytes: bytes)
            }
        }
    }
}
