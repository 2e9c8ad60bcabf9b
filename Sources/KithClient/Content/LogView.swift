import Crypto
import KithWire
import MLS
import TLSCodec

/// How a device has seen a channel's log: a running hash over one epoch's entries, up to a seq.
///
/// ```text
/// struct { uint64 seq; opaque hash[32]; } LogView;
/// hash at the epoch's begin = SHA-256("kith log v1" || channel || uint64 epoch || epoch_authenticator)
/// hash after an entry       = SHA-256(hash || uint64 seq || uint64 epoch || uint8 kind || id || opaque payload<V>)
/// ```
///
/// It starts from the epoch authenticator of MLS (RFC 9420 §8.7), so a member that joins has the same one as everybody else
/// from its first entry on, and a relay cannot compute it.
struct LogView: Hashable, Sendable, TLSCodable {
    /// The last entry that is in the hash. At an epoch's begin, the turn that opened it; 0 in a new channel.
    let seq: UInt64
    /// 32 bytes.
    let hash: [UInt8]

    private init(seq: UInt64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }

    /// The view at an epoch's begin.
    ///
    /// - Parameter seq: of the turn that opened the epoch.
    init(beginning epoch: UInt64, of channel: ChannelID, authenticator: SecretBytes, after seq: UInt64) {
        var hash = SHA256()
        hash.update(data: Array("kith log v1".utf8))
        hash.update(data: channel.bytes + epoch.encoded)
        authenticator.withUnsafeBytes { hash.update(bufferPointer: $0) }
        self.init(seq: seq, hash: Array(hash.finalize()))
    }

    /// The view one entry later. The entry's own seq is taken as it is: the caller has checked that it is the next.
    func after(_ entry: Entry) -> LogView {
        var writer = TLSWriter(capacity: 96)
        writer.writeBytes(hash)
        writer.write(entry.seq)
        writer.write(entry.epoch)
        writer.write(entry.kind)
        writer.write(entry.id)
        writer.writeVarint(entry.payload.count)
        var digest = SHA256()
        writer.bytes.withUnsafeBytes { digest.update(bufferPointer: $0) }
        entry.payload.withUnsafeBytes { digest.update(bufferPointer: $0) }
        return LogView(seq: entry.seq, hash: Array(digest.finalize()))
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        seq = try reader.readUInt64()
        hash = Array(try reader.readBytes(32))
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(seq)
        writer.writeBytes(hash)
    }
}
