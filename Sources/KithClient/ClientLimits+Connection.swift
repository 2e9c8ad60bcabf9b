import KithCore
import NIOCore

/// The limits of connections, of the vault, and of events that wait for a subscriber.
extension ClientLimits {
    /// Maximum length of a relay's response to the WebSocket upgrade, in bytes. A relay's response has about 200 bytes. A proxy
    /// may add headers.
    package static let upgradeResponse = 8 << 10

    /// Maximum number of unsent frames of a connection. Frames wait for the event loop, or for a relay that does not read. At
    /// most ``unansweredRequests`` of the unsent frames are requests. The remaining 4,096 frames are reactions to the relay's
    /// own frames, such as a repeated `unfollow`. A connection may follow 4,096 channels, and each of them can cause one
    /// reaction. Only a hostile relay causes more than 4,096 reactions, so the client closes the connection beyond the limit.
    static let unsentFrames = unansweredRequests + 4096

    /// Maximum length of a relay's status page, in bytes. The limit is ten times the usual length.
    package static let statusPage = 64 << 10

    /// Maximum length of a relay's error about a blob, in bytes. An error consists of a few numbers and one sentence.
    package static let blobError = 1 << 10

    /// Maximum size of the file of known relays, in bytes. The limit is enough for thousands of relays.
    package static let knownRelaysFile = 1 << 20

    /// Maximum memory for scrypt with parameters from a file, in bytes. The limit is eight times the memory for Kith's own
    /// parameters.
    package static let scryptMemory = 1 << 30

    /// Maximum length of a record in a backup, in bytes. The limit is far above the length of any message. A record of this
    /// length fits into the memory of the device that reads the backup.
    package static let backupRecord = 16 << 20

    /// Maximum size of a lock file, in bytes. The limit is enough for a process id and the names of a machine and a container.
    package static let lockFile = 512

    /// Maximum time that a process waits while another process writes to the same vault, in seconds. A transaction takes
    /// milliseconds, and up to a second on a busy disk.
    package static let vaultWait = 10.0

    /// Size of SQLite's page cache for a vault, in KiB. The cache is large enough for the tables that change often, even with
    /// hundreds of conversations.
    package static let vaultCacheKiB = 8 << 10

    /// Maximum size of the events that wait for one subscriber, in bytes. The size of an event is the size of its text plus
    /// ``eventBytes``. The limit is enough for about 30,000 short messages, more than arrive at once after weeks offline. Beyond
    /// the limit, events are dropped. The messages of the dropped events are later read from the vault.
    public static let unreadEvents = 16 << 20

    /// Maximum number of entries that are read at once in place of dropped events. Even with the longest texts, this number of
    /// entries takes only a part of ``unreadEvents``. Reading them delays commands only for a moment.
    static let eventPage = 64

    /// Size in bytes that ``unreadEvents`` assumes for an event without its text.
    public static let eventBytes = 512

    /// Size in bytes that ``unreadEvents`` assumes for what an event says about one file, without the file's name.
    static let fileBytesInEvent = 128

    /// Number of threads for all profiles of a process. A person has one profile. A program with hundreds of profiles gains
    /// nothing from more threads: all threads wait for the same disk.
    package static let profileThreads = 8

    /// Maximum wait for the relay's goodbye when this side closes a connection. With this limit, closing takes at most a second
    /// in total. Messages that were not sent before the connection closed are sent on the next connection.
    static let goodbye = TimeAmount.milliseconds(500)
}
