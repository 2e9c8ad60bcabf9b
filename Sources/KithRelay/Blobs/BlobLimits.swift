/// The limits of a relay's blobs, each with its reason.
public struct BlobLimits: Sendable {
    /// The largest blob, in MiB. A film or the image of a disk fits.
    public var sizeMiB = 4_096
    /// The sum of the sizes of all blobs, in MiB. Blobs also take at most 80 % of the sum of their sizes and the free space, so
    /// that there is room for messages (``diskShare(storedBytes:freeBytes:)``).
    public var storeMiB = 51_200
    /// The sizes of the blobs that one address may create in a day, in MiB.
    public var addressMiBPerDay = 2_048
    /// The longest time for which a blob is kept, in seconds: 30 days, as entries are.
    public var keptSeconds = 30 * 86_400
    /// The time after which an incomplete blob is deleted, in seconds. A day is long enough for a device that is offline at
    /// night.
    public var uploadSeconds = 86_400
    /// Connections that transfer blobs at the same time: those of one address, and all. Each takes up to 2 MiB of memory.
    static let transfersPerAddress = 16
    static let transfers = 256
    /// Number of threads that read and write files. More threads would only compete for the disk.
    static let threads = 4
    /// Number of blobs that are deleted before the store looks for more.
    static let deletedAtOnce = 64
    /// Bytes of an upload after which the file is made durable. A lost connection costs at most this many bytes, and those on
    /// their way.
    static let syncBytes = 4 << 20
    /// Bytes that are collected before they are written to a file. As many again may be waiting.
    static let writeBytes = 1 << 20
    /// Bytes that are read from a file at once.
    static let readBytes = 256 << 10
    /// Time without progress after which a transfer is closed, in milliseconds.
    static let silenceMs: Int64 = 60_000
    /// Bytes of an upload that count as progress, as a piece of a download does. A client that sends or takes less than this in
    /// ``silenceMs`` would keep its slot from others: 4 KiB a second.
    static let progressBytes = 256 << 10
    /// Time for which the rest of a refused upload is read and dropped, so that the client sees the answer.
    static let refusedUploadMs: Int64 = 2_000
    /// Time for which a relay that stops waits for the last bytes of uploads, in milliseconds. Bytes that are lost afterwards are
    /// uploaded again: no client was told that they are durable.
    static let lastBytesMs = 5_000
    /// Interval between two deletions of expired blobs, in seconds. An expired blob leaves the disk within a minute.
    static let sweepSeconds = 20

    /// Creates limits with the default values.
    public init() {}

    /// Limits of a relay inside one person's program.
    package static var household: BlobLimits {
        var limits = BlobLimits()
        limits.sizeMiB = 512
        limits.storeMiB = 2_048
        return limits
    }

    /// Bytes that a smaller blob counts as, in an address's day and in the store: its row, its file and the file's block take as
    /// much as they take of a larger one. No honest blob is smaller, because a small file fits into its message.
    static let leastCharge: UInt64 = 64 << 10

    /// The bytes that a blob counts as.
    static func charge(for size: UInt64) -> UInt64 { max(size, leastCharge) }

    /// The largest blob, in bytes.
    var size: UInt64 { UInt64(sizeMiB) << 20 }

    /// The largest sum of the sizes of all blobs on a disk, in bytes: 80 % of what is stored or free. Room that is reserved for
    /// bytes to come is part of the free room.
    static func diskShare(storedBytes: UInt64, freeBytes: UInt64) -> UInt64 { (storedBytes + freeBytes) / 10 * 8 }

    /// The sum of the sizes of all blobs, in bytes.
    var storeBytes: UInt64 { UInt64(storeMiB) << 20 }
}
