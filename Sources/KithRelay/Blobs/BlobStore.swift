import KithWire
import NIOCore

/// The store of a relay's blobs. A blob is a file of encrypted bytes. Clients upload each byte once, in order. A complete blob
/// never changes.
///
/// A store keeps the grants of a blob. ``BlobService`` checks the grants.
package protocol BlobStore: Sendable {
    /// Reserves space for a blob. If an earlier request has reserved space for this blob, changes nothing.
    ///
    /// - Parameters:
    ///   - times: the times of the new blob.
    ///   - maximumBytes: the maximum total size of all blobs in the store, in bytes.
    /// - Throws: ``BlobError/full`` if there is no space, ``BlobError/exists`` if a different blob has the id.
    func create(_ blob: NewBlob, times: BlobTimes, maximumBytes: UInt64) async throws(BlobError)

    /// Returns a blob, or `nil` if there is none.
    func record(of id: BlobID) async throws(BlobError) -> BlobRecord?

    /// Begins an upload to a blob, and ends the blob's earlier upload, whose connection may be dead.
    ///
    /// - Parameter offset: the position of the first byte to add. The position must equal the number of stored bytes.
    /// - Throws: ``BlobError/wrongOffset(_:)`` if `offset` is not the number of stored bytes.
    func upload(to id: BlobID, at offset: UInt64) async throws(BlobError) -> any BlobUpload

    /// Opens a complete blob for reading.
    func download(_ id: BlobID) async throws(BlobError) -> any BlobDownload

    /// Deletes a blob. Does nothing if the blob does not exist.
    func delete(_ id: BlobID) async throws(BlobError)

    /// Deletes expired blobs, and blobs that were not completed in time. Returns the number of deleted blobs.
    func expire(nowMs: UInt64) async throws(BlobError) -> Int

    /// Returns totals for `/metrics` and `kith relay status`.
    func statistics() -> BlobStatistics

    /// Releases files and connections. Bytes that were reported as stored are durable even without this call.
    func close() async
}

/// An upload that is under way.
package protocol BlobUpload: Sendable {
    /// Adds bytes to the blob, in the order of the calls. Each call must return before the next call is made.
    ///
    /// - Parameter isSynced: whether these bytes and all earlier bytes must be durable when the call returns.
    /// - Returns: the number of the blob's bytes that are stored durably, including the bytes of earlier uploads.
    /// - Throws: ``BlobError/superseded`` if a later upload of the blob has begun.
    func append(_ bytes: ByteBuffer, isSynced: Bool) async throws(BlobError) -> UInt64
}

/// A complete blob that is open for reading. If the blob is deleted in the meantime, the bytes can still be read.
package protocol BlobDownload: Sendable {
    /// Returns `count` bytes from `offset` on. The range must be within the blob.
    func bytes(at offset: UInt64, count: Int) async throws(BlobError) -> ByteBuffer
}

/// A reason why a request about a blob fails.
package enum BlobError: Error, Hashable, Sendable {
    /// The blob does not exist, or the client has no right to the blob.
    case denied
    /// A different blob has the id.
    case exists
    /// The upload does not begin right after the stored bytes.
    case wrongOffset(BlobStatus)
    /// The client sent more bytes than the blob's size.
    case tooLong
    /// A later upload of the blob has ended this upload.
    case superseded
    /// The store has no space for the blob.
    case full
    /// The disk or the table failed.
    case failed(StoreFailure)
}

/// The times of a blob, in milliseconds since 1970.
package struct BlobTimes: Hashable, Sendable {
    /// The time at which the blob was created.
    package let createdMs: UInt64
    /// The time at which the blob is deleted.
    package let expiresMs: UInt64
    /// The time at which the blob is deleted if it is not complete.
    package let uploadEndsMs: UInt64

    /// Creates a value from its fields.
    package init(createdMs: UInt64, expiresMs: UInt64, uploadEndsMs: UInt64) {
        self.createdMs = createdMs
        self.expiresMs = expiresMs
        self.uploadEndsMs = uploadEndsMs
    }
}

/// A blob in the store.
package struct BlobRecord: Hashable, Sendable {
    /// The grant of the token with which clients download the blob.
    package let read: Grant
    /// The grant of the token with which clients upload and delete the blob.
    package let write: Grant
    /// The state that clients see.
    package let status: BlobStatus
    /// The times.
    package let times: BlobTimes

    /// Whether `blob` has the grants and the size of this record. If the grants and the size are equal, a request to create
    /// `blob` repeats an earlier request.
    func isReservation(of blob: NewBlob) -> Bool {
        read == blob.read && write == blob.write && status.size == blob.size
    }
}

/// Totals of a store of blobs.
package struct BlobStatistics: Hashable, Sendable {
    /// The number of blobs.
    package var count = 0
    /// The total size of the blobs, in bytes. A blob smaller than `BlobLimits.leastCharge` counts as `leastCharge` bytes. An
    /// incomplete blob counts with its full size.
    package var bytes: UInt64 = 0

    /// Whether the blobs in the store and `blob` together fit into `limit` bytes.
    func hasRoom(for blob: NewBlob, within limit: UInt64) -> Bool {
        bytes < limit && BlobLimits.charge(for: blob.size) <= limit - bytes
    }
}
