import KithWire
import TLSCodec

/// A blob that this device has uploaded, with the token that deletes it. Only the device that has uploaded a blob knows this token.
struct OwnBlob: Hashable, Sendable, TLSCodable {
    let relay: RelayID
    let blob: BlobID
    let write: Token
    /// The time by which the relay deletes the blob, in milliseconds since 1970.
    let expiresMs: UInt64

    init(relay: RelayID, blob: BlobID, write: Token, expiresMs: UInt64) {
        self.relay = relay
        self.blob = blob
        self.write = write
        self.expiresMs = expiresMs
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        relay = RelayID(rawValue: try reader.readUInt64())
        blob = try reader.read()
        write = try reader.read()
        expiresMs = try reader.readUInt64()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(relay.rawValue)
        writer.write(blob)
        writer.write(write)
        writer.write(expiresMs)
    }

    /// Hashes the id only, because tokens are not hashed. Ids are random, so they rarely collide.
    func hash(into hasher: inout Hasher) { hasher.combine(blob) }
}

extension UploadRecord {
    /// Returns blobs of this message, with the tokens that delete them.
    ///
    /// - Parameters:
    ///   - uploads: the uploads of the blobs.
    ///   - record: the record of the message's conversation.
    ///   - wall: the time of the device's clock, in milliseconds since 1970. The relay has reserved the blobs before this time, so
    ///     it deletes them before ``OwnBlob/expiresMs``.
    func ownBlobs(_ uploads: [Upload], in record: ConversationRecord, at wall: UInt64) -> [OwnBlob] {
        let lifetime = ClientLimits.blobSeconds(expiresAfter: files.expiresAfter ?? record.timer)
        let expiresMs = wall.plus(UInt64(lifetime) * 1_000)
        return uploads.map { OwnBlob(relay: record.relay, blob: $0.blob, write: $0.write, expiresMs: expiresMs) }
    }
}
