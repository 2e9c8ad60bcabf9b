/// The positions of a file's parts in its ciphertext.
///
/// The plaintext is the file, followed by zeros up to ``padded``. The plaintext is encrypted in chunks of ``chunk`` bytes, of
/// which only the last may be shorter. ``chunksPerPiece`` chunks are a piece. A piece is sent, and made durable, as a whole.
package struct FileLayout: Hashable, Sendable {
    /// Size of a chunk's plaintext, in bytes. A chunk is the smallest part that can be verified.
    package static let chunk: UInt64 = 64 << 10
    /// Number of bytes that encryption adds to a chunk.
    package static let tag: UInt64 = 16
    /// Size of a full chunk of the ciphertext, in bytes.
    package static let sealedChunk = chunk + tag
    /// Number of chunks in a piece. A full piece has 4 MiB of plaintext. After a lost connection, at most one piece has to be
    /// transferred again.
    package static let chunksPerPiece: UInt64 = 64
    /// Size of a full piece of the ciphertext, in bytes.
    package static let sealedPiece = chunksPerPiece * sealedChunk

    /// The file's size, in bytes.
    package let size: UInt64
    /// The size of the file with its padding, in bytes, at least 1.
    package let padded: UInt64

    /// Creates the layout of a file with the padding of ``FilePadding``.
    package init(size: UInt64) { self.init(size: size, padded: FilePadding.padded(size)) }

    init(size: UInt64, padded: UInt64) {
        self.size = size
        self.padded = padded
    }

    /// The number of chunks.
    package var chunkCount: UInt64 { (padded + Self.chunk - 1) / Self.chunk }

    /// The number of pieces.
    package var pieceCount: UInt64 { (chunkCount + Self.chunksPerPiece - 1) / Self.chunksPerPiece }

    /// The size of the ciphertext, in bytes. This is the size of the blob.
    package var sealedSize: UInt64 { padded + Self.tag * chunkCount }

    /// Returns the size, in bytes, of the largest file whose blob has at most `limit` bytes; 0 if there is no such file.
    package static func largestFile(inBlobOf limit: UInt64) -> UInt64 {
        let limit = min(limit, ClientLimits.file)
        var (largest, next) = (UInt64(0), FilePadding.smallest)
        while FileLayout(size: next, padded: next).sealedSize <= limit {
            largest = next
            next = FilePadding.padded(next + 1)
        }
        return largest
    }

    /// Returns the range of a chunk in the padded plaintext.
    package func plainRange(ofChunk index: UInt64) -> Range<UInt64> {
        index * Self.chunk..<min(padded, (index + 1) * Self.chunk)
    }

    /// Returns the chunks of a piece.
    package func chunks(ofPiece index: UInt64) -> Range<UInt64> {
        index * Self.chunksPerPiece..<min(chunkCount, (index + 1) * Self.chunksPerPiece)
    }

    /// Returns the range of a piece in the padded plaintext.
    package func plainRange(ofPiece index: UInt64) -> Range<UInt64> {
        let chunks = chunks(ofPiece: index)
        return chunks.lowerBound * Self.chunk..<min(padded, chunks.upperBound * Self.chunk)
    }

    /// Returns the range of a piece in the ciphertext.
    package func sealedRange(ofPiece index: UInt64) -> Range<UInt64> {
        index * Self.sealedPiece..<min(sealedSize, (index + 1) * Self.sealedPiece)
    }

    /// Returns the piece in which a position of the ciphertext lies; for the end of the ciphertext, the number of pieces.
    package func piece(at sealedOffset: UInt64) -> UInt64 {
        sealedOffset >= sealedSize ? pieceCount : sealedOffset / Self.sealedPiece
    }
}

/// Pads files to few sizes, so that a blob's size reveals little about the file.
package enum FilePadding {
    /// The smallest size of a padded file, in bytes.
    package static let smallest: UInt64 = 4_096

    /// Returns the size to which a file is padded: the first size of the sequence that is not smaller than the file.
    ///
    /// The sequence begins with ``smallest``. Each further size is larger than the one before by a twentieth, rounded down. The
    /// padding takes at most 5 % of a file that is larger than ``smallest``, and there are about 48 sizes between a size and ten
    /// times that size.
    package static func padded(_ size: UInt64) -> UInt64 {
        var padded = smallest
        while padded < size { padded += padded / 20 }
        return padded
    }
}
