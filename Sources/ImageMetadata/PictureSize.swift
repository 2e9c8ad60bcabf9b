/// The width and height of a picture, in pixels, as its header states them. The image is not decoded, so the header may be wrong.
package struct PictureSize: Hashable, Sendable {
    package let width: UInt32
    package let height: UInt32

    package init(width: UInt32, height: UInt32) { (self.width, self.height) = (width, height) }

    /// Maximum number of segments that are read until the header of a JPEG image is found. Photographs have about 10 of them.
    private static let mostSegments = 1_000

    /// Reads the header of a picture. A JPEG picture that its orientation turns on its side gets the size that viewers show.
    ///
    /// - Returns: `nil` if the file has none of the formats of ``PictureFormat``, has a damaged header, or states no size.
    package init?(of source: some ByteSource) {
        guard let start = try? source.bytes(in: 0..<min(12, source.size)), let format = PictureFormat(start: start),
            let size = try? Self.read(source, format), size.width > 0, size.height > 0
        else { return nil }
        self = size
    }

    private static func read(_ source: some ByteSource, _ format: PictureFormat) throws -> PictureSize? {
        switch format {
        case .jpeg: try readJPEG(source)
        case .png: try readPNG(source)
        case .webp: try readWebP(source)
        case .gif: try readGIF(source)
        }
    }

    // MARK: JPEG

    private static func readJPEG(_ source: some ByteSource) throws -> PictureSize? {
        var reader = SourceReader(source)
        try reader.skip(2)
        var isTurned = false
        for _ in 0..<mostSegments {
            let marker = try JPEGCleaner.readMarker(&reader)
            let content = try JPEGCleaner.readSegment(&reader)
            switch marker {
            // The frame headers, without the markers for tables and extensions between them.
            case 0xc0...0xc3, 0xc5...0xc7, 0xc9...0xcb, 0xcd...0xcf:
                guard content.count >= 5 else { return nil }
                var header = SourceReader(source, in: content)
                try header.skip(1)
                let (height, width) = (UInt32(try header.readBigEndian16()), UInt32(try header.readBigEndian16()))
                return isTurned ? PictureSize(width: height, height: width) : PictureSize(width: width, height: height)
            case 0xe1:
                let bytes = try source.bytes(in: content)
                guard bytes.starts(with: JPEGCleaner.exif) else { continue }
                // The orientations from 5 on swap the sides.
                isTurned = (Orientation(tiff: bytes.dropFirst(JPEGCleaner.exif.count))?.value ?? 0) >= 5
            // The image data have begun.
            case 0xda: return nil
            default: continue
            }
        }
        return nil
    }

    // MARK: The other formats

    private static func readPNG(_ source: some ByteSource) throws -> PictureSize? {
        var reader = SourceReader(source)
        // Behind the signature and the length of the first chunk.
        try reader.skip(12)
        guard try reader.readBytes(4) == Array("IHDR".utf8) else { return nil }
        return PictureSize(width: try reader.readBigEndian32(), height: try reader.readBigEndian32())
    }

    private static func readGIF(_ source: some ByteSource) throws -> PictureSize? {
        var reader = SourceReader(source)
        try reader.skip(6)
        let bytes = try reader.readBytes(4).map(UInt32.init)
        return PictureSize(width: bytes[0] | bytes[1] << 8, height: bytes[2] | bytes[3] << 8)
    }

    /// Reads the header of the first chunk (RFC 9649 §2.5 to §2.7).
    private static func readWebP(_ source: some ByteSource) throws -> PictureSize? {
        var reader = SourceReader(source)
        try reader.skip(12)
        let type = try reader.readBytes(4)
        try reader.skip(4)
        switch String(decoding: type, as: UTF8.self) {
        case "VP8X":
            let bytes = try reader.readBytes(10).map(UInt32.init)
            func number(_ index: Int) -> UInt32 { bytes[index] | bytes[index + 1] << 8 | bytes[index + 2] << 16 }
            return PictureSize(width: number(4) + 1, height: number(7) + 1)
        case "VP8 ":
            let bytes = try reader.readBytes(10).map(UInt32.init)
            guard bytes[0] & 1 == 0, bytes[3...5].elementsEqual([0x9d, 0x01, 0x2a]) else { return nil }
            // The upper two bits of each number are a scale.
            return PictureSize(
                width: (bytes[6] | bytes[7] << 8) & 0x3fff, height: (bytes[8] | bytes[9] << 8) & 0x3fff)
        case "VP8L":
            guard try reader.readUInt8() == 0x2f else { return nil }
            let bits = try reader.readLittleEndian32()
            return PictureSize(width: bits & 0x3fff + 1, height: bits >> 14 & 0x3fff + 1)
        default: return nil
        }
    }
}
