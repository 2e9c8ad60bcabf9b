import KithWire
import TLSCodec

/// A request about files. Another process of this user has left the request for the process that has opened the profile.
enum FileRequest: Hashable, Sendable {
    /// Sends files. The values are the id of the future message, the conversation, its channel, and the files.
    case send(EntryID, ConversationID, ChannelID, OutgoingFiles)
    /// Downloads a file.
    case fetch(FilePlace)

    /// The conversation that the request concerns.
    var conversation: ConversationID {
        switch self {
        case .send(_, let conversation, _, _): conversation
        case .fetch(let place): place.conversation
        }
    }

    /// The files in the profile's folder that the request sends.
    var spools: [TransferID] { if case .send(_, _, _, let files) = self { files.spools } else { [] } }

    /// The first byte of a stored request. The requests of ``SendRequest`` begin with smaller numbers.
    static let mark: UInt8 = 0xf1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 256)
        writer.write(Self.mark)
        switch self {
        case .send(let entry, let conversation, let channel, let files):
            writer.write(UInt8(1))
            writer.write(entry)
            writer.write(conversation.rawValue)
            writer.write(channel)
            writer.write(files)
        case .fetch(let place):
            writer.write(UInt8(2))
            writer.writeOpaque(place.encoded)
        }
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let mark = try reader.readUInt8()
        guard mark == Self.mark else { throw .unknownValue(field: "FileRequest", value: UInt64(mark)) }
        switch try reader.readUInt8() {
        case 1:
            self = .send(
                try reader.read(), ConversationID(rawValue: try reader.readUInt64()), try reader.read(),
                try reader.read())
        case 2: self = .fetch(try FilePlace(stored: Array(try reader.readOpaque())))
        case let other: throw .unknownValue(field: "FileRequest.kind", value: UInt64(other))
        }
        try reader.expectEnd()
    }
}
