import KithCore

// The limits of previews, and of the program that makes them.

extension ClientLimits {
    /// The largest picture of which a preview is made, in bytes. The whole file is in memory for that. Cameras make smaller files.
    static let previewedPicture: UInt64 = 32 << 20

    /// Maximum time for one preview, in milliseconds. A photograph of 12 megapixels takes about 200 ms.
    static let previewMs: Int64 = 3_000

    /// Maximum time for all previews of a message, in milliseconds. The message is stored only after that, and the user waits.
    static let previewsMs: Int64 = 5_000

    /// Maximum CPU time of the program that makes a preview, in seconds. It ends the program even if this process has ended
    /// before.
    static let previewCPUSeconds: UInt64 = 5

    /// Maximum address space of the program that makes a preview, in bytes: 1 GiB. A photograph of 12 megapixels needs a third.
    static let previewMemory: UInt64 = 1 << 30

    /// Maximum number of files that the program has open. It needs its libraries, one at a time, and its streams.
    static let previewOpenFiles: UInt64 = 32

    /// Maximum length of a file that the program writes, and so of its output, in bytes. A valid preview has at most ``thumbnail``
    /// bytes, and metadata that is removed.
    static let previewOutput = 64 << 10
}
