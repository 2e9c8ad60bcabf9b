import Crypto
import KithWire
import MLS
import TLSCodec

/// A device's view of a channel's log. It contains a running hash of one epoch's entries up to a seq, and the final hash of the
/// previous epoch.
///
/// ```text
/// struct { uint64 seq; opaque hash[32]; opaque previous[32]; } LogView;
/// at an epoch's start: seq = the seq of the turn that opened the epoch (0 in a new channel)
///                      hash = SHA-256("kith log v2" || channel || uint64 epoch || epoch_authenticator || uint64 seq)
///                      previous = the hash after that turn, in the epoch that the turn ended (zeros in a new channel)
/// after an entry:      hash = SHA-256(hash || uint64 seq || uint64 epoch || uint8 kind || id || opaque payload<V>)
/// ```
///
/// The hash begins with the epoch authenticator of MLS (RFC 9420 §8.7). All members of the epoch know the authenticator, and
/// begin with the same hash. The relay can compute neither the authenticator nor the hash. With `previous`, a view in the new
/// epoch also confirms the entries before the turn. A joining member learns `previous` from the inviter.
struct LogView: Hashable, Sendable, TLSCodable {
    /// The seq of the last entry in the hash. At the start of an epoch, this is the seq of the turn that opened the epoch, or 0
    /// in a new channel.
    let seq: UInt64
    /// The hash, 32 bytes.
    let hash: [UInt8]
    /// The final hash of the previous epoch, 32 bytes. The hash includes the turn that opened this epoch.
    let previous: [UInt8]

    /// The value of `previous` in the first epoch.
    static let noPrevious = [UInt8](repeating: 0, count: 32)

    init(seq: UInt64, hash: [UInt8], previous: [UInt8]) {
        self.seq = seq
        self.hash = hash
        self.previous = previous
    }

    /// Creates the view at the start of an epoch.
    ///
    /// - Parameters:
    ///   - seq: the seq of the turn that opened the epoch.
    ///   - previous: the final hash of the previous epoch, which includes that turn.
    init(
        beginning epoch: UInt64, of channel: ChannelID, authenticator: SecretBytes, after seq: UInt64,
        previous: [UInt8] = noPrevious
    ) {
        var hash = SHA256()
        hash.update(data: Array("kith log v2".utf8))
        hash.update(data: channel.bytes + epoch.encoded)
        authenticator.withUnsafeBytes { hash.update(bufferPointer: $0) }
        hash.update(data: seq.encoded)
        self.init(seq: seq, hash: Array(hash.finalize()), previous: previous)
    }

    /// Returns the view after one more entry. The caller has checked that the entry is the next one.
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
        return LogView(seq: entry.seq, hash: Array(digest.finalize()), previous: previous)
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        seq = try reader.readUInt64()
        hash = Array(try reader.readBytes(32))
        previous = Array(try reader.readBytes(32))
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(seq)
        writer.writeBytes(hash)
        writer.writeBytes(previous)
    }
}
