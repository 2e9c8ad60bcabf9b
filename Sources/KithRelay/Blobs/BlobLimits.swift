/// The limits of a relay's blobs, each with its reason.
public struct BlobLimits: Sendable {
    /// Maximum size of a blob, in MiB. A film or a disk image fits.
    public var sizeMiB = 4_096
    /// Maximum total size of all blobs, in MiB. A second limit leaves room for messages: blobs take at most 80 % of the space
    /// that is free or taken by blobs (`diskShare(storedBytes:freeBytes:)`).
    public var storeMiB = 51_200
    /// Maximum total size of the blobs that one address may create in a day, in MiB.
    public var addressMiBPerDay = 2_048
    /// The longest time for which a blob is kept, in seconds: 30 days, like entries.
    public var keptSeconds = 30 * 86_400
    /// The time after which an incomplete blob is deleted, in seconds. A day is long enough for a device that is offline at
    /// night.
    public var uploadSeconds = 86_400
    /// Maximum number of connections that transfer blobs at the same time, for one address and for all addresses (`transfers`).
    /// Each connection takes up to 2 MiB of memory.
    static let transfersPerAddress = 16
    static let transfers = 256
    /// Number of threads that read and write files. More threads would only compete for the disk.
    static let threads = 4
    /// Maximum number of expired blobs that the store looks up and deletes before it looks for more.
    static let deletedAtOnce = 64
    /// Number of bytes after which the file of an upload is made durable. After a lost connection, the client repeats at most
    /// this many bytes, and the bytes that were on their way.
    static let syncBytes = 4 << 20
    /// Number of bytes of an upload that are collected before they are written to the file. During the write, the same number of
    /// further bytes may be collected.
    static let writeBytes = 1 << 20
    /// Number of bytes of a download that are read from the file at once.
    static let readBytes = 256 << 10
    /// Time without progress after which a transfer is closed, in milliseconds.
    static let silenceMs: Int64 = 60_000
    /// Number of bytes that count as progress of an upload. For a download, each piece counts as progress. A client that
    /// transfers less than this in ``silenceMs``, which is 4 KiB a second, would keep its slot from others.
    static let progressBytes = 256 << 10
    /// Time for which the rest of a refused upload is read and dropped, in milliseconds, so that the client sees the answer.
    static let refusedUploadMs: Int64 = 2_000
    /// Maximum time to wait for the last bytes of uploads when the relay stops, in milliseconds. Bytes that are lost after this
    /// time are uploaded again, because no client was told that they are durable.
    static let lastBytesMs = 5_000
    /// Interval between two deletions of expired blobs, in seconds. An expired blob leaves the disk within a minute.
    static let sweepSeconds = 20

    /// Creates limits with the default values.
    public init() {}

    /// Limits for a relay that runs inside a user's own program.
    package static var household: BlobLimits {
        var limits = BlobLimits()
        limits.sizeMiB = 512
        limits.storeMiB = 2_048
        return limits
    }

    /// Minimum number of bytes that a blob counts as, in an address's daily budget and in the store. A smaller blob counts as
    /// this many, because its row, its file and the file's block take as much as those of a larger one. No honest blob is
    /// smaller, because a small file fits into its message.
    static let leastCharge: UInt64 = 64 << 10

    /// Returns the number of bytes that a blob counts as.
    static func charge(for size: UInt64) -> UInt64 { max(size, leastCharge) }

    /// Maximum size of a blob, in bytes.
    var size: UInt64 { UInt64(sizeMiB) << 20 }

    /// Maximum total size of all blobs on a disk, in bytes: 80 % of the bytes that are free or stored in blobs. Room that is
    /// reserved for bytes that have not been uploaded yet counts as free.
    static func diskShare(storedBytes: UInt64, freeBytes: UInt64) -> UInt64 { (storedBytes + freeBytes) / 10 * 8 }

    /// Maximum total size of all blobs, in bytes.
    var storeBytes: UInt64 { UInt64(storeMiB) << 20 }
}
