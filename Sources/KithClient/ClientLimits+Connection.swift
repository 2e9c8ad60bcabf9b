import KithCore
import NIOCore

/// The limits of connections, of the vault, and of waiting events.
extension ClientLimits {
    /// The longest response to the WebSocket upgrade that is read, in bytes. A relay's response has about 200; a proxy may add
    /// headers.
    package static let upgradeResponse = 8 << 10

    /// Frames that wait for the event loop, or for the relay to read. Beyond ``unansweredRequests``, only frames wait that the
    /// relay's own frames called for, such as a repeated `unfollow`. The limit allows as many of those as a connection may
    /// follow channels. Only a hostile relay exceeds it, and is disconnected.
    static let unsentFrames = unansweredRequests + 4096

    /// The longest status page of a relay that is read, in bytes: ten times the usual length.
    package static let statusPage = 64 << 10

    /// The longest known-relays file that is read, in bytes: room for thousands of relays.
    package static let knownRelaysFile = 1 << 20

    /// Memory that scrypt may take with parameters from a file, in bytes: eight times the memory of Kith's own parameters.
    package static let scryptMemory = 1 << 30

    /// The longest record of a backup, in bytes: far longer than any message, and small enough for a reader's memory.
    package static let backupRecord = 16 << 20

    /// The longest lock file that is read, in bytes: room for a process's number and for the names of its machine and
    /// container.
    package static let lockFile = 512

    /// The longest wait of one process for another that is writing to the same vault, in seconds. A transaction takes
    /// milliseconds; a busy disk may take a second.
    package static let vaultWait = 10.0

    /// SQLite's page cache for a vault, in KiB: room for the often changed tables of hundreds of conversations.
    package static let vaultCacheKiB = 8 << 10

    /// The events that wait for one subscriber, in bytes as counted with ``eventBytes``: about 30,000 short messages, more than
    /// catching up after weeks brings at once.
    public static let unreadEvents = 16 << 20

    /// Memory of an event beside its text, in bytes.
    public static let eventBytes = 512

    /// The threads for all profiles of a process. A person has one profile. A program with hundreds gains nothing by more
    /// threads, since they wait for the same disk.
    package static let profileThreads = 8

    /// Wait for the relay's goodbye when this side closes a connection: closing may take a second at most, and unsent messages
    /// are sent on the next connection.
    static let goodbye = TimeAmount.milliseconds(500)
}
