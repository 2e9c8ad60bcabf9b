import TLSCodec

/// `opaque BlobID[32]`: random bytes chosen by the blob's sender. The type is not `CustomStringConvertible`, because an id does
/// not belong in a log.
public struct BlobID: Hashable, Sendable, TLSCodable {
    let value: Bytes32

    /// Creates an id from 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard let value = Bytes32(bytes) else { return nil }
        self.value = value
    }

    /// A fresh random id.
    public static func random() -> BlobID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A fresh id from `generator`.
    package static func random(using generator: inout some RandomNumberGenerator) -> BlobID {
        BlobID(value: .random(using: &generator))
    }

    private init(value: Bytes32) { self.value = value }

    /// The 32 bytes.
    public var bytes: [UInt8] { value.bytes }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { value.encode(into: &writer) }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { value = try Bytes32(from: &reader) }
}

/// A blob that a client wants to upload:
///
/// ```text
/// struct { BlobID id; Grant read; Grant write; uint64 size; uint32 lifetime_seconds; } NewBlob;
/// ```
public struct NewBlob: Hashable, Sendable, TLSCodable {
    /// The id.
    public let id: BlobID
    /// The grant of the token that a client needs to download the blob.
    public let read: Grant
    /// The grant of the token that a client needs to upload or delete the blob.
    public let write: Grant
    /// The size in bytes, at least 1.
    public let size: UInt64
    /// The requested time until the relay deletes the blob, in seconds. The relay's own limit may be shorter.
    public let lifetimeSeconds: UInt32

    /// Creates a value from its fields.
    public init(id: BlobID, read: Grant, write: Grant, size: UInt64, lifetimeSeconds: UInt32) {
        self.id = id
        self.read = read
        self.write = write
        self.size = size
        self.lifetimeSeconds = lifetimeSeconds
    }

    /// Writes the fields.
    public func encode(into writer: inout TLSWriter) {
        writer.write(id)
        writer.write(read)
        writer.write(write)
        writer.write(size)
        writer.write(lifetimeSeconds)
    }

    /// Reads the fields. Refuses a size of 0.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        id = try reader.read()
        read = try reader.read()
        write = try reader.read()
        size = try reader.readUInt64()
        guard size > 0 else { throw .unknownValue(field: "NewBlob.size", value: 0) }
        lifetimeSeconds = try reader.readUInt32()
    }
}
