import TLSCodec

/// 16 random bytes that a user's program chooses at the start of each run.
///
/// All runs of the same two users use one channel. The channel keeps the frames of old runs. Every frame names the run that sent
/// it. Every frame except a hello also names the run to which it is addressed. A session therefore recognises a frame of another
/// run, and ignores that frame before reading its content.
struct RunID: Hashable, Sendable, TLSCodable {
    static let byteCount = 16
    let bytes: [UInt8]

    init(from random: inout some RandomNumberGenerator) {
        bytes = (0..<Self.byteCount).map { _ in random.next() }
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        bytes = Array(try reader.readBytes(Self.byteCount))
    }

    func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }
}
