import Crypto
import KithSupport
import TLSCodec

/// Encrypts and decrypts the chunks of one file.
///
/// ```text
/// chunk = AES-256-GCM(key, nonce = uint88 number || uint8 is_last, aad = label || uint64 padded, plaintext)
/// ```
///
/// The nonce contains the chunk's number and whether the chunk is the last one, so a chunk at another position fails to decrypt,
/// and so does a file without its end. A key must never encrypt two different plaintexts under one number. The caller has to
/// prevent a second plaintext under the same number: see ``UploadRecord``.
package struct FileCipher: Sendable {
    /// The label of a file that is uploaded.
    package static let blobLabel = "kith blob v1"
    /// The label of a file that waits on this device. A waiting file has no padding, because its size is not known when the
    /// encryption begins.
    package static let spoolLabel = "kith spool v1"

    /// A chunk that cannot be decrypted: it was not encrypted with this key for this position.
    package struct NotGenuine: Error {
        package init() {}
    }

    private let key: SymmetricKey
    private let associatedData: [UInt8]

    /// Creates the cipher of a file that is uploaded.
    ///
    /// - Parameter key: 32 bytes.
    package init(_ key: SecretBytes, padded: UInt64) { self.init(key, label: Self.blobLabel, padded: padded) }

    /// Creates the cipher of a file that waits on this device.
    package init(spool key: SecretBytes) { self.init(key, label: Self.spoolLabel, padded: 0) }

    private init(_ key: SecretBytes, label: String, padded: UInt64) {
        self.key = key.withUnsafeBytes { SymmetricKey(data: $0) }
        associatedData = Array(label.utf8) + padded.encoded
    }

    /// Encrypts a chunk, and appends the result to `sealed`.
    package func seal(
        _ plain: ArraySlice<UInt8>, number: UInt64, isLast: Bool, into sealed: inout [UInt8]
    ) throws {
        let box = try AES.GCM.seal(
            plain, using: key, nonce: try Self.nonce(number, isLast: isLast), authenticating: associatedData)
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
    }

    /// Verifies and decrypts a chunk.
    ///
    /// - Throws: ``NotGenuine``.
    package func open(_ sealed: ArraySlice<UInt8>, number: UInt64, isLast: Bool) throws(NotGenuine) -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(
                nonce: try Self.nonce(number, isLast: isLast), ciphertext: sealed.dropLast(Int(FileLayout.tag)),
                tag: sealed.suffix(Int(FileLayout.tag)))
            return Array(try AES.GCM.open(box, using: key, authenticating: associatedData))
        } catch { throw NotGenuine() }
    }

    private static func nonce(_ number: UInt64, isLast: Bool) throws -> AES.GCM.Nonce {
        var writer = TLSWriter(capacity: 12)
        writer.writeBytes([0, 0, 0])
        writer.write(number)
        writer.write(isLast ? 1 : 0 as UInt8)
        return try AES.GCM.Nonce(data: writer.bytes)
    }
}

extension FileCipher {
    /// Encrypts a piece.
    ///
    /// - Parameter plain: the piece's part of the file, without padding. Empty if the piece has padding only.
    package func seal(piece index: UInt64, _ plain: [UInt8], of layout: FileLayout) throws -> [UInt8] {
        let start = layout.plainRange(ofPiece: index).lowerBound
        var sealed: [UInt8] = []
        sealed.reserveCapacity(Int(FileLayout.sealedPiece))
        for number in layout.chunks(ofPiece: index) {
            let chunk = layout.plainRange(ofChunk: number)
            let bounds = Int(chunk.lowerBound - start)..<Int(chunk.upperBound - start)
            var bytes = plain[min(bounds.lowerBound, plain.count)..<min(bounds.upperBound, plain.count)]
            let padding = bounds.count - bytes.count
            if padding > 0 { bytes.append(contentsOf: repeatElement(0, count: padding)) }
            try seal(bytes, number: number, isLast: number == layout.chunkCount - 1, into: &sealed)
        }
        return sealed
    }

    /// Verifies and decrypts one chunk of a file, and removes its padding, which must be zero.
    ///
    /// - Throws: ``NotGenuine``.
    package func open(
        chunk number: UInt64, _ sealed: ArraySlice<UInt8>, of layout: FileLayout
    ) throws(NotGenuine) -> [UInt8] {
        var plain = try open(sealed, number: number, isLast: number == layout.chunkCount - 1)
        let range = layout.plainRange(ofChunk: number)
        guard UInt64(plain.count) == range.upperBound - range.lowerBound else { throw NotGenuine() }
        let kept = Int(min(max(layout.size, range.lowerBound), range.upperBound) - range.lowerBound)
        guard plain[kept...].allSatisfy({ $0 == 0 }) else { throw NotGenuine() }
        plain.removeLast(plain.count - kept)
        return plain
    }

    /// Computes the root of a file from the SHA-256 of each piece of its ciphertext.
    package static func root(of digests: some Sequence<[UInt8]>) -> [UInt8] {
        var hash = SHA256()
        for digest in digests { hash.update(data: digest) }
        return Array(hash.finalize())
    }

    /// Computes the digest of a piece of the ciphertext.
    package static func digest(ofPiece sealed: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: sealed)) }
}
