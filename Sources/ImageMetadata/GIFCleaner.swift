/// Removes the metadata of a GIF file (GIF89a specification).
///
/// Drops comments and all bytes after the trailer. Of the application extensions, keeps only the extension with the number of
/// repetitions of an animation.
enum GIFCleaner {
    private static let image: UInt8 = 0x2c
    private static let `extension`: UInt8 = 0x21
    private static let trailer: UInt8 = 0x3b
    private static let graphicControl: UInt8 = 0xf9
    private static let plainText: UInt8 = 0x01
    private static let application: UInt8 = 0xff

    static func clean<Source: ByteSource>(_ source: Source) throws -> CleanPicture {
        var picture = CleanPicture(.gif)
        var reader = SourceReader(source)
        let header = try reader.readBytes(13)
        try reader.skip(colorTableSize(flags: header[10]))
        try picture.keep(0..<reader.offset)
        while true {
            let start = reader.offset
            switch try reader.readUInt8() {
            case trailer:
                try picture.keep(start..<reader.offset)
                return picture
            case image:
                let descriptor = try reader.readBytes(9)
                // The colours are followed by one byte, the size of the codes.
                try reader.skip(colorTableSize(flags: descriptor[8]) + 1)
                try skipBlocks(&reader)
                try picture.keep(start..<reader.offset)
            case `extension`:
                let label = try reader.readUInt8()
                let content = reader.offset
                try skipBlocks(&reader)
                switch label {
                case graphicControl, plainText: try picture.keep(start..<reader.offset)
                case application:
                    if let loop = loop(try source.bytes(in: content..<min(content + 17, reader.offset))) {
                        try picture.add(loop)
                    }
                default: break
                }
            default: throw PictureError.malformed
            }
        }
    }

    /// Returns the size of the colour table after a screen or image descriptor, in bytes. Returns 0 if the descriptor's flags
    /// announce no table.
    private static func colorTableSize(flags: UInt8) -> UInt64 {
        flags & 0x80 == 0 ? 0 : 3 << (UInt64(flags & 7) + 1)
    }

    private static func skipBlocks(_ reader: inout SourceReader<some ByteSource>) throws {
        while case let size = try reader.readUInt8(), size > 0 { try reader.skip(UInt64(size)) }
    }

    /// Returns the whole extension if it contains the number of repetitions of an animation. Returns `nil` for an extension
    /// without a number of repetitions.
    ///
    /// - Parameter blocks: the first bytes of an application extension, after its label.
    private static func loop(_ blocks: [UInt8]) -> [UInt8]? {
        let names = ["NETSCAPE2.0", "ANIMEXTS1.0"].map { [11] + Array($0.utf8) + [3, 1] }
        guard blocks.count == 17, names.contains(where: { blocks.starts(with: $0) }), blocks[16] == 0 else {
            return nil
        }
        return [`extension`, application] + blocks
    }
}
