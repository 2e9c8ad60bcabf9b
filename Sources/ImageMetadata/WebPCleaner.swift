/// Removes the metadata of a WebP file (RFC 9649).
///
/// Keeps only the image data, the animation, the colour profile and the orientation. Drops Exif, XMP and unknown chunks, and
/// all bytes after the container.
enum WebPCleaner {
    private static let kept: Set<String> = ["VP8 ", "VP8L", "ANIM", "ALPH", "ICCP"]
    private static let keptInFrames: Set<String> = ["VP8 ", "VP8L", "ALPH"]
    /// The flag for Exif metadata in the `VP8X` header. `xmpFlag` is the flag for XMP metadata.
    private static let exifFlag: UInt8 = 0x08
    private static let xmpFlag: UInt8 = 0x04
    /// Maximum size of an Exif chunk, in bytes. A larger chunk is not searched for the orientation.
    private static let maxExif: UInt64 = 1 << 20
    /// The size of a frame's own fields, in bytes (§2.7.1.1).
    private static let frameHeader: UInt64 = 16

    private struct Chunk {
        let type: String
        /// The range of the whole chunk: header, content and padding byte. Only a content of odd size has a padding byte.
        let whole: Range<UInt64>
        let content: Range<UInt64>
    }

    static func clean<Source: ByteSource>(_ source: Source) throws -> CleanPicture {
        var reader = SourceReader(source)
        try reader.skip(4)
        let size = UInt64(try reader.readLittleEndian32())
        guard size >= 4, size <= reader.remaining else { throw PictureError.cutShort }
        let chunks = try chunks(of: source, in: 12..<8 + size)
        guard let first = chunks.first, ["VP8 ", "VP8L", "VP8X"].contains(first.type) else {
            throw PictureError.malformed
        }
        let orientation = try chunks.first { $0.type == "EXIF" && UInt64($0.content.count) <= maxExif }.flatMap {
            var exif = try source.bytes(in: $0.content)
            // Some programs write the prefix here that Exif metadata has in JPEG files.
            if exif.starts(with: Array("Exif\0\0".utf8)) { exif.removeFirst(6) }
            return Orientation(tiff: exif)
        }
        var body = CleanPicture(.webp)
        for chunk in chunks {
            switch chunk.type {
            case "VP8X" where chunk.whole != first.whole: throw PictureError.malformed
            case "VP8X":
                var header = try source.bytes(in: chunk.whole)
                guard chunk.content.count == 10 else { throw PictureError.malformed }
                header[8] &= ~(exifFlag | xmpFlag)
                if orientation != nil { header[8] |= exifFlag }
                try body.add(header)
            case "ANMF":
                try addFrame(chunk, of: source, to: &body)
            case _ where kept.contains(chunk.type):
                try body.keep(chunk.whole)
            default: break
            }
        }
        if first.type == "VP8X", let orientation { try body.add(self.chunk("EXIF", orientation.tiff)) }
        return try container(body)
    }

    /// Adds a frame of an animation, without the frame's unknown chunks.
    private static func addFrame<Source: ByteSource>(
        _ frame: Chunk, of source: Source, to picture: inout CleanPicture
    ) throws {
        guard UInt64(frame.content.count) >= frameHeader else { throw PictureError.malformed }
        let inner = try chunks(of: source, in: frame.content.lowerBound + frameHeader..<frame.content.upperBound)
            .filter { keptInFrames.contains($0.type) }
        let size = frameHeader + inner.reduce(0) { $0 + UInt64($1.whole.count) }
        try picture.add(Array("ANMF".utf8) + littleEndian(UInt32(size)))
        try picture.keep(frame.content.lowerBound..<frame.content.lowerBound + frameHeader)
        for chunk in inner { try picture.keep(chunk.whole) }
    }

    /// Returns a complete file: the RIFF container around the chunks in `body`.
    private static func container(_ body: CleanPicture) throws -> CleanPicture {
        guard let size = UInt32(exactly: body.size + 4) else { throw PictureError.malformed }
        var picture = CleanPicture(.webp)
        try picture.add(Array("RIFF".utf8) + littleEndian(size) + Array("WEBP".utf8))
        for piece in body.pieces {
            switch piece {
            case .source(let range): try picture.keep(range)
            case .bytes(let bytes): try picture.add(bytes)
            }
        }
        return picture
    }

    private static func chunks<Source: ByteSource>(of source: Source, in range: Range<UInt64>) throws -> [Chunk] {
        guard range.lowerBound <= range.upperBound else { throw PictureError.malformed }
        var reader = SourceReader(source, in: range)
        var chunks: [Chunk] = []
        while reader.remaining > 0 {
            guard chunks.count < CleanPicture.maxPieces else { throw PictureError.tooManyParts }
            let start = reader.offset
            let type = String(decoding: try reader.readBytes(4), as: UTF8.self)
            let size = UInt64(try reader.readLittleEndian32())
            let content = reader.offset..<reader.offset + size
            try reader.skip(size + size % 2)
            chunks.append(Chunk(type: type, whole: start..<reader.offset, content: content))
        }
        return chunks
    }

    /// Returns a chunk without padding. The size of `content` must be even.
    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        Array(type.utf8) + littleEndian(UInt32(content.count)) + content
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
