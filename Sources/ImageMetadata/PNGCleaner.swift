/// Removes the metadata of a PNG file (W3C Portable Network Graphics, third edition).
///
/// Keeps only the chunks that affect the look of the picture, and the orientation. Drops text, time, Exif and private chunks,
/// and all bytes after the end chunk.
enum PNGCleaner {
    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    private static let kept: Set<String> = [
        "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI", "sBIT", "bKGD",
        "pHYs", "acTL", "fcTL", "fdAT",
    ]
    /// Maximum size of an Exif chunk, in bytes. A larger chunk is not searched for the orientation.
    private static let maxExif: UInt32 = 1 << 20

    static func clean<Source: ByteSource>(_ source: Source) throws -> CleanPicture {
        var picture = CleanPicture(.png)
        var reader = SourceReader(source)
        try reader.skip(UInt64(signature.count))
        try picture.keep(0..<reader.offset)
        var isFirst = true
        while true {
            let start = reader.offset
            let length = try reader.readBigEndian32()
            let type = String(decoding: try reader.readBytes(4), as: UTF8.self)
            guard length < 1 << 31, isFirst == (type == "IHDR") else { throw PictureError.malformed }
            isFirst = false
            let content = reader.offset..<reader.offset + UInt64(length)
            // The content is followed by the checksum.
            try reader.skip(UInt64(length) + 4)
            if kept.contains(type) {
                try picture.keep(start..<reader.offset)
            } else if type == "eXIf", length <= maxExif,
                let orientation = Orientation(tiff: try source.bytes(in: content))
            {
                try picture.add(chunk("eXIf", orientation.tiff))
            }
            if type == "IEND" { return picture }
        }
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(checksum(of: body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Returns the CRC of annex D. The computation uses no table, because the cleaner writes only chunks of about 30 bytes.
    private static func checksum(of bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { value, byte in
            (0..<8).reduce(value ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
    }
}
