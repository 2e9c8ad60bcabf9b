/// A value that has an encoding in the TLS presentation language.
public protocol TLSEncodable {
    /// Appends the value's encoding to the writer.
    func encode(into writer: inout TLSWriter)
}

/// A value that can be read from its encoding in the TLS presentation language.
public protocol TLSDecodable {
    /// Reads the value. Afterwards, the reader's position is directly after the value.
    ///
    /// - Throws: ``TLSCodecError`` if the bytes do not encode a value of this type.
    init(from reader: inout TLSReader) throws(TLSCodecError)
}

/// A value that can be written and read in the TLS presentation language.
public typealias TLSCodable = TLSDecodable & TLSEncodable

extension TLSEncodable {
    /// The value's encoding.
    public var encoded: [UInt8] {
        var writer = TLSWriter()
        encode(into: &writer)
        return writer.bytes
    }
}

extension TLSDecodable {
    /// Decodes a value from the whole of `bytes`.
    ///
    /// - Throws: ``TLSCodecError`` if the bytes do not encode a value of this type, or if bytes are left over.
    public init(decoding bytes: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(bytes)
        self = try Self(from: &reader)
        try reader.expectEnd()
    }

    /// Decodes a value from the whole of `bytes`.
    ///
    /// - Throws: ``TLSCodecError`` if the bytes do not encode a value of this type, or if bytes are left over.
    public init(decoding bytes: ArraySlice<UInt8>) throws(TLSCodecError) {
        var reader = TLSReader(bytes)
        self = try Self(from: &reader)
        try reader.expectEnd()
    }
}

extension UInt8: TLSCodable {}
extension UInt16: TLSCodable {}
extension UInt32: TLSCodable {}
extension UInt64: TLSCodable {}

extension TLSEncodable where Self: FixedWidthInteger & UnsignedInteger {
    /// Writes the number in big-endian order.
    public func encode(into writer: inout TLSWriter) { writer.write(self) }
}

extension TLSDecodable where Self: FixedWidthInteger & UnsignedInteger {
    /// Reads a big-endian number.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { self = try reader.readInteger() }
}
