import KithWire
import TLSCodec

/// Names a message that is in the log. All members of a conversation have the message at the same seq.
///
/// ```text
/// struct { uint64 seq; opaque id[16]; } MessageReference;
/// ```
struct MessageReference: Hashable, Sendable, TLSCodable {
    /// The seq of the message's entry.
    let seq: UInt64
    /// The message's id, with which a device detects that another entry is at this seq.
    let id: EntryID

    init(seq: UInt64, id: EntryID) {
        self.seq = seq
        self.id = id
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        seq = try reader.readUInt64()
        id = try reader.read()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(seq)
        writer.write(id)
    }
}
