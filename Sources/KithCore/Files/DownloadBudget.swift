import TLSCodec

/// The room that automatic downloads of each contact's files have taken today. Room that was taken does not become free before
/// the next day, even if a download fails or its file is removed.
struct DownloadBudget: Hashable, Sendable {
    private struct Use: Hashable, Sendable {
        var files: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// The day to which `uses` belongs, as a number of days since 1970.
    private var day: UInt64 = 0
    private var uses: [ContactID: Use] = [:]

    static let key = StoreKey(.profile, item: 3)
    private static let version: UInt8 = 1
    private static let dayMs: UInt64 = 86_400_000

    init() {}

    /// Takes room for the files of one message, if there is enough for all of them.
    ///
    /// - Parameters:
    ///   - bytes: the total size of the encrypted files.
    ///   - time: the time of the device's clock, in milliseconds since 1970.
    /// - Returns: whether there was enough room.
    mutating func take(files: Int, bytes: UInt64, from contact: ContactID, at time: UInt64) -> Bool {
        if time / Self.dayMs != day {
            day = time / Self.dayMs
            uses = [:]
        }
        var use = uses[contact] ?? Use()
        use.files += UInt64(files)
        use.bytes += bytes
        guard use.files <= ClientLimits.automaticFiles, use.bytes <= ClientLimits.automaticBytes else { return false }
        uses[contact] = use
        return true
    }

    // MARK: The stored form

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 64)
        writer.write(Self.version)
        writer.write(day)
        writer.write(UInt64(uses.count))
        for (contact, use) in uses.sorted(by: { $0.key < $1.key }) {
            writer.write(contact.rawValue)
            writer.write(use.files)
            writer.write(use.bytes)
        }
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "DownloadBudget.version", value: UInt64(version))
        }
        day = try reader.readUInt64()
        var count = try reader.readUInt64()
        while count > 0 {
            let contact = ContactID(rawValue: try reader.readUInt64())
            uses[contact] = Use(files: try reader.readUInt64(), bytes: try reader.readUInt64())
            count -= 1
        }
        try reader.expectEnd()
    }
}
