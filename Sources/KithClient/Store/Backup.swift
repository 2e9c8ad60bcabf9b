import Crypto
import Foundation
import MLS
import TLSCodec

/// What a backup's file is: records, sealed under a passphrase.
///
/// ```text
/// file   = "kith backup" || 0x0a || WrappedKey || chunk*
/// chunk  = ChaCha20-Poly1305(key, nonce = 0x000000 || uint64 number || uint8 is_last, aad = "", up to 64 KiB)
/// ```
///
/// The chunks together are `opaque record<V>` one after another. Every chunk but the last is full. The number says where a
/// chunk belongs and the last one says so, so one that is missing, moved or added does not open.
enum Backup {
    static let mark = Array("kith backup\n".utf8)
    /// A chunk's plaintext, in bytes: so small that it costs no memory, and the 16 bytes of its tag nothing beside it.
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
    /// The key that a passphrase stands for.
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
