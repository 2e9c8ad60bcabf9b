/// Writes values of the TLS presentation language with the variable-length vectors of RFC 9420 §2.1.2.
public struct TLSWriter: Sendable {
    /// The longest vector that a length can express: 2³⁰ − 1 bytes.
    public static let maximumVectorLength = 1 << 30 - 1

    @usableFromInline var storage: [UInt8]

    /// The bytes written so far.
    @inlinable
    public var bytes: [UInt8] { storage }

    /// Creates an empty writer.
    ///
    /// - Parameter capacity: number of bytes to reserve at the start.
    @inlinable
    public init(capacity: Int = 0) {
        storage = []
        storage.reserveCapacity(capacity)
    }

    /// Removes all written bytes. Keeps the storage for later bytes.
    ///
    /// - Parameter limit: maximum size of kept storage, in bytes. Storage of more than `limit` bytes is released.
    public mutating func removeAll(keepingUpTo limit: Int = .max) {
        if storage.capacity > limit { storage = [] } else { storage.removeAll(keepingCapacity: true) }
    }

    // MARK: Numbers

    /// Writes a big-endian unsigned integer of the type's width.
    @inlinable
    public mutating func write<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        withUnsafeBytes(of: value.bigEndian) { storage.append(contentsOf: $0) }
    }

    /// Writes the length of a `<V>` vector in its shortest form (RFC 9420 §2.1.2).
    ///
    /// - Precondition: `length` is from 0 to ``maximumVectorLength``. Every caller bounds the length of a value before encoding.
    ///   A larger `length` is a programming error.
    @inlinable
    public mutating func writeVarint(_ length: Int) {
        precondition((0...Self.maximumVectorLength).contains(length), "a vector longer than 2^30 - 1 bytes")
        if length < 1 << 6 {
            storage.append(UInt8(length))
        } else if length < 1 << 14 {
            write(UInt16(length) | 0x4000)
        } else {
            write(UInt32(length) | 0x8000_0000)
        }
    }

    // MARK: Bytes

    /// Writes the bytes without a length (an `opaque x[n]`).
    @inlinable
    public mutating func writeBytes(_ content: some Collection<UInt8>) {
        storage.append(contentsOf: content)
    }

    /// Writes an `opaque x<V>`.
    @inlinable
    public mutating func writeOpaque(_ content: some Collection<UInt8>) {
        writeVarint(content.count)
        storage.append(contentsOf: content)
    }

    // MARK: Structures

    /// Writes one value.
    @inlinable
    public mutating func write(_ value: some TLSEncodable) {
        value.encode(into: &self)
    }

    /// Writes a `T x<V>`.
    @inlinable
    public mutating func writeVector<T: TLSEncodable>(_ values: some Sequence<T>) {
        writeNested { writer in
            for value in values { value.encode(into: &writer) }
        }
    }

    /// Writes a `<V>` vector. `body` writes the vector's content.
    @inlinable
    public mutating func writeNested(_ body: (inout TLSWriter) throws -> Void) rethrows {
        let start = storage.count
        // Most vectors are short, so one byte is reserved for the length. The content moves only if the length needs more bytes.
        storage.append(0)
        try body(&self)
        let length = storage.count - start - 1
        if length < 1 << 6 { storage[start] = UInt8(length) } else { setLongLength(length, at: start) }
    }

    /// Writes a vector's length in two or four bytes. The length replaces the one byte that was reserved.
    @usableFromInline
    mutating func setLongLength(_ length: Int, at start: Int) {
        precondition(length <= Self.maximumVectorLength, "a vector longer than 2^30 - 1 bytes")
        if length < 1 << 14 {
            storage.replaceSubrange(start...start, with: [UInt8(length >> 8) | 0x40, UInt8(length & 0xff)])
        } else {
            let prefix = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) | ($0 == 0 ? 0x80 : 0) }
            storage.replaceSubrange(start...start, with: prefix)
        }
    }

    /// Writes an `optional<T>` (RFC 9420 §2.1.1).
    @inlinable
    public mutating func writeOptional(_ value: (some TLSEncodable)?) {
        guard let value else {
            storage.append(0)
            return
        }
        storage.append(1)
        value.encode(into: &self)
    }
}
