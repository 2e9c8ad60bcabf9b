import Testing

@testable import ImageMetadata

@Suite struct PictureSizeTests {
    @Test("the size of every format is read from the header", arguments: pictureNames)
    func formats(name: String) throws {
        #expect(PictureSize(of: try picture(name)) == PictureSize(width: 24, height: 16))
    }

    @Test(
        "an orientation that turns a JPEG picture on its side swaps width and height",
        arguments: 1...8 as ClosedRange<UInt8>)
    func orientation(value: UInt8) throws {
        let exif = Array("Exif\0\0".utf8) + [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value]
        let segment = [0xff, 0xe1, 0, UInt8(exif.count + 6)] + exif + [0, 0, 0, 0]
        let turned = Array(try picture("restarts.jpg")[..<2]) + segment + (try picture("restarts.jpg")[2...])
        let size = value >= 5 ? PictureSize(width: 16, height: 24) : PictureSize(width: 24, height: 16)
        #expect(PictureSize(of: turned) == size)
    }

    @Test("lossless and extended WebP headers state the size minus one")
    func webP() {
        let start = Array("RIFF\0\0\0\0WEBP".utf8)
        // 300 - 1 in 14 bits, and 200 - 1 in the next 14.
        let bits: UInt32 = 299 | 199 << 14
        let lossless = start + Array("VP8L\0\0\0\0".utf8) + [0x2f] + (0..<4).map { UInt8(bits >> ($0 * 8) & 0xff) }
        #expect(PictureSize(of: lossless) == PictureSize(width: 300, height: 200))
        let extended = start + Array("VP8X\u{0a}\0\0\0".utf8) + [0, 0, 0, 0, 0x2b, 1, 0, 0xc7, 0, 0]
        #expect(PictureSize(of: extended) == PictureSize(width: 300, height: 200))
    }

    @Test("a damaged header, a side of 0 and other formats have no size")
    func none() throws {
        for name in pictureNames {
            let original = try picture(name)
            for count in 0..<10 { #expect(PictureSize(of: Array(original[..<count])) == nil, "\(name), \(count)") }
        }
        var flat = try picture("plain.png")
        flat.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        #expect(PictureSize(of: flat) == nil)
        #expect(PictureSize(of: Array("%PDF-1.7 and more".utf8)) == nil)
        var endless: [UInt8] = [0xff, 0xd8]
        for _ in 0..<2_000 { endless += [0xff, 0xe2, 0, 2] }
        #expect(PictureSize(of: endless) == nil)
    }
}

@Suite struct PreviewPictureTests {
    @Test(
        "JPEG and WebP pictures are accepted, without bytes behind their end",
        arguments: ["restarts.jpg", "plain.webp"])
    func accepted(name: String) throws {
        let original = try picture(name)
        let preview = try #require(PreviewPicture(checking: original + Array("hidden".utf8)))
        #expect(preview.bytes == original && preview.size == PictureSize(width: 24, height: 16))
        #expect(preview.format.mediaType == (name.hasSuffix("jpg") ? "image/jpeg" : "image/webp"))
    }

    @Test("other formats, animations, damaged and large pictures are refused")
    func refused() throws {
        for name in ["plain.png", "plain.gif", "animation.webp"] {
            #expect(PreviewPicture(checking: try picture(name)) == nil, "\(name)")
        }
        let original = try picture("restarts.jpg")
        #expect(PreviewPicture(checking: Array(original.dropLast())) == nil)
        #expect(PreviewPicture(checking: []) == nil && PreviewPicture(checking: Array("no picture".utf8)) == nil)
        let frame = try #require(original.indices.first { original[$0...].starts(with: [0xff, 0xc0]) })
        for (side, isAccepted) in [(512, true), (513, false)] as [(UInt16, Bool)] {
            var large = original
            (large[frame + 5], large[frame + 6]) = (UInt8(side >> 8), UInt8(side & 0xff))
            #expect((PreviewPicture(checking: large) != nil) == isAccepted, "\(side)")
        }
    }
}
