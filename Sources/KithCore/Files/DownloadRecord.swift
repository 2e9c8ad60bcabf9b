import TLSCodec

/// A download, as it is stored.
struct DownloadRecord: Hashable, Sendable {
    let place: FilePlace
    /// The sender, if the download began without a request of the user; otherwise `nil`.
    var automaticFrom: ContactID?
    /// The time at which the relay first said that the sender has not uploaded the whole file, in milliseconds since 1970; `nil`
    /// if it has not said so.
    var incompleteSince: UInt64?

    private static let version: UInt8 = 2

    init(place: FilePlace, automaticFrom: ContactID? = nil) {
        self.place = place
        self.automaticFrom = automaticFrom
    }

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 64)
        writer.write(Self.version)
        writer.writeOpaque(place.encoded)
        for number in [automaticFrom?.rawValue, incompleteSince] {
            writer.write(number != nil)
            if let number { writer.write(number) }
        }
        return writer.bytes
    }

    /// Reads a record. Version 1 was a place alone.
    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        guard try reader.readUInt8() == Self.version else {
            place = try FilePlace(stored: stored)
            return
        }
        place = try FilePlace(stored: Array(try reader.readOpaque()))
        automaticFrom = try reader.readPresence() ? ContactID(rawValue: try reader.readUInt64()) : nil
        incompleteSince = try reader.readPresence() ? try reader.readUInt64() : nil
        try reader.expectEnd()
    }
}
