import Testing

@testable import KithCore

@Suite struct FileLayoutTests {
    @Test(
        "files are padded to the first size of the sequence that holds them",
        arguments: [
            (0, 4_096), (1, 4_096), (4_096, 4_096), (4_097, 4_300), (4_300, 4_300), (4_301, 4_515), (65_536, 65_961),
            (1_000_000, 1_013_507), (5 << 20, 5_324_266), (1 << 30, 1_086_157_041), (4 << 30, 4_470_769_633),
            (ClientLimits.file, 1_131_497_383_859_520),
        ] as [(UInt64, UInt64)])
    func padding(size: UInt64, padded: UInt64) {
        #expect(FilePadding.padded(size) == padded)
    }

    @Test("a padded file is at most 5 % larger, from the smallest size on")
    func overhead() {
        for size in stride(from: UInt64(4_096), to: 1 << 24, by: 4_099) {
            #expect(FilePadding.padded(size) * 20 <= size * 21)
        }
    }

    @Test(
        "chunks and pieces cover the ciphertext without gaps",
        arguments: [
            1, 4_096, 65_535, 65_536, 65_537, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 3 * (4 << 20) + 65_536 + 5,
        ] as [UInt64])
    func coverage(padded: UInt64) {
        let layout = FileLayout(size: padded, padded: padded)
        var plain: UInt64 = 0
        for chunk in 0..<layout.chunkCount {
            let range = layout.plainRange(ofChunk: chunk)
            #expect(range.lowerBound == plain && !range.isEmpty)
            plain = range.upperBound
        }
        #expect(plain == padded)
        var (sealed, chunks): (UInt64, UInt64) = (0, 0)
        for piece in 0..<layout.pieceCount {
            let range = layout.sealedRange(ofPiece: piece)
            #expect(range.lowerBound == sealed && !range.isEmpty)
            #expect(layout.piece(at: range.lowerBound) == piece)
            #expect(layout.piece(at: range.upperBound - 1) == piece)
            #expect(layout.chunks(ofPiece: piece).lowerBound == chunks)
            let plain = layout.plainRange(ofPiece: piece)
            #expect(
                range.upperBound - range.lowerBound
                    == plain.upperBound - plain.lowerBound + 16 * UInt64(layout.chunks(ofPiece: piece).count))
            sealed = range.upperBound
            chunks = layout.chunks(ofPiece: piece).upperBound
        }
        #expect(sealed == layout.sealedSize && chunks == layout.chunkCount)
        #expect(layout.piece(at: layout.sealedSize) == layout.pieceCount)
    }

    @Test(
        "the largest file makes a blob within the limit, and one byte more does not",
        arguments: [4_112, 10_000, 4 << 30])
    func largest(limit: UInt64) {
        let size = FileLayout.largestFile(inBlobOf: limit)
        #expect(FileLayout(size: size).sealedSize <= limit && FileLayout(size: size + 1).sealedSize > limit)
        #expect(FileLayout.largestFile(inBlobOf: 4_111) == 0)
        #expect(FileLayout.largestFile(inBlobOf: .max) <= ClientLimits.file)
    }
}
