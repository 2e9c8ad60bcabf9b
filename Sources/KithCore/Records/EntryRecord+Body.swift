import TLSCodec

extension EntryRecord.Body: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .text(MessageText(try reader.readText(limit: .max)))
        case 2: self = .notices(try reader.readVector())
        case 3:
            let (kind, bytes) = (try reader.readUInt16(), Array(try reader.readOpaque()))
            self = Self(kept: kind, bytes) ?? .unknown(kind: kind, bytes)
        case 4: self = .expired
        case 5: self = .text(try reader.read())
        case 6: self = .deleted
        case 8: self = .deletedHere
        case 7:
            self = .change(
                EntryRecord.ChangeNote(
                    kind: try reader.readEnum("EntryRecord.ChangeNote.kind"), target: try reader.readUInt64(),
                    isApplied: try reader.readPresence()))
        case 16: self = .files(try reader.read())
        case let other: throw .unknownValue(field: "EntryRecord.body", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        switch self {
        case .text(let text) where text.mentions.isEmpty:
            writer.write(UInt8(1))
            writer.writeText(text.text)
        case .text(let text):
            writer.write(UInt8(5))
            writer.write(text)
        case .notices(let notices):
            writer.write(UInt8(2))
            writer.writeVector(notices)
        case .unknown(let kind, let bytes):
            writer.write(UInt8(3))
            writer.write(kind)
            writer.writeOpaque(bytes)
        case .expired: writer.write(UInt8(4))
        case .files(let files):
            writer.write(UInt8(16))
            writer.write(files)
        case .deleted: writer.write(UInt8(6))
        case .deletedHere: writer.write(UInt8(8))
        case .change(let note):
            writer.write(UInt8(7))
            writer.write(note.kind.rawValue)
            writer.write(note.target)
            writer.write(note.isApplied)
        }
    }
}
