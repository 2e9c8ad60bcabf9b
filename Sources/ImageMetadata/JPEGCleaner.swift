/// Removes the metadata of a JPEG file (ITU-T T.81, annex B).
///
/// Keeps the segments that a decoder needs, JFIF without its thumbnail, Adobe's colour transform, colour profiles, and the
/// orientation. Drops application segments with other content (Exif, XMP, IPTC, Photoshop, previews), comments, and all bytes
/// after the end of the image.
enum JPEGCleaner {
    private static let startOfImage: UInt8 = 0xd8
    private static let endOfImage: UInt8 = 0xd9
    private static let startOfScan: UInt8 = 0xda
    private static let comment: UInt8 = 0xfe
    static let exif = Array("Exif\0\0".utf8)
    private static let applications: ClosedRange<UInt8> = 0xe0...0xef
    /// The codes of the markers without a length: restarts and TEM. A file may have such markers between scans.
    private static let standalone: Set<UInt8> = Set(0xd0...0xd7).union([0x01])

    static func clean<Source: ByteSource>(_ source: Source) throws -> CleanPicture {
        var picture = CleanPicture(.jpeg)
        var reader = SourceReader(source)
        try reader.skip(2)
        try picture.keep(0..<2)
        while true {
            let start = reader.offset
            let marker = try readMarker(&reader)
            switch marker {
            case endOfImage:
                try picture.keep(start..<reader.offset)
                return picture
            case startOfImage:
                throw PictureError.malformed
            case _ where standalone.contains(marker):
                try picture.keep(start..<reader.offset)
            default:
                let content = try readSegment(&reader)
                if marker == startOfScan {
                    try skipScan(&reader)
                    try picture.keep(start..<reader.offset)
                } else if applications.contains(marker) {
                    switch keptContent(of: marker, try source.bytes(in: content)) {
                    case .all: try picture.keep(start..<reader.offset)
                    case .only(let bytes): try picture.add([0xff, marker, 0, UInt8(2 + bytes.count)] + bytes)
                    case .nothing: break
                    }
                } else if marker != comment {
                    try picture.keep(start..<reader.offset)
                }
            }
        }
    }

    private enum Kept {
        case all
        case only([UInt8])
        case nothing
    }

    /// Returns the part of an application segment that the clean picture keeps.
    private static func keptContent(of marker: UInt8, _ content: [UInt8]) -> Kept {
        switch marker {
        case 0xe0 where content.starts(with: Array("JFIF\0".utf8)) && content.count >= 14:
            // Version, units and densities; then a thumbnail of 0 × 0.
            return .only(Array(content[..<12]) + [0, 0])
        case 0xe1 where content.starts(with: exif):
            guard let orientation = Orientation(tiff: content.dropFirst(exif.count)) else { return .nothing }
            return .only(exif + orientation.tiff)
        case 0xe2 where content.starts(with: Array("ICC_PROFILE\0".utf8)): return .all
        case 0xee where content.starts(with: Array("Adobe".utf8)) && content.count >= 12:
            return .only(Array(content[..<12]))
        default: return .nothing
        }
    }

    /// Reads a marker, and returns its code. A marker is one or more bytes 0xFF, then the code.
    static func readMarker(_ reader: inout SourceReader<some ByteSource>) throws -> UInt8 {
        guard try reader.readUInt8() == 0xff else { throw PictureError.malformed }
        var code: UInt8 = 0xff
        while code == 0xff { code = try reader.readUInt8() }
        guard code != 0 else { throw PictureError.malformed }
        return code
    }

    /// Skips a segment. Returns the range of the segment's content.
    static func readSegment(_ reader: inout SourceReader<some ByteSource>) throws -> Range<UInt64> {
        let length = UInt64(try reader.readBigEndian16())
        guard length >= 2 else { throw PictureError.malformed }
        let start = reader.offset
        try reader.skip(length - 2)
        return start..<reader.offset
    }

    /// Skips the coded data of a scan, up to the next marker. Restarts and TEM belong to the coded data.
    private static func skipScan(_ reader: inout SourceReader<some ByteSource>) throws {
        while true {
            try reader.skip(to: 0xff)
            var ahead = reader
            var code = try ahead.readUInt8()
            while code == 0xff { code = try ahead.readUInt8() }
            // 0xFF 0x00 is a byte of the data.
            guard code == 0 || standalone.contains(code) else { return }
            reader = ahead
        }
    }
}
