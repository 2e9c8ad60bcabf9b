import Crypto
import Foundation
import KithSupport
import MLS
import TLSCodec

/// Reads a backup, one chunk at a time.
///
/// Each returned record is genuine and in its right place. The end of the backup may be missing: only when ``next()`` has
/// returned `nil` is the backup known to be complete. Store nothing of the backup before that.
package struct BackupReader: ~Copyable {
    private let file: OpenFile
    let key: SymmetricKey
    /// Bytes that were read but not decrypted yet. The reader reads ahead until these bytes show whether the next chunk is the
    /// last.
    private var sealed: [UInt8] = []
    /// Plaintext that was not returned yet.
    private var opened: ArraySlice<UInt8> = []
    private var number: UInt64 = 0
    private var isAtEnd = false

    /// Opens a backup for reading.
    ///
    /// - Throws: ``BackupError``.
    package init(from url: URL, passphrase: String) throws(BackupError) {
        let file: OpenFile
        let start: [UInt8]
        do throws(PrivateFileError) {
            file = try OpenFile(reading: url)
            start = try file.read(atMost: Backup.mark.count + Self.headerLength)
        } catch { throw .file(error) }
        let key = try Self.key(start, passphrase)
        self.file = file
        self.key = key
    }

    /// Opens a backup again, with the key that the first reader has found.
    ///
    /// - Throws: ``BackupError``.
    init(from url: URL, key: SymmetricKey) throws(BackupError) {
        let file: OpenFile
        do throws(PrivateFileError) {
            file = try OpenFile(reading: url)
            _ = try file.read(atMost: Backup.mark.count + Self.headerLength)
        } catch { throw .file(error) }
        self.file = file
        self.key = key
    }

    /// Returns the next record, or `nil` after the last one.
    ///
    /// - Throws: ``BackupError``. Once a call has thrown ``BackupError/damaged``, all later calls throw this error too.
    package mutating func next() throws(BackupError) -> [UInt8]? {
        while true {
            var reader = TLSReader(opened)
            if reader.isAtEnd, isAtEnd { return nil }
            do throws(TLSCodecError) {
                let record = try reader.readOpaque(limit: ClientLimits.backupRecord)
                opened = opened.suffix(reader.remaining)
                return Array(record)
            } catch {
                // The record may continue in the next chunk.
                guard error == .truncated, !isAtEnd else { throw .damaged }
            }
            try openChunk()
        }
    }

    private mutating func openChunk() throws(BackupError) {
        let length = Backup.chunkLength + Backup.tagLength
        do throws(PrivateFileError) {
            sealed += try file.read(atMost: length + 1 - sealed.count)
        } catch { throw .file(error) }
        let isLast = sealed.count <= length
        let chunk = sealed.prefix(length)
        guard let nonce = Backup.nonce(number, isLast: isLast),
            let box = try? ChaChaPoly.SealedBox(
                nonce: nonce, ciphertext: chunk.dropLast(Backup.tagLength), tag: chunk.suffix(Backup.tagLength)),
            let plaintext = try? ChaChaPoly.open(box, using: key)
        else { throw .damaged }
        // An empty chunk at the end is allowed only in a backup without records.
        guard !plaintext.isEmpty || number == 0 else { throw .damaged }
        number += 1
        isAtEnd = isLast
        opened.append(contentsOf: plaintext)
        sealed = Array(sealed.dropFirst(length))
    }

    // MARK: The beginning

    /// Length of the header of a backup with a passphrase, in bytes.
    private static let headerLength = 2 + ScryptParameters.encodedLength + WrappedKey.endLength

    private static func key(_ start: [UInt8], _ passphrase: String) throws(BackupError) -> SymmetricKey {
        guard start.starts(with: Backup.mark) else { throw .notABackup }
        let bytes = start.dropFirst(Backup.mark.count)
        if let version = bytes.first, version > WrappedKey.version { throw .version(version) }
        guard let header = try? WrappedKey(decoding: bytes), case .passphrase(let parameters) = header.lock else {
            throw .damaged
        }
        guard let key = header.unwrap(.backup, with: try BackupError.wrappingKey(parameters, passphrase)) else {
            throw .wrongPassphrase
        }
        return key.withUnsafeBytes { SymmetricKey(data: $0) }
    }
}
