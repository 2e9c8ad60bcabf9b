import TLSCodec

extension ConversationStatus: TLSCodable {
    /// Reads a stored status.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 0: self = .preparing
        case 1: self = .active
        case 2: self = .removed(by: try reader.readText(limit: .max))
        case 3: self = .left
        case 4: self = .stopped(seq: try reader.readUInt64(), reason: try reader.readEnum("StopReason"))
        case 5:
            self = .replaced(
                by: try reader.readText(limit: .max), device: try reader.readText(limit: .max),
                seq: try reader.readUInt64())
        case let other: throw .unknownValue(field: "ConversationStatus", value: UInt64(other))
        }
    }

    /// Writes the status for the store.
    public func encode(into writer: inout TLSWriter) {
        switch self {
        case .preparing: writer.write(UInt8(0))
        case .active: writer.write(UInt8(1))
        case .removed(let by):
            writer.write(UInt8(2))
            writer.writeText(by)
        case .left: writer.write(UInt8(3))
        case .stopped(let seq, let reason):
            writer.write(UInt8(4))
            writer.write(seq)
            writer.write(reason.rawValue)
        case .replaced(let by, let device, let seq):
            writer.write(UInt8(5))
            writer.writeText(by)
            writer.writeText(device)
            writer.write(seq)
        }
    }
}

extension TLSWriter {
    /// Writes a Boolean as one byte, 0 or 1, which can be read as a presence octet.
    mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }
}

extension ConversationStatus {
    /// Whether the conversation is being created or is active.
    var isOpen: Bool {
        switch self {
        case .preparing, .active: true
        case .removed, .replaced, .left, .stopped: false
        }
    }

    /// Whether a member has removed this device, or has replaced it by another device.
    var isRemoval: Bool {
        switch self {
        case .removed, .replaced: true
        case .preparing, .active, .left, .stopped: false
        }
    }
}
