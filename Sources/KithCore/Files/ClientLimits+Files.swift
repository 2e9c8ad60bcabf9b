// The limits of files.

extension ClientLimits {
    /// Maximum number of files in one message. A person picks about this many pictures at once, and their thumbnails fit into the
    /// message.
    public static let attachments = 16

    /// The longest caption of files, in bytes. There is room for a page of text.
    public static let caption = 4 << 10

    /// The longest media type, in bytes. Some common media types have about 70 characters, but Kith sends none of those types.
    package static let mediaType = 64

    /// The largest thumbnail, in bytes. A message with 16 thumbnails and with files of ``inlineFiles`` bytes still fits into
    /// the largest padded content.
    package static let thumbnail = 6 << 10

    /// Maximum total size of the files that are in the message itself, in bytes. Together with its thumbnail and its caption,
    /// one file of this size fits into a content that is padded to 64 KiB.
    package static let inlineFiles = 48 << 10

    /// The largest file, in bytes: 1 PiB, far more than any relay accepts. With this limit, sums of sizes cannot overflow.
    package static let file: UInt64 = 1 << 50

    /// The longest path of a file to send, in bytes. Linux has the same limit for a path.
    package static let path = 4 << 10

    /// Length of the beginning of a long text, in bytes. The beginning is shown in place of the file that contains the text.
    package static let preview = 1 << 10

    /// Maximum number of uploads, and of downloads, that run at the same time. A relay allows 16 transfers from one IP address,
    /// which several devices may share.
    static let transfers = 3

    /// Number of times that an upload may start anew because its file has changed. A file that changes more often is probably
    /// written all the time, for example a log.
    static let uploadRestarts = 3

    /// Requested lifetime of a blob at the relay, in seconds: 30 days, which is also the time for which entries stay at the
    /// relay.
    static let blobSeconds: UInt32 = 30 * 86_400

    /// Time from the expiry of a message until the relay may drop its blobs, in seconds: a day. The message's time begins to
    /// run only when the upload is complete, and clocks differ.
    static let blobSecondsAfterExpiry: UInt32 = 86_400

    /// Returns the requested lifetime of a blob, in seconds.
    ///
    /// - Parameter expiresAfter: the time after which everyone deletes the message, in seconds; `nil` for never.
    static func blobSeconds(expiresAfter: UInt32?) -> UInt32 {
        guard let expiresAfter, expiresAfter < blobSeconds - blobSecondsAfterExpiry else { return blobSeconds }
        return expiresAfter + blobSecondsAfterExpiry
    }

    /// The largest file that is downloaded without a request of the user, in bytes, until the user sets another limit. Most
    /// pictures that a phone takes are smaller.
    public static let autoDownload: UInt64 = 5 << 20

    /// Maximum number of files that are downloaded without a request of the user, for each contact and day. A contact who
    /// shares the pictures of a trip stays below the limit.
    static let automaticFiles: UInt64 = 64

    /// Maximum total size of the files that are downloaded without a request of the user, in bytes on the disk, for each
    /// contact and day: 64 MiB. With this limit, the files of one contact take less than 2 GiB in a month.
    static let automaticBytes: UInt64 = 64 << 20

    /// Time from the relay's first answer that a file is incomplete until the file counts as gone, in milliseconds: a day. An
    /// honest sender sends the message only when the relay has the whole file, so a longer wait would not help.
    static let incompleteFileMs: UInt64 = 86_400_000

    /// The pause before the relay is asked again to reserve a blob, after the conversation has changed to another epoch, in
    /// milliseconds. Within this pause, the turn that opened the new epoch usually arrives.
    static let staleReservationPauseMs: UInt64 = 300

    /// The pause after a relay's temporary refusal to reserve the blob of an upload, in milliseconds. The relay may state a
    /// longer pause.
    static let reservationPauseMs: UInt64 = 10_000

    /// Maximum number of blobs that wait for their deletion at relays, more than a user deletes in a year. Beyond it, the blob that
    /// expires first is left to its expiry.
    static let blobDeletions = 4_096

    /// The longest pause between two attempts to delete a blob at its relay, in milliseconds: an hour. A relay that has closed for
    /// ever is not asked more often.
    static let longestDeletionPauseMs: UInt64 = 3_600_000
}
