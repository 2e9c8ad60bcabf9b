import KithWire
import TLSCodec

extension Notice: TLSCodable {
    /// Reads a stored notice.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .began(by: try reader.readText(limit: .max))
        case 2: self = .added(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 3: self = .removed(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 4: self = .left(try reader.readText(limit: .max))
        case 5: self = .renamed(try reader.readText(limit: .max), by: try reader.readText(limit: .max))
        case 6: self = .renewed(by: try reader.readText(limit: .max))
        case 7:
            self = .unreadable(
                try reader.readEnum("UnreadableReason"),
                from: try reader.readPresence() ? try reader.readText(limit: .max) : nil)
        case 9:
            self = .unreadable(
                try reader.readEnum("UnreadableReason"),
                from: try reader.readPresence() ? try reader.readText(limit: .max) : nil,
                count: Int(try reader.readUInt32()))
        case 8: self = .missed(first: try reader.readUInt64(), last: try reader.readUInt64())
        case 10: self = .declined(by: try reader.readText(limit: .max))
        case 13: self = .pinned(seq: try reader.readUInt64(), by: try reader.readText(limit: .max))
        case 11: self = .unpinned(seq: try reader.readUInt64(), by: try reader.readText(limit: .max))
        case 12: self = .timer(seconds: try reader.readOptional(), by: try reader.readText(limit: .max))
        case 14: self = .calledNow(try reader.readText(limit: .max), now: try reader.readText(limit: .max))
        case let other: throw .unknownValue(field: "Notice", value: UInt64(other))
        }
    }

    /// Writes the notice for the store.
    public func encode(into writer: inout TLSWriter) {
        func write(_ kind: UInt8, _ texts: String...) {
            writer.write(kind)
            for text in texts { writer.writeText(text) }
        }
        func write(_ kind: UInt8, _ seq: UInt64, _ by: String) {
            writer.write(kind)
            writer.write(seq)
            writer.writeText(by)
        }
        switch self {
        case .began(let by): write(1, by)
        case .added(let who, let by): write(2, who, by)
        case .removed(let who, let by): write(3, who, by)
        case .left(let who): write(4, who)
        case .renamed(let title, let by): write(5, title, by)
        case .renewed(let by): write(6, by)
        case .calledNow(let before, let now): write(14, before, now)
        case .declined(let by): write(10, by)
        case .unreadable(let reason, let from, let count):
            writer.write(UInt8(9))
            writer.write(reason.rawValue)
            writer.write(from != nil)
            if let from { writer.writeText(from) }
            writer.write(UInt32(clamping: count))
        case .missed(let first, let last):
            writer.write(UInt8(8))
            writer.write(first)
            writer.write(last)
        case .pinned(let seq, let by): write(13, seq, by)
        case .unpinned(let seq, let by): write(11, seq, by)
        case .timer(let seconds, let by):
            writer.write(UInt8(12))
            writer.writeOptional(seconds)
            writer.writeText(by)
        }
    }
}

extension Warning: TLSCodable {
    /// Reads a stored warning.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .differentLogs(first: try reader.readUInt64(), last: try reader.readUInt64())
        case 2: self = .missingBefore(Int(try reader.readUInt32()))
        case 3: self = .notKept(seq: try reader.readUInt64())
        case 4: self = .oldWelcome
        case 5: self = .inviteUsedAgain
        case 6: self = .longerThanRelayTakes(try reader.read(), limit: try reader.readUInt64())
        case 7:
            self = .invitationWaits(
                for: try reader.readText(limit: .max), try reader.readEnum("InvitationObstacle"))
        case 8: self = .heldBack(through: try reader.readUInt64())
        case 9: self = .notSentToBlocked(try reader.read())
        case let other: throw .unknownValue(field: "Warning", value: UInt64(other))
        }
    }

    /// Writes the warning for the store.
    public func encode(into writer: inout TLSWriter) {
        switch self {
        case .differentLogs(let first, let last):
            writer.write(UInt8(1))
            writer.write(first)
            writer.write(last)
        case .missingBefore(let count):
            writer.write(UInt8(2))
            writer.write(UInt32(clamping: count))
        case .notKept(let seq):
            writer.write(UInt8(3))
            writer.write(seq)
        case .oldWelcome: writer.write(UInt8(4))
        case .inviteUsedAgain: writer.write(UInt8(5))
        case .longerThanRelayTakes(let entry, let limit):
            writer.write(UInt8(6))
            writer.write(entry)
            writer.write(limit)
        case .invitationWaits(let name, let obstacle):
            writer.write(UInt8(7))
            writer.writeText(name)
            writer.write(obstacle.rawValue)
        case .heldBack(let seq):
            writer.write(UInt8(8))
            writer.write(seq)
        case .notSentToBlocked(let entry):
            writer.write(UInt8(9))
            writer.write(entry)
        }
    }
}
