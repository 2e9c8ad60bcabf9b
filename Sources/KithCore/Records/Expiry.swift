import TLSCodec

/// When a text that was to be deleted after a while is over. Each of two clocks has a time of its own, so that neither, wrong
/// or set meanwhile, erases it early.
struct Expiry: Hashable, Sendable, TLSCodable {
    /// Time for which the text may be shown, in seconds.
    let seconds: UInt32
    /// The time to hide it at, by the device's clock, in milliseconds since 1970.
    private(set) var hideAt: UInt64
    /// The time before which it is not erased, by the relay's clock, in milliseconds since 1970.
    private(set) var eraseAt: UInt64

    /// - Parameters:
    ///   - seconds: how long the text may be shown.
    ///   - wall: the device's clock when the text came, in milliseconds since 1970.
    ///   - relay: the relay's clock then.
    init(after seconds: UInt32, wall: UInt64, relay: UInt64) {
        self.seconds = seconds
        let ms = UInt64(seconds) * 1000
        hideAt = wall.plus(ms)
        eraseAt = relay.plus(ms)
    }

    /// Whether every reader hides the text.
    func isOver(wall: UInt64) -> Bool { hideAt <= wall }

    /// Never longer to come than it was in the beginning: a clock that was ahead when the text came is right by now.
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

    /// Reads what was stored. The first version was one time, in 8 bytes, for both clocks.
    init(stored: [UInt8]) throws(TLSCodecError) {
        if stored.count == 8 {
            self.init(at: try UInt64(decoding: stored))
        } else {
            self = try Expiry(decoding: stored)
        }
    }

    /// Reads the first version, which lacks the time for which the text may be shown.
    init(at time: UInt64) {
        seconds = .max
        hideAt = time
        eraseAt = time
    }
}
