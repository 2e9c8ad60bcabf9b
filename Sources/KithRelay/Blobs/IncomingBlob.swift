import KithWire
import NIOCore

/// Collects the received bytes of an upload. Decides when the received bytes are written to the file, and when the file is made
/// durable.
struct IncomingBlob {
    /// Bytes to write.
    struct Write {
        let bytes: ByteBuffer
        /// Whether the file has to be made durable after the bytes were written.
        let isSynced: Bool
    }

    private var pending = ByteBuffer()
    private(set) var isWriting = false
    private(set) var hasEnded = false
    /// The number of bytes that were written since the file was last made durable.
    private var unsynced = 0

    /// Whether more bytes may be collected.
    var hasRoom: Bool { pending.readableBytes < BlobLimits.writeBytes }

    /// Whether all bytes of the request are durable.
    var isDone: Bool { hasEnded && !isWriting && pending.readableBytes == 0 && unsynced == 0 }

    mutating func add(_ bytes: ByteBuffer) {
        var bytes = bytes
        if pending.readableBytes == 0 { pending.reserveCapacity(BlobLimits.writeBytes + bytes.readableBytes) }
        pending.writeBuffer(&bytes)
    }

    /// Notes that the request has no more bytes.
    mutating func end() { hasEnded = true }

    /// Returns the bytes to write now. Returns `nil` if there are too few bytes for a write, or if a write is under way.
    mutating func nextWrite() -> Write? {
        guard !isWriting, !hasRoom || hasEnded, pending.readableBytes + unsynced > 0 else { return nil }
        unsynced += pending.readableBytes
        let write = Write(bytes: pending, isSynced: hasEnded || unsynced >= BlobLimits.syncBytes)
        pending = ByteBuffer()
        isWriting = true
        return write
    }

    mutating func didWrite(_ write: Write) {
        isWriting = false
        if write.isSynced { unsynced = 0 }
    }
}
