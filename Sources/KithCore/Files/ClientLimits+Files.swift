// The limits of files.

extension ClientLimits {
    /// Maximum number of files in one message. A person picks about this many pictures at once, and their thumbnails fit into the
    /// message.
    public static let attachments = 16

    /// The longest caption of files, in bytes. There is room for a page of text.
    public static let caption = 4 << 10

    /// The longest media type, in bytes. Some common media types have about 70 characters, but Kith sends none of those types.
    package static let mediaType = 64

    /// The largest thumbnail, in bytes. A message with 16 thumbnails and ``inlineFiles`` still fits into its padding.
    package static let thumbnail = 6 << 10

    /// Maximum total size of the files that are in the message itself, in bytes. One file of this size fits into the padding of
    /// 64 KiB, together with its thumbnail and its caption.
    package static let inlineFiles = 48 << 10

    /// The largest file, in bytes: 1 PiB, far more than any relay accepts. The limit keeps sums of sizes small.
    package static let file: UInt64 = 1 << 50

    /// The longest path of a file to send, in bytes. Linux has the same limit for a path.
    package static let path = 4 << 10

    /// The beginning of a long text that is shown in place of the file that contains it, in bytes.
    package static let preview = 1 << 10

    /// Maximum number of uploads, and of downloads, that run at the same time. A relay allows 16 transfers of one address, which
    /// may be shared.
    static let transfers = 3

    /// Number of times that an upload may start anew because its file has changed. A file that changes more often is being
    /// written, for example a log.
    static let uploadRestarts = 3

    /// Requested lifetime of a blob at the relay, in seconds: 30 days, which is also the time for which entries stay at the
    /// relay.
    static let blobSeconds: UInt32 = 30 * 86_400

    /// Time from the expiry of a message until the relay may drop its blobs, in seconds: a day. The message begins to expire only
    /// when the upload is complete, and clocks differ.
    static let blobSecondsAfterExpiry: UInt32 = 86_400

    /// Returns the requested lifetime of a blob, in seconds.
    ///
    /// - Parameter expiresAfter: the time after which everyone deletes the message, in seconds; `nil` for never.
    static func blobSeconds(expiresAfter: UInt32?) -> UInt32 {
        guard let expiresAfter, expiresAfter < blobSeconds - blobSecondsAfterExpiry else { return blobSeconds }
        return expiresAfter + blobSecondsAfterExpiry
    }

    /// The largest file that is downloaded without a request of the user, in bytes, until the user sets another limit. Pictures
    /// of a phone are smaller.
    public static let autoDownload: UInt64 = 5 << 20

    /// Maximum number of files that are downloaded without a request of the user, for each contact and day. A contact who shares
    /// the pictures of a trip stays below it.
    static let automaticFiles: UInt64 = 64

    /// Maximum size of the files that are downloaded without a request of the user, in bytes on the disk, for each contact and
    /// day: 64 MiB. So a contact alone takes less than 2 GiB a month.
    static let automaticBytes: UInt64 = 64 << 20

    /// Time from the relay's first answer that a file is incomplete until the file counts as gone, in milliseconds: a day. An
    /// honest sender's message comes only after the whole file, so more patience helps nobody.
    static let incompleteFileMs: UInt64 = 86_400_000

    /// The pause before the relay is asked again to reserve a blob, after the conversation has changed to another epoch, in
    /// milliseconds. Within this pause, the turn that opened the new epoch usually arrives.
    static let staleReservationPauseMs: UInt64 = 300

    /// The pause after a relay's temporary refusal to reserve the blob of an upload, in milliseconds. The relay may state a
    /// longer pause.
    static let reservationPauseMs: UInt64 = 10_000
}
