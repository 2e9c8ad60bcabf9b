import KithWire
import TLSCodec

// The stored form of a contact: a version, followed by the fields.
extension Contact {
    private static let version: UInt8 = 4

    var stored: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        writer.writeText(name)
        writer.write(accountKey)
        writer.write(trust.rawValue)
        writer.writeOptional(conflictingKey)
        writer.writeOptional(inbox)
        writer.writeOptional(registeredName)
        writer.write(isStranger)
        writer.write(isBlocked)
        writer.write(formerDevices)
        writer.write(ownName != nil)
        if let ownName { writer.writeText(ownName) }
        writer.writeOptional(groupRequest)
        writer.write(waitingText != nil)
        if let waitingText { writer.writeText(waitingText) }
        return writer.bytes
    }

    init(id: ContactID, stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "Contact.version", value: UInt64(version))
        }
        self.id = id
        name = try reader.readText(limit: .max)
        accountKey = try reader.read()
        trust = try reader.readEnum("Trust")
        conflictingKey = try reader.readOptional()
        inbox = try reader.readOptional()
        registeredName = try reader.readOptional()
        isStranger = version == 1 ? false : try reader.readPresence()
        isBlocked = version < 3 ? false : try reader.readPresence()
        if version > 3 {
            formerDevices = try reader.read()
            if try reader.readPresence() { ownName = try reader.readText(limit: .max) }
            groupRequest = try reader.readOptional()
            if try reader.readPresence() { waitingText = try reader.readText(limit: ClientLimits.firstLines) }
        }
        try reader.expectEnd()
    }
}

extension GroupRequest: TLSCodable {
    /// Reads a stored request.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        group = ConversationID(rawValue: try reader.readUInt64())
        text = try reader.readText(limit: ClientLimits.firstLines)
        inbox = try reader.read()
    }

    /// Writes the request for the store.
    public func encode(into writer: inout TLSWriter) {
        writer.write(group.rawValue)
        writer.writeText(text)
        writer.write(inbox)
    }
}

extension TLSReader {
    /// Reads an enumeration that is stored as its raw byte.
    mutating func readEnum<T: RawRepresentable<UInt8>>(_ field: StaticFieldName) throws(TLSCodecError) -> T {
        let value = try readUInt8()
        guard let result = T(rawValue: value) else { throw .unknownValue(field: field, value: UInt64(value)) }
        return result
    }
}
