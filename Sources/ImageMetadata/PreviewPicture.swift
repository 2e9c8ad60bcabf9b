/// A small picture that shows what a larger one looks like: a JPEG or WebP file without metadata.
///
/// The program that made it may have been taken over by a hostile picture, and the sender of a received one is another person. So
/// only a file whose container and stated size are those of a small picture is accepted. The image is not decoded.
package struct PreviewPicture: Hashable, Sendable {
    /// The longest side, in pixels. Senders make smaller previews; the limit bounds the work of a viewer.
    package static let longestSide: UInt32 = 512

    /// The format: JPEG or WebP.
    package let format: PictureFormat
    package let size: PictureSize
    /// The file.
    package let bytes: [UInt8]

    /// Checks a file, and removes its metadata.
    ///
    /// - Returns: `nil` if the file is no picture of the two formats, is damaged, is larger than ``longestSide``, or is an
    ///   animation.
    package init?(checking file: [UInt8]) {
        guard let clean = try? CleanPicture(removingMetadataFrom: file), clean.format == .jpeg || clean.format == .webp,
            let bytes = try? clean.bytes(from: file), let size = PictureSize(of: bytes),
            max(size.width, size.height) <= Self.longestSide, !Self.isAnimation(bytes, clean.format)
        else { return nil }
        (format, self.size, self.bytes) = (clean.format, size, bytes)
    }

    /// Whether a clean picture is a WebP animation: its extended header has the flag for animations (RFC 9649 §2.7).
    private static func isAnimation(_ bytes: [UInt8], _ format: PictureFormat) -> Bool {
        format == .webp && bytes.dropFirst(12).starts(with: Array("VP8X".utf8)) && bytes[20] & 0x02 != 0
    }
}

extension PictureFormat {
    /// The format's media type.
    package var mediaType: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .webp: "image/webp"
        case .gif: "image/gif"
        }
    }

    /// The usual end of a file's name, without a dot.
    package var fileExtension: String { self == .jpeg ? "jpg" : rawValue.lowercased() }
}
