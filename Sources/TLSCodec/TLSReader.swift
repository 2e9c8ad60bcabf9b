/// Reads values of the TLS presentation language (RFC 8446 §3) with the variable-length vectors of RFC 9420 §2.1.2.
///
/// Byte strings are returned as slices of the input, without a copy. No method reads past the end of the input. No method
/// allocates memory only because of a length in the input. After an error, the reader's position is undefined: discard the
/// reader.
public struct TLSReader: Sendable {
    /// The input. All positions are indices of this slice, also in nested readers.
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var position: Int
    @usableFromInline let end: Int

    /// Creates a reader of a whole array.
    @inlinable
    public init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    /// Creates a reader of a slice.
    @inlinable
    public init(_ slice: ArraySlice<UInt8>) {
        bytes = slice
        position = slice.startIndex
        end = slice.endIndex
    }

    /// Number of bytes that have not been read yet.
    @inlinable
    public var remaining: Int { end - position }

    /// Whether all bytes have been read.
    @inlinable
    public var isAtEnd: Bool { position == end }

    /// Throws ``TLSCodecError/trailingBytes(_:)`` unless all bytes have been read.
    @inlinable
    public func expectEnd() throws(TLSCodecError) {
        if position != end { throw .trailingBytes(end - position) }
    }

    // MARK: Numbers

    /// Reads a big-endian unsigned integer of the type's width.
    @inlinable
    public mutating func readInteger<T: FixedWidthInteger & UnsignedInteger>(
        _ type: T.Type = T.self
    ) throws(TLSCodecError) -> T {
        let width = T.bitWidth / 8
        guard remaining >= width else { throw .truncated }
        var value: T = 0
        for offset in 0..<width {
            value = (value << 8) | T(truncatingIfNeeded: bytes[position &+ offset])
        }
        position &+= width
        return value
    }

    /// Reads a `uint8`.
    @inlinable
    public mutating func readUInt8() throws(TLSCodecError) -> UInt8 {
        guard position < end else { throw .truncated }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// Reads a `uint16`.
    @inlinable
    public mutating func readUInt16() throws(TLSCodecError) -> UInt16 { try readInteger() }

    /// Reads a `uint32`.
    @inlinable
    public mutating func readUInt32() throws(TLSCodecError) -> UInt32 { try readInteger() }

    /// Reads a `uint64`.
    @inlinable
    public mutating func readUInt64() throws(TLSCodecError) -> UInt64 { try readInteger() }

    /// Reads the length that precedes a `<V>` vector: 1, 2 or 4 bytes, in the shortest form (RFC 9420 §2.1.2).
    @inlinable
    public mutating func readVarint() throws(TLSCodecError) -> Int {
        let first = try readUInt8()
        switch first >> 6 {
        case 0:
            return Int(first)
        case 1:
            let value = Int(first & 0x3f) << 8 | Int(try readUInt8())
            guard value >= 1 << 6 else { throw .nonMinimalLength }
            return value
        case 2:
            guard remaining >= 3 else { throw .truncated }
            let value =
                Int(first & 0x3f) << 24 | Int(bytes[position]) << 16 | Int(bytes[position &+ 1]) << 8
                | Int(bytes[position &+ 2])
            position &+= 3
            guard value >= 1 << 14 else { throw .nonMinimalLength }
            return value
        default:
            throw .invalidLengthPrefix
        }
    }

    // MARK: Bytes

    /// Reads exactly `count` bytes (an `opaque x[count]`) as a slice of the input.
    @inlinable
    public mutating func readBytes(_ count: Int) throws(TLSCodecError) -> ArraySlice<UInt8> {
        guard count >= 0, remaining >= count else { throw .truncated }
        let start = position
        position &+= count
        return bytes[start..<position]
    }

    /// Reads an `opaque x<V>` as a slice of the input.
    ///
    /// - Parameter limit: maximum length of the content, in bytes.
    @inlinable
    public mutating func readOpaque(limit: Int = .max) throws(TLSCodecError) -> ArraySlice<UInt8> {
        let count = try readVarint()
        guard count <= limit else { throw .tooLong(limit: limit) }
        return try readBytes(count)
    }

    /// Reads the length of a `<V>` vector. Returns a nested reader of the vector's content. The outer reader continues after the
    /// vector.
    ///
    /// - Parameter limit: maximum length of the content, in bytes.
    @inlinable
    public mutating func readNested(limit: Int = .max) throws(TLSCodecError) -> TLSReader {
        let count = try readVarint()
        guard count <= limit else { throw .tooLong(limit: limit) }
        guard remaining >= count else { throw .truncated }
        let start = position
        position &+= count
        return TLSReader(bytes[start..<position])
    }

    /// Calls `body`. Returns the result of `body`, and the bytes that `body` read. Check signatures and hashes over the returned
    /// bytes, never over a new encoding of the result.
    @inlinable
    public mutating func capturing<T>(
        _ body: (inout TLSReader) throws(TLSCodecError) -> T
    ) throws(TLSCodecError) -> (value: T, encoded: ArraySlice<UInt8>) {
        let start = position
        let value = try body(&self)
        return (value, bytes[start..<position])
    }

    // MARK: Structures

    /// Reads one value.
    @inlinable
    public mutating func read<T: TLSDecodable>(_ type: T.Type = T.self) throws(TLSCodecError) -> T {
        try T(from: &self)
    }

    /// Reads a `T x<V>`. The array grows by one with each decoded value, so a false length alone takes no memory.
    ///
    /// - Parameters:
    ///   - type: the type of the values.
    ///   - limit: maximum length of the content, in bytes.
    ///   - maximumCount: maximum number of values. The maximum bounds the memory, because a value can take much more memory than
    ///     its encoding.
    @inlinable
    public mutating func readVector<T: TLSDecodable>(
        of type: T.Type = T.self, limit: Int = .max, maximumCount: Int = .max
    ) throws(TLSCodecError) -> [T] {
        var nested = try readNested(limit: limit)
        var values: [T] = []
        while !nested.isAtEnd {
            guard values.count < maximumCount else { throw .tooLong(limit: maximumCount) }
            values.append(try T(from: &nested))
        }
        return values
    }

    /// Reads an `optional<T>` (RFC 9420 §2.1.1).
    @inlinable
    public mutating func readOptional<T: TLSDecodable>(_ type: T.Type = T.self) throws(TLSCodecError) -> T? {
        try readPresence() ? T(from: &self) : nil
    }

    /// Reads the presence octet of an `optional<T>`. Returns `true` if a value follows. The caller must then read the value.
    @inlinable
    public mutating func readPresence() throws(TLSCodecError) -> Bool {
        switch try readUInt8() {
        case 0: false
        case 1: true
        case let octet: throw .invalidPresence(octet)
        }
    }
}
