import KithSupport
import Testing

@testable import KithCore

@Suite struct FileCipherTests {
    private static let key = SecretBytes((0..<32).map { UInt8($0) })
    private static func content(_ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    /// Encrypts a file.
    ///
    /// - Returns: its chunks.
    private static func seal(_ content: [UInt8]) throws -> (layout: FileLayout, chunks: [ArraySlice<UInt8>]) {
        let layout = FileLayout(size: UInt64(content.count))
        let cipher = FileCipher(key, padded: layout.padded)
        var sealed: [UInt8] = []
        for piece in 0..<layout.pieceCount {
            let range = layout.plainRange(ofPiece: piece)
            let end = min(range.upperBound, layout.size)
            let plain = range.lowerBound < end ? Array(content[Int(range.lowerBound)..<Int(end)]) : []
            sealed += try cipher.seal(piece: piece, plain, of: layout)
        }
        #expect(UInt64(sealed.count) == layout.sealedSize)
        let length = Int(FileLayout.chunk + FileLayout.tag)
        return (
            layout, stride(from: 0, to: sealed.count, by: length).map { sealed[$0..<min(sealed.count, $0 + length)] }
        )
    }

    @Test(
        "an encrypted file is decrypted to the same bytes, without its padding",
        arguments: [
            0, 1, 4_095, 4_096, 65_535, 65_536, 65_537, 200_000, 4_194_304, 4_194_305,
        ])
    func roundTrip(size: Int) throws {
        let content = Self.content(size)
        let (layout, chunks) = try Self.seal(content)
        let cipher = FileCipher(Self.key, padded: layout.padded)
        var opened: [UInt8] = []
        for (number, chunk) in chunks.enumerated() {
            opened += try cipher.open(chunk: UInt64(number), chunk, of: layout)
        }
        #expect(opened == content)
    }

    @Test("a changed, exchanged, shortened or missing chunk is refused")
    func falseChunks() throws {
        let (layout, chunks) = try Self.seal(Self.content(200_000))
        let cipher = FileCipher(Self.key, padded: layout.padded)
        var changed = Array(chunks[0])
        changed[1_000] ^= 1
        let last = UInt64(chunks.count - 1)
        let cases: [(UInt64, ArraySlice<UInt8>)] = [
            (0, changed[...]), (0, chunks[1]), (1, chunks[0]), (0, chunks[0].dropLast()), (last, chunks[0]), (0, []),
            (last, chunks[Int(last)].dropFirst()), (0, chunks[0].prefix(15)),
        ]
        for (number, chunk) in cases {
            #expect(throws: FileCipher.NotGenuine.self) { try cipher.open(chunk: number, chunk, of: layout) }
        }
        // The end of the file cannot be moved: a chunk in the middle is not the last one.
        let shorter = FileLayout(size: 65_536, padded: 65_536)
        #expect(throws: FileCipher.NotGenuine.self) {
            try FileCipher(Self.key, padded: layout.padded).open(chunk: 0, chunks[0], of: shorter)
        }
        // The padded size is a part of each chunk.
        #expect(throws: FileCipher.NotGenuine.self) {
            try FileCipher(Self.key, padded: layout.padded + 1).open(chunk: 0, chunks[0], of: layout)
        }
    }

    @Test("padding that is not zero is refused")
    func falsePadding() throws {
        let layout = FileLayout(size: 100)
        let cipher = FileCipher(Self.key, padded: layout.padded)
        var plain = [UInt8](repeating: 0, count: Int(layout.padded))
        plain[100] = 1
        var sealed: [UInt8] = []
        try cipher.seal(plain[...], number: 0, isLast: true, into: &sealed)
        #expect(throws: FileCipher.NotGenuine.self) { try cipher.open(chunk: 0, sealed[...], of: layout) }
    }
}
