/// The limits of a relay's blobs, each with its reason.
public struct BlobLimits: Sendable {
    /// Maximum size of a blob, in MiB. A film or a disk image fits.
    public var sizeMiB = 4_096
    /// Maximum total size of all blobs, in MiB. A second limit, `diskShare(storedBytes:freeBytes:)`, leaves disk space for
    /// messages. The second limit is 80 % of the sum of the blobs' size and the free space.
    public var storeMiB = 51_200
    /// Budget of an address for the blobs that it creates in a day, in MiB. While some of the budget is left, one blob may
    /// exceed it; the address then waits until the excess is paid off. If the budget is at least ``sizeMiB``, an address that
    /// has created no blob for a day can therefore always create a blob of ``sizeMiB``.
    public var addressMiBPerDay = 4_096
    /// The longest time for which a blob is kept, in seconds: 30 days, like entries.
    public var keptSeconds = 30 * 86_400
    /// Maximum age of an incomplete blob, in seconds. The relay deletes older incomplete blobs. A day is long enough for a device
    /// that is offline at night.
    public var uploadSeconds = 86_400
    /// Maximum number of connections of one address that transfer blobs at the same time. `transfers` is the maximum for all
    /// addresses together. Each connection takes up to 2 MiB of memory.
    static let transfersPerAddress = 16
    static let transfers = 256
    /// Number of threads that read and write files. More threads would only compete for the disk.
    static let threads = 4
    /// Maximum number of expired blobs in one batch. The store looks up and deletes one batch after another.
    static let deletedAtOnce = 64
    /// Number of received bytes after which an upload's file is made durable again. After a lost connection, the client repeats
    /// at most this number of bytes, plus the bytes in transit.
    static let syncBytes = 4 << 20
    /// Number of bytes of an upload that are collected for one write to the file. During a write, the bytes for the next write
    /// are collected.
    static let writeBytes = 1 << 20
    /// Number of bytes of a download that are read from the file at once.
    static let readBytes = 256 << 10
    /// Maximum time without progress of a transfer, in milliseconds. The relay closes a connection whose transfer makes no
    /// progress for longer.
    static let silenceMs: Int64 = 60_000
    /// Number of uploaded bytes that count as progress. For a download, each piece counts as progress. In each ``silenceMs``, an
    /// upload must transfer this number of bytes: about 4 KiB a second. The minimum keeps slow clients from occupying slots.
    static let progressBytes = 256 << 10
    /// Maximum time for the rest of a refused upload, in milliseconds. The relay reads and drops the rest: if the relay closed
    /// the connection earlier, the client might not see the answer.
    static let refusedUploadMs: Int64 = 2_000
    /// Maximum time that a stopping relay waits for the last bytes of uploads, in milliseconds. If the last bytes do not reach
    /// the disk in time, the clients upload the last bytes again. The relay has not told the clients that the last bytes are
    /// durable.
    static let lastBytesMs = 5_000
    /// Interval between two deletions of expired blobs, in seconds. An expired blob leaves the disk within a minute.
    static let sweepSeconds = 20

    /// Creates limits with the default values.
    public init() {}

    /// The limits for a relay that runs inside a user's own program.
    package static var household: BlobLimits {
        var limits = BlobLimits()
        limits.sizeMiB = 512
        limits.storeMiB = 2_048
        // Two of the largest blobs. The rest of the store is left to other addresses.
        limits.addressMiBPerDay = 1_024
        return limits
    }

    /// Minimum number of bytes that a blob counts as, even if the blob is smaller. The minimum applies to an address's daily
    /// budget and to the size of the store. Even a small blob takes a row, a file and a block of the disk. Honest clients upload
    /// no smaller blob: a small file is sent inside its message.
    static let leastCharge: UInt64 = 64 << 10

    /// Returns the number of bytes that a blob of `size` bytes counts as.
    static func charge(for size: UInt64) -> UInt64 { max(size, leastCharge) }

    /// Maximum size of a blob, in bytes; at most the size of the whole store. Without this bound, a blob larger than the store
    /// would be refused as if room for it could become free.
    var size: UInt64 { UInt64(min(sizeMiB, storeMiB)) << 20 }

    /// Maximum total size of all blobs on a disk, in bytes: 80 % of the sum of `storedBytes` and `freeBytes`. Reserved space
    /// without uploaded bytes counts as free.
    static func diskShare(storedBytes: UInt64, freeBytes: UInt64) -> UInt64 { (storedBytes + freeBytes) / 10 * 8 }

    /// Maximum total size of all blobs, in bytes.
    var storeBytes: UInt64 { UInt64(storeMiB) << 20 }
}
