import TLSCodec

/// The effect of an entry on its channel.
public enum EntryKind: UInt8, Sendable, TLSCodable {
    /// A message. A message does not change the channel's epoch.
    case message = 1
    /// A turn. A turn ends its epoch. Later entries belong to the next epoch.
    case turn = 2

    /// Writes one byte.
    public func encode(into writer: inout TLSWriter) { writer.write(rawValue) }

    /// Reads one byte and refuses a kind that version 1 of the protocol does not define.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt8()
        guard let kind = EntryKind(rawValue: value) else {
            throw .unknownValue(field: "EntryKind", value: UInt64(value))
        }
        self = kind
    }
}

/// One numbered record of a channel.
///
/// `struct { uint64 seq; uint64 epoch; EntryKind kind; uint64 receivedAtMs; EntryID id; opaque payload<V>; } Entry;`
public struct Entry: Hashable, Sendable, TLSCodable {
    /// The entry's position in the channel. Positions start at 1 and have no gaps.
    public let seq: UInt64
    /// The epoch in which the entry was appended. A turn belongs to the epoch that it ends.
    public let epoch: UInt64
    /// Message or turn.
    public let kind: EntryKind
    /// The time at which the relay accepted the entry, in milliseconds since 1970 by the relay's clock.
    public let receivedAtMs: UInt64
    /// The id that the sender chose.
    public let id: EntryID
    /// The members' content, which the relay cannot read. At most ``WireLimits/payload`` bytes.
    public let payload: ArraySlice<UInt8>

    /// Creates an entry from its fields.
    public init(
        seq: UInt64, epoch: UInt64, kind: EntryKind, receivedAtMs: UInt64, id: EntryID, payload: ArraySlice<UInt8>
    ) {
        self.seq = seq
        self.epoch = epoch
        self.kind = kind
        self.receivedAtMs = receivedAtMs
        self.id = id
        self.payload = payload
    }

    /// Upper bound of the encoded size, in bytes.
    package var maximumEncodedSize: Int { 8 + 8 + 1 + 8 + 16 + 4 + payload.count }

    /// Writes the fields in order.
    public func encode(into writer: inout TLSWriter) {
        writer.write(seq)
        writer.write(epoch)
        writer.write(kind)
        writer.write(receivedAtMs)
        writer.write(id)
        writer.writeOpaque(payload)
    }

    /// Reads the fields in order.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        seq = try reader.readUInt64()
        epoch = try reader.readUInt64()
        kind = try reader.read()
        receivedAtMs = try reader.readUInt64()
        id = try reader.read()
        payload = try reader.readOpaque(limit: WireLimits.payload)
    }
}
