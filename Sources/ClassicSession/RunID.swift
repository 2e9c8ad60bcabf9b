import TLSCodec

/// 16 random bytes that one user picks at the start of one run of the program.
///
/// The channel is the same for every run of the same two users and keeps the frames of old runs. Every frame names the run
/// it comes from, and every frame but a hello the run it is meant for. So a frame of another run is recognised and ignored
/// before its content is looked at.
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
