import TLSCodec

/// A cursor's stored place in the log of one conversation.
struct CursorPlace: Hashable, Sendable {
    /// The seq of the last acknowledged entry. All earlier entries count as acknowledged too.
    private(set) var acknowledged: UInt64
    /// The seq of the last delivered entry. It is never less than ``acknowledged``.
    private(set) var delivered: UInt64

    /// Creates a place. All entries up to `seq` count as delivered and acknowledged.
    init(doneThrough seq: UInt64 = 0) {
        acknowledged = seq
        delivered = seq
    }

    /// Notes the delivery of an entry.
    ///
    /// - Returns: whether the place has changed.
    mutating func didDeliver(_ seq: UInt64) -> Bool {
        guard seq > delivered else { return false }
        delivered = seq
        return true
    }

    /// Notes that all entries up to a seq were acknowledged. If the entry with this seq was never delivered, nothing changes.
    ///
    /// - Returns: whether the place has changed.
    mutating func didAcknowledge(_ seq: UInt64) -> Bool {
        guard seq > acknowledged, seq <= delivered else { return false }
        acknowledged = seq
        return true
    }

    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 17)
        writer.write(Self.version)
        writer.write(acknowledged)
        writer.write(delivered)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "CursorPlace.version", value: UInt64(version)) }
        acknowledged = try reader.readUInt64()
        delivered = try reader.readUInt64()
        guard acknowledged <= delivered else { throw .unknownValue(field: "CursorPlace.delivered", value: delivered) }
        try reader.expectEnd()
    }
}
