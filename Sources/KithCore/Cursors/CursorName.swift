import TLSCodec

/// The name of a cursor, as stored.
struct CursorName: Hashable, Sendable {
    let text: String

    /// - Throws: ``KithError/cursor(_:)`` for a name that is empty, longer than ``ClientLimits/cursorName``, or not a trimmed
    ///   line with single spaces.
    init(_ text: String) throws(KithError) {
        guard (1...ClientLimits.cursorName).contains(text.utf8.count), text == text.trimmedOneLine else {
            throw .cursor(.name(limit: ClientLimits.cursorName))
        }
        self.text = text
    }

    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: text.utf8.count + 4)
        writer.write(Self.version)
        writer.writeText(text)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "CursorName.version", value: UInt64(version)) }
        text = try reader.readText(limit: ClientLimits.cursorName)
        try reader.expectEnd()
    }
}
