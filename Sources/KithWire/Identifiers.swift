import TLSCodec

/// 32 bytes, stored as four words. Values of this type are compared and hashed often, and words are faster than an array.
@usableFromInline
struct Bytes32: Hashable, Sendable {
    var words: (UInt64, UInt64, UInt64, UInt64)

    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    static func random(using generator: inout some RandomNumberGenerator) -> Bytes32 {
        var value = Bytes32(words: (0, 0, 0, 0))
        value.words = (generator.next(), generator.next(), generator.next(), generator.next())
        return value
    }

    private init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    @usableFromInline
    static func == (left: Bytes32, right: Bytes32) -> Bool {
        // All words are compared, without an early exit: grants use this operator, and its time must not reveal how much of a
        // guess matched.
        (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
            | (left.words.3 ^ right.words.3) == 0
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    func encode(into writer: inout TLSWriter) {
        withUnsafeBytes(of: words) { writer.writeBytes($0) }
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        guard let value = Bytes32(try reader.readBytes(32)) else { throw .truncated }
        self = value
    }
}

/// `opaque ChannelID[32]`: random bytes chosen by the channel's creator. The type is not `CustomStringConvertible`, because an id
/// does not belong in a log.
public struct ChannelID: Hashable, Sendable, TLSCodable {
    let value: Bytes32

    /// Creates an id from 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard let value = Bytes32(bytes) else { return nil }
        self.value = value
    }

    /// A fresh random id.
    public static func random() -> ChannelID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A fresh id from `generator`.
    package static func random(using generator: inout some RandomNumberGenerator) -> ChannelID {
        ChannelID(value: .random(using: &generator))
    }

    private init(value: Bytes32) { self.value = value }

    /// The 32 bytes.
    public var bytes: [UInt8] { value.bytes }

    /// The first byte. The values of this byte are evenly distributed, so a table of channels can use it as a hash.
    package var firstByte: UInt8 { withUnsafeBytes(of: value.words) { $0[0] } }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { value.encode(into: &writer) }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { value = try Bytes32(from: &reader) }
}

/// `opaque EntryID[16]`: random bytes chosen by the sender. An entry that is sent again keeps its id.
public struct EntryID: Hashable, Sendable, TLSCodable {
    let high: UInt64
    let low: UInt64

    /// Creates an id from 16 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        func word(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        high = word(bytes.prefix(8))
        low = word(bytes.dropFirst(8))
    }

    /// A fresh random id.
    public static func random() -> EntryID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A fresh id from `generator`.
    package static func random(using generator: inout some RandomNumberGenerator) -> EntryID {
        EntryID(high: generator.next(), low: generator.next())
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The 16 bytes.
    public var bytes: [UInt8] { encoded }

    /// Writes the 16 bytes.
    public func encode(into writer: inout TLSWriter) {
        writer.write(high)
        writer.write(low)
    }

    /// Reads 16 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        high = try reader.readUInt64()
        low = try reader.readUInt64()
    }
}
