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
        }
        try reader.expectEnd()
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
