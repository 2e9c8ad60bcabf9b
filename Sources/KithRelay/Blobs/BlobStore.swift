import KithWire
import NIOCore

/// The store of a relay's blobs: files of encrypted bytes that are uploaded once, from the first byte to the last, and never
/// change.
///
/// A store keeps the grants of a blob but does not check them. ``BlobService`` checks them.
package protocol BlobStore: Sendable {
    /// Reserves room for a blob. Changes nothing if the same blob is reserved already.
    ///
    /// - Parameters:
    ///   - times: the times of the new blob.
    ///   - maximumBytes: the maximum total size of all blobs in the store, in bytes.
    /// - Throws: ``BlobError/full`` if there is no room, ``BlobError/exists`` if another blob has the id.
    func create(_ blob: NewBlob, times: BlobTimes, maximumBytes: UInt64) async throws(BlobError)

    /// Returns a blob, or `nil` if there is none.
    func record(of id: BlobID) async throws(BlobError) -> BlobRecord?

    /// Begins to add bytes to a blob. Ends an earlier upload of the same blob, whose connection may be dead without the relay
    /// knowing.
    ///
    /// - Parameter offset: the position of the first byte to add. It has to be the number of bytes that are stored.
    /// - Throws: ``BlobError/wrongOffset(_:)`` if `offset` is not the number of stored bytes.
    func upload(to id: BlobID, at offset: UInt64) async throws(BlobError) -> any BlobUpload

    /// Opens a complete blob for reading.
    func download(_ id: BlobID) async throws(BlobError) -> any BlobDownload

    /// Deletes a blob. Does nothing if there is none.
    func delete(_ id: BlobID) async throws(BlobError)

    /// Deletes the blobs that have expired or were not completed in time. Returns their number.
    func expire(nowMs: UInt64) async throws(BlobError) -> Int

    /// Returns totals for `/metrics` and `kith relay status`.
    func statistics() -> BlobStatistics

    /// Releases files and connections. Bytes that were reported as stored are durable even without this call.
    func close() async
}

/// An upload that is under way.
package protocol BlobUpload: Sendable {
    /// Adds bytes to the blob, in the order of the calls. Make the next call only after the previous one has returned.
    ///
    /// - Parameter isSynced: whether the bytes, and all earlier ones, have to be durable when the call returns.
    /// - Returns: the number of bytes that are stored durably.
    /// - Throws: ``BlobError/superseded`` if another upload of the blob has begun.
    func append(_ bytes: ByteBuffer, isSynced: Bool) async throws(BlobError) -> UInt64
}

/// A complete blob that is open for reading. It can still be read if the blob is deleted meanwhile.
package protocol BlobDownload: Sendable {
    /// Returns `count` bytes from `offset` on, all within the blob.
    func bytes(at offset: UInt64, count: Int) async throws(BlobError) -> ByteBuffer
}

/// A reason why a request about a blob fails.
package enum BlobError: Error, Hashable, Sendable {
    /// There is no such blob, or the client has no right to it.
    case denied
    /// Another blob has the id.
    case exists
    /// The upload does not continue where the stored bytes end.
    case wrongOffset(BlobStatus)
    /// The client sent more bytes than the blob's size.
    case tooLong
    /// A later upload of the same blob has ended this one.
    case superseded
    /// The store has no room for the blob.
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

    /// Whether `blob` has the grants and the size of this record, so that creating `blob` would only repeat an earlier request.
    func isReservation(of blob: NewBlob) -> Bool {
        read == blob.read && write == blob.write && status.size == blob.size
    }
}

/// Totals of a store of blobs.
package struct BlobStatistics: Hashable, Sendable {
    /// The number of blobs.
    package var count = 0
    /// The sum of the bytes that all blobs count as (``BlobLimits``). An incomplete blob counts with its whole size.
    package var bytes: UInt64 = 0

    /// Whether one more blob fits into `limit` bytes.
    func hasRoom(for blob: NewBlob, within limit: UInt64) -> Bool {
        bytes < limit && BlobLimits.charge(for: blob.size) <= limit - bytes
    }
}
