import TLSCodec

/// The records in which a backup contains files. The parts of a file come first, in order, and then a record with the file's
/// place. The parts contain the file as it is in the profile's folder: encrypted with the key that is in the message.
package enum BackupFileRecord: Hashable, Sendable {
    /// A part of a file, and its offset in the file.
    case part(TransferID, offset: UInt64, [UInt8])
    /// The file is complete. The second value is the file's place in its conversation.
    case end(TransferID, FilePlace)

    /// The numbers of these kinds. No kind of ``BackupRecord`` has the same number.
    static let partKind: UInt8 = 32
    static let endKind: UInt8 = 33
    private static let version: UInt8 = 1

    package var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 64)
        writer.write(Self.version)
        switch self {
        case .part(let id, let offset, let bytes):
            writer.write(Self.partKind)
            writer.write(id.rawValue)
            writer.write(offset)
            writer.writeOpaque(bytes)
        case .end(let id, let place):
            writer.write(Self.endKind)
            writer.write(id.rawValue)
            writer.writeOpaque(place.encoded)
        }
        return writer.bytes
    }

    /// Reads a record.
    ///
    /// - Returns: the record; `nil` if it contains no file.
    /// - Throws: `TLSCodecError` if the record cannot be parsed.
    package static func decode(_ bytes: [UInt8]) throws(TLSCodecError) -> BackupFileRecord? {
        var reader = TLSReader(bytes)
        guard try reader.readUInt8() == version else { return nil }
        let record: BackupFileRecord
        switch try reader.readUInt8() {
        case partKind:
            record = .part(
                TransferID(rawValue: try reader.readUInt64()), offset: try reader.readUInt64(),
                Array(try reader.readOpaque()))
        case endKind:
            record = .end(
                TransferID(rawValue: try reader.readUInt64()),
                try FilePlace(stored: Array(try reader.readOpaque())))
        default: return nil
        }
        try reader.expectEnd()
        return record
    }
}

extension FileViews {
    /// Returns the files that are complete on this device, with the sizes of their ciphertexts, in bytes.
    package func keptFiles() throws(KithError) -> [(place: FilePlace, id: TransferID, size: UInt64)] {
        var kept: [(FilePlace, TransferID, UInt64)] = []
        for row in try storedFiles() {
            let place = FilePlace(conversation: ConversationID(rawValue: row.owner), item: row.item)
            // The message may have expired.
            guard let content = try? content(of: place), case .kept(let id, let reference) = content.bytes else {
                continue
            }
            kept.append((place, id, reference.layout.sealedSize))
        }
        return kept
    }
}
