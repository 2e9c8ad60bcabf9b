import KithCore
import NIOCore

/// The limits of connections, of the vault, and of what waits between them.
extension ClientLimits {
    /// The longest answer to the WebSocket upgrade that is read, in bytes. Relays answer with some 200; a proxy in
    /// between may add headers of its own.
    package static let upgradeResponse = 8 << 10

    /// Frames that wait for the event loop, or for the relay to read. Beyond ``unansweredRequests``, only frames wait that the
    /// relay's own frames called for (an `unfollow` that was refused, say). As many of those as a relay lets a connection follow
    /// channels; only a hostile relay reaches it, and is left.
    static let unsentFrames = unansweredRequests + 4096

    /// The longest page that is read when a relay is asked for its status, in bytes: ten times what one has.
    package static let statusPage = 64 << 10

    /// The longest known-relays file that is read, in bytes: room for thousands of relays.
    package static let knownRelaysFile = 1 << 20

    /// Memory that scrypt may take with parameters from a file, in bytes: eight times what Kith itself asks for.
    package static let scryptMemory = 1 << 30

    /// The longest record of a backup, in bytes: far more than any message, and no danger to a reader's memory.
    package static let backupRecord = 16 << 20

    /// The longest file that is read as a lock, in bytes: room for a process's number and for the names of its machine and
    /// container.
    package static let lockFile = 512

    /// The longest wait of one process for another that is writing to the same vault, in seconds. A transaction takes
    /// milliseconds; a busy disk may take a second.
    package static let vaultWait = 10.0

    /// SQLite's page cache for a vault, in KiB: the tables that change all the time, of hundreds of conversations.
    package static let vaultCacheKiB = 8 << 10

    /// The events that wait for one who listens, in bytes as they are counted (see ``eventBytes``): some 30,000 of short
    /// messages, which is more than a catching up after weeks brings at once.
    public static let unreadEvents = 16 << 20

    /// Memory that an event takes beside its text, in bytes.
    public static let eventBytes = 512

    /// The threads on which all profiles of a process work. A person has one profile; a program that has hundreds gains
    /// nothing by more threads than can wait for a disk at once.
    package static let profileThreads = 8

    /// Wait for the relay's goodbye when a connection is closed here: a second is all that closing may take, and
    /// what was not sent by then is sent by the next connection.
    static let goodbye = TimeAmount.milliseconds(500)
}
