import TLSCodec

/// The stored name of a cursor.
struct CursorName: Hashable, Sendable {
    let text: String

    /// - Throws: ``KithError/cursor(_:)`` if the name is empty or longer than ``ClientLimits/cursorName``, or if the name
    ///   contains line breaks, repeated spaces, or spaces at its ends.
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
