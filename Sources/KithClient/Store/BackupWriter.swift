import Crypto
import Foundation
import KithSupport
import MLS
import TLSCodec

/// Writes a backup file with the mode 0600. The file appears under its name only after the backup is complete.
package struct BackupWriter: ~Copyable {
    private let file: OpenFile
    private let key: SymmetricKey
    private var pending: [UInt8] = []
    private var number: UInt64 = 0

    /// Begins a backup.
    ///
    /// - Parameter url: the new file, which must not exist yet.
    /// - Throws: ``BackupError``.
    package init(to url: URL, passphrase: String, cost: ScryptParameters.Cost = .standard) throws(BackupError) {
        let parameters = ScryptParameters(cost)
        let secret = RandomSource.system.secret(32)
        let wrappingKey = try BackupError.wrappingKey(parameters, passphrase)
        guard let header = WrappedKey(secret, .backup, under: wrappingKey, .passphrase(parameters)) else {
            throw .wrongPassphrase
        }
        let file: OpenFile
        do throws(PrivateFileError) {
            file = try OpenFile(making: url)
            try file.write(Backup.mark + header.encoded)
        } catch { throw .file(error) }
        self.file = file
        key = secret.withUnsafeBytes { SymmetricKey(data: $0) }
    }

    /// Adds a record.
    ///
    /// - Throws: ``BackupError``.
    package mutating func append(_ record: [UInt8]) throws(BackupError) {
        guard record.count <= ClientLimits.backupRecord else { throw .tooLong(limit: ClientLimits.backupRecord) }
        var writer = TLSWriter(capacity: record.count + 4)
        writer.writeOpaque(record)
        pending += writer.bytes
        // The last chunk may be full. It is empty only if the backup is empty.
        var start = 0
        while pending.count - start > Backup.chunkLength {
            try writeChunk(pending[start..<start + Backup.chunkLength], isLast: false)
            start += Backup.chunkLength
        }
        pending.removeFirst(start)
    }

    /// Finishes the backup. When this returns, the file is on the disk under its name.
    ///
    /// - Throws: ``BackupError``. After an error, there is no file.
    package consuming func finish() throws(BackupError) {
        try writeChunk(pending[...], isLast: true)
        do throws(PrivateFileError) { try file.finish() } catch { throw .file(error) }
    }

    private mutating func writeChunk(_ chunk: ArraySlice<UInt8>, isLast: Bool) throws(BackupError) {
        // The `guard` cannot fail, because the library accepts every key of 32 bytes and every nonce of 12.
        guard let nonce = Backup.nonce(number, isLast: isLast),
            let box = try? ChaChaPoly.seal(chunk, using: key, nonce: nonce)
        else { throw .damaged }
        number += 1
        do throws(PrivateFileError) { try file.write(Array(box.ciphertext) + box.tag) } catch { throw .file(error) }
    }
}
