import TLSCodec

/// The expiry of a text that is deleted after some time. There are separate times for two clocks, so that one wrong or changed
/// clock cannot erase the text early.
struct Expiry: Hashable, Sendable, TLSCodable {
    /// The time for which the text may be shown, in seconds.
    let seconds: UInt32
    /// The time at which the text is hidden, by the device's clock, in milliseconds since 1970.
    private(set) var hideAt: UInt64
    /// The earliest time at which the text may be erased, by the relay's clock, in milliseconds since 1970.
    private(set) var eraseAt: UInt64

    /// - Parameters:
    ///   - seconds: the time for which the text may be shown, in seconds.
    ///   - wall: the time of the device's clock when the text arrived, in milliseconds since 1970.
    ///   - relay: the time of the relay's clock when the text arrived, in milliseconds since 1970.
    init(after seconds: UInt32, wall: UInt64, relay: UInt64) {
        self.seconds = seconds
        let ms = UInt64(seconds) * 1000
        hideAt = wall.plus(ms)
        eraseAt = relay.plus(ms)
    }

    /// Whether the text is hidden when the device's clock shows the time `wall`, in milliseconds since 1970.
    func isOver(wall: UInt64) -> Bool { hideAt <= wall }

    /// Returns this expiry with times that are at most ``seconds`` from now. If a clock was ahead when the text arrived, the
    /// limit keeps the text from staying for too long.
    func clamped(wall: UInt64, relay: UInt64?) -> Expiry {
        var clamped = self
        let ms = UInt64(seconds) * 1000
        clamped.hideAt = min(hideAt, wall.plus(ms))
        if let relay { clamped.eraseAt = min(eraseAt, relay.plus(ms)) }
        return clamped
    }

    private static let version: UInt8 = 2

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "Expiry.version", value: UInt64(version)) }
        seconds = try reader.readUInt32()
        hideAt = try reader.readUInt64()
        eraseAt = try reader.readUInt64()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(seconds)
        writer.write(hideAt)
        writer.write(eraseAt)
    }

    /// Reads a stored expiry. The first version stored a single time of 8 bytes for both clocks.
    init(stored: [UInt8]) throws(TLSCodecError) {
        if stored.count == 8 {
            self.init(at: try UInt64(decoding: stored))
        } else {
            self = try Expiry(decoding: stored)
        }
    }

    /// Creates an expiry from the single time that the first version of the format stored. That version did not store for how
    /// long the text can be shown.
    init(at time: UInt64) {
        seconds = .max
        hideAt = time
        eraseAt = time
    }
}
