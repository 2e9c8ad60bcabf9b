/// Bytes with random access: a file, or an array in memory.
package protocol ByteSource {
    /// The number of bytes.
    var size: UInt64 { get }

    /// Returns the bytes in a range. The range must lie within ``size``.
    ///
    /// - Throws: the source's error if the source can't be read or has become shorter.
    func bytes(in range: Range<UInt64>) throws -> [UInt8]
}

extension [UInt8]: ByteSource {
    package var size: UInt64 { UInt64(count) }

    package func bytes(in range: Range<UInt64>) throws -> [UInt8] {
        Array(self[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}

/// Reads a source from start to end, through a window in memory.
struct SourceReader<Source: ByteSource> {
    private static var windowSize: UInt64 { 65_536 }

    private let source: Source
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    /// The place of the next byte.
    private(set) var offset: UInt64 = 0
    /// The end of the part that is read.
    let end: UInt64

    init(_ source: Source) { self.init(source, in: 0..<source.size) }

    init(_ source: Source, in range: Range<UInt64>) {
        self.source = source
        offset = range.lowerBound
        windowStart = range.lowerBound
        end = range.upperBound
    }

    var remaining: UInt64 { end - offset }

    /// Reads the next byte.
    mutating func readUInt8() throws -> UInt8 {
        try fill()
        defer { offset += 1 }
        return window[Int(offset - windowStart)]
    }

    /// Reads the next bytes.
    mutating func readBytes(_ count: Int) throws -> [UInt8] {
        guard UInt64(count) <= remaining else { throw PictureError.cutShort }
        defer { offset += UInt64(count) }
        return try source.bytes(in: offset..<offset + UInt64(count))
    }

    mutating func skip(_ count: UInt64) throws(PictureError) {
        guard count <= remaining else { throw .cutShort }
        offset += count
    }

    /// Moves to the next byte with the given value. If no byte with this value follows, moves to the end.
    mutating func skip(to value: UInt8) throws {
        while remaining > 0 {
            try fill()
            if let index = window[Int(offset - windowStart)...].firstIndex(of: value) {
                offset = windowStart + UInt64(index)
                return
            }
            offset = windowStart + UInt64(window.count)
        }
    }

    /// If the window does not contain the next byte, reads a new window.
    private mutating func fill() throws {
        guard remaining > 0 else { throw PictureError.cutShort }
        if offset >= windowStart, offset < windowStart + UInt64(window.count) { return }
        window = try source.bytes(in: offset..<offset + min(Self.windowSize, remaining))
        windowStart = offset
    }
}

extension SourceReader {
    mutating func readBigEndian16() throws -> UInt16 {
        try readBytes(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func readBigEndian32() throws -> UInt32 {
        try readBytes(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func readLittleEndian32() throws -> UInt32 {
        try readBytes(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
