/// The format of a picture whose metadata can be removed.
package enum PictureFormat: String, Hashable, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    case gif = "GIF"

    /// Recognizes a file's format by the first bytes. `nil` if the format is unknown.
    ///
    /// - Parameter start: at least 12 bytes, or the whole file.
    package init?(start: some Collection<UInt8>) {
        let start = Array(start.prefix(12))
        if start.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if start.starts(with: PNGCleaner.signature) {
            self = .png
        } else if start.starts(with: Array("GIF87a".utf8)) || start.starts(with: Array("GIF89a".utf8)) {
            self = .gif
        } else if start.starts(with: Array("RIFF".utf8)), start.dropFirst(8).elementsEqual("WEBP".utf8) {
            self = .webp
        } else {
            return nil
        }
    }
}

/// The reason why the metadata of a picture cannot be removed.
package enum PictureError: Error, Hashable, Sendable {
    /// The file ends within a part.
    case cutShort
    /// The file breaks the rules of its format.
    case malformed
    /// The file has more parts than ``CleanPicture/maxPieces``.
    case tooManyParts
}

/// A picture without its metadata. The image is never decoded. Each part of the file is kept, dropped or replaced.
package struct CleanPicture: Hashable, Sendable {
    /// A part of the clean picture.
    package enum Piece: Hashable, Sendable {
        /// The bytes of the original in this range.
        case source(Range<UInt64>)
        /// Bytes that are not in the original.
        case bytes([UInt8])
    }

    /// Maximum number of parts of a picture. A photograph has about 20 parts. An animation has a few parts for each frame.
    package static let maxPieces = 1 << 16

    /// The format.
    package let format: PictureFormat
    /// The parts, in order.
    package private(set) var pieces: [Piece] = []

    init(_ format: PictureFormat) { self.format = format }

    /// Removes the metadata of a picture: camera, place, time, comments, previews, and bytes after the picture's end.
    ///
    /// Keeps the colour profile and the orientation, because both affect the look of the picture.
    ///
    /// - Returns: `nil` if the file has none of the formats of ``PictureFormat``.
    /// - Throws: ``PictureError`` if the file breaks the rules of its format; the source's error if the source can't be read.
    package init?(removingMetadataFrom source: some ByteSource) throws {
        guard let format = PictureFormat(start: try source.bytes(in: 0..<min(12, source.size))) else { return nil }
        switch format {
        case .jpeg: self = try JPEGCleaner.clean(source)
        case .png: self = try PNGCleaner.clean(source)
        case .webp: self = try WebPCleaner.clean(source)
        case .gif: self = try GIFCleaner.clean(source)
        }
    }

    /// The size in bytes.
    package var size: UInt64 {
        pieces.reduce(0) { count, piece in
            switch piece {
            case .source(let range): count + UInt64(range.count)
            case .bytes(let bytes): count + UInt64(bytes.count)
            }
        }
    }

    mutating func keep(_ range: Range<UInt64>) throws(PictureError) {
        if case .source(let last) = pieces.last, last.upperBound == range.lowerBound {
            pieces[pieces.count - 1] = .source(last.lowerBound..<range.upperBound)
        } else {
            try append(.source(range))
        }
    }

    mutating func add(_ bytes: [UInt8]) throws(PictureError) { try append(.bytes(bytes)) }

    private mutating func append(_ piece: Piece) throws(PictureError) {
        guard pieces.count < Self.maxPieces else { throw .tooManyParts }
        pieces.append(piece)
    }

    /// The clean picture as one array.
    package func bytes(from source: some ByteSource) throws -> [UInt8] {
        try pieces.flatMap { piece in
            switch piece {
            case .source(let range): try source.bytes(in: range)
            case .bytes(let bytes): bytes
            }
        }
    }
}
