import Testing

@testable import ImageMetadata

@Suite struct CleanPictureTests {
    private static let camera = "Canon EOS R5"
    private static let jpegStart: [UInt8] = [0xff, 0xd8]

    /// A TIFF structure with a camera and an orientation.
    private static func tiff(orientation: UInt8, isLittleEndian: Bool) -> [UInt8] {
        let name = Array(camera.utf8) + [0]
        let big: [[UInt8]] = [
            [0, 42], [0, 0, 0, 8], [0, 2],
            [0x01, 0x10], [0, 2], [0, 0, 0, UInt8(name.count)], [0, 0, 0, 38],
            [0x01, 0x12], [0, 3], [0, 0, 0, 1], [0, orientation], [0, 0],
            [0, 0, 0, 0],
        ]
        let start: [UInt8] = isLittleEndian ? [0x49, 0x49] : [0x4d, 0x4d]
        return start + big.flatMap { isLittleEndian ? $0.reversed() : $0 } + name
    }

    private static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length = content.count + 2
        return [0xff, marker, UInt8(length >> 8), UInt8(length & 0xff)] + content
    }

    @Test("a picture without metadata stays as it is", arguments: pictureNames)
    func unchanged(name: String) throws {
        let original = try picture(name)
        let cleaned = try #require(try clean(original))
        #expect(cleaned == original)
        #expect(try #require(try CleanPicture(removingMetadataFrom: original)).size == UInt64(original.count))
    }

    @Test("bytes behind the end of a picture are dropped", arguments: pictureNames)
    func trailer(name: String) throws {
        let original = try picture(name)
        #expect(try clean(original + Array("the uncropped picture".utf8)) == original)
    }

    @Test("a picture that is cut short is refused at every length", arguments: pictureNames)
    func cutShort(name: String) throws {
        let original = try picture(name)
        for count in 12..<original.count {
            #expect(throws: PictureError.self, "\(count)") { try clean(Array(original[..<count])) }
        }
    }

    @Test("other formats are left alone")
    func otherFormats() throws {
        for start in ["", "GIF88a", "%PDF-1.7", "\0\0\0\u{18}ftypheic", "RIFF\0\0\0\0AVI ", "II*\0"] {
            #expect(try clean(Array(start.utf8)) == nil)
        }
    }

    @Test(
        "of JPEG's Exif only the orientation stays", arguments: [true, false], [1, 3, 8] as [UInt8])
    func jpegExif(isLittleEndian: Bool, orientation: UInt8) throws {
        let original = try picture("progressive.jpg")
        let exif = Array("Exif\0\0".utf8) + Self.tiff(orientation: orientation, isLittleEndian: isLittleEndian)
        let cleaned = try #require(
            try clean(Self.jpegStart + Self.segment(0xe1, exif) + original.dropFirst(2)))
        guard orientation > 1 else { return #expect(cleaned == original) }
        let small: [UInt8] =
            [0xff, 0xe1, 0, 34] + Array("Exif\0\0MM\0".utf8)
            + [42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
        #expect(cleaned == Self.jpegStart + small + original.dropFirst(2))
    }

    @Test("a damaged Exif part is dropped whole", arguments: 0..<51)
    func damagedExif(count: Int) throws {
        let original = try picture("restarts.jpg")
        let exif = Array("Exif\0\0".utf8) + Self.tiff(orientation: 1, isLittleEndian: true).prefix(count)
        #expect(try clean(Self.jpegStart + Self.segment(0xe1, exif) + original.dropFirst(2)) == original)
    }

    @Test(
        "segments of JPEG that hold anything else are dropped",
        arguments: [
            (0xfe, "made by me"), (0xe1, "http://ns.adobe.com/xap/1.0/\0<x/>"), (0xe2, "MPF\0MM"), (0xe2, "FPXR\0"),
            (0xed, "Photoshop 3.0\08BIM"), (0xe0, "JFXX\0\u{10}"), (0xeb, "JP"), (0xe5, ""),
        ] as [(UInt8, String)])
    func jpegSegments(marker: UInt8, text: String) throws {
        let original = try picture("restarts.jpg")
        // Behind JFIF, whose segment has 18 bytes.
        let whole = original[..<20] + Self.segment(marker, Array(text.utf8)) + original[20...]
        #expect(try clean(Array(whole)) == original)
    }

    @Test("a segment between two scans of a progressive JPEG is dropped")
    func jpegBetweenScans() throws {
        let original = try picture("progressive.jpg")
        let scans = original.indices.dropLast().filter { original[$0] == 0xff && original[$0 + 1] == 0xda }
        try #require(scans.count > 1)
        for scan in scans {
            let whole = original[..<scan] + Self.segment(0xfe, Array("note".utf8)) + original[scan...]
            #expect(try clean(Array(whole)) == original)
        }
    }

    @Test("the thumbnail in JFIF is dropped")
    func jfifThumbnail() throws {
        let original = try picture("restarts.jpg")
        var content = Array(original[6..<20])
        content[12...] = [2, 1]
        content += [1, 2, 3, 4, 5, 6]
        #expect(try clean(Self.jpegStart + Self.segment(0xe0, content) + original[20...]) == original)
    }

    @Test("the colour profile and Adobe's colour transform of a JPEG stay")
    func jpegColours() throws {
        let original = try picture("restarts.jpg")
        let colours =
            Self.segment(0xe2, Array("ICC_PROFILE\0".utf8) + [1, 1, 9, 9])
            + Self.segment(0xee, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 1])
        let whole = Array(original[..<20] + colours + original[20...])
        #expect(try clean(whole) == whole)
    }

    @Test("of PNG's Exif only the orientation stays, with the right checksum")
    func pngExif() throws {
        let original = try picture("plain.png")
        let (header, rest) = (original[..<33], original[33...])
        let exif = Self.tiff(orientation: 6, isLittleEndian: true)
        let chunk = [0, 0, 0, UInt8(exif.count)] + Array("eXIf".utf8) + exif + [0, 0, 0, 0]
        let small: [UInt8] =
            [0, 0, 0, 26] + Array("eXIfMM\0".utf8)
            + [42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
            // Computed by Python's zlib.crc32.
            + [0xd6, 0x67, 0x4b, 0x69]
        #expect(try clean(Array(header + chunk + rest)) == Array(header + small + rest))
    }

    @Test(
        "chunks of PNG that hold anything else are dropped",
        arguments: ["tEXt", "zTXt", "iTXt", "tIME", "caNv", "meTa"])
    func pngChunks(type: String) throws {
        let original = try picture("plain.png")
        let chunk = [0, 0, 0, 3] + Array(type.utf8) + [1, 2, 3] + [0, 0, 0, 0]
        #expect(try clean(Array(original[..<33] + chunk + original[33...])) == original)
    }

    @Test("a PNG must begin with its header")
    func pngHeader() throws {
        let original = try picture("plain.png")
        #expect(throws: PictureError.malformed) { try clean(Array(original[..<8] + original[33...])) }
        #expect(throws: PictureError.malformed) { try clean(Array(original[..<33] + original[8...])) }
    }

    @Test("chunks of WebP that hold anything else are dropped, and the header no longer announces them")
    func webpChunks() throws {
        let original = try picture("animation.webp")
        try #require(original[12..<16].elementsEqual("VP8X".utf8))
        var whole = original
        whole[20] |= 0x0c
        whole += Array("XMP \u{3}\0\0\0<x>\0".utf8) + Array("note\u{2}\0\0\0hi".utf8)
        let exif = Self.tiff(orientation: 1, isLittleEndian: false) + [0]
        whole += Array("EXIF".utf8) + [UInt8(exif.count), 0, 0, 0] + exif
        let size = whole.count - 8
        whole[4...7] = [UInt8(size & 0xff), UInt8(size >> 8), 0, 0]
        #expect(try clean(whole) == original)
    }

    @Test("unknown chunks in a frame of an animated WebP are dropped")
    func webpFrames() throws {
        let original = try picture("animation.webp")
        let frame = try #require((0..<original.count - 4).first { original[$0..<$0 + 4].elementsEqual("ANMF".utf8) })
        let frameSize = Int(original[frame + 4]) | Int(original[frame + 5]) << 8
        let extra = Array("note\u{2}\0\0\0hi".utf8)
        var whole = original
        whole.insert(contentsOf: extra, at: frame + 8 + frameSize)
        for (place, size) in [(4, original.count - 8), (frame + 4, frameSize)] {
            whole[place] = UInt8((size + extra.count) & 0xff)
            whole[place + 1] = UInt8((size + extra.count) >> 8)
        }
        #expect(try clean(whole) == original)
    }

    @Test(
        "extensions of GIF that hold anything else are dropped",
        arguments: [
            [0xfe, 5] + Array("hello".utf8) + [0],
            [0xff, 11] + Array("XMP DataXMP".utf8) + [1, 60, 0],
            [0xff, 11] + Array("NETSCAPE2.0".utf8) + [3, 2, 0, 0, 0],
            [0x99, 1, 1, 0],
        ] as [[UInt8]])
    func gifExtensions(block: [UInt8]) throws {
        let original = try picture("animation.gif")
        let behindTable = 13 + 3 << (Int(original[10] & 7) + 1)
        let whole = original[..<behindTable] + [0x21] + block + original[behindTable...]
        #expect(try clean(Array(whole)) == original)
    }

    @Test("the number of loops of a GIF stays")
    func gifLoop() throws {
        let cleaned = try #require(try clean(try picture("animation.gif")))
        let name = Array("NETSCAPE2.0".utf8)
        let place = try #require((0..<cleaned.count - 16).first { cleaned[$0..<$0 + 11].elementsEqual(name) })
        #expect(cleaned[place + 11..<place + 16].elementsEqual([3, 1, 3, 0, 0]))
    }

    @Test("a picture of too many parts is refused")
    func tooManyParts() throws {
        let original = try picture("restarts.jpg")
        let pair = Self.segment(0xfe, []) + Self.segment(0xdb, [])
        let whole = original[..<20] + Array(repeatElement(pair, count: CleanPicture.maxPieces + 1).joined())
        #expect(throws: PictureError.tooManyParts) { try clean(Array(whole + original[20...])) }
    }
}
