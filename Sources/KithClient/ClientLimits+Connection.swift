import KithCore
import NIOCore

/// The limits of connections, of the vault, and of what waits between them.
extension ClientLimits {
    /// The longest answer to the WebSocket upgrade that is read, in bytes. Relays answer with some 200; a proxy in
    /// between may add headers of its own.
    package static let upgradeResponse = 8 << 10

    /// Requests that may wait for their answer on one connection. More than any burst a relay allows, and few enough
    /// that a relay that stops answering costs little.
    package static let unansweredRequests = 1 << 16

    /// Frames that a connection sends because the relay's frames call for them (an `unfollow` that was refused, say) while
    /// the relay reads nothing. As many as a relay lets a connection follow channels; only a hostile one reaches it.
    static let unreadReactions = 4096

    /// Frames that one follow holds for a consumer that is slower than the relay, in bytes. Enough to keep a consumer
    /// busy for the round trip it takes to ask for more. Reached, the relay is asked to stop sending this channel.
    package static let followBacklog = 1 << 20

    /// Frames that all follows of one connection hold together, in bytes; beyond it, the next follow that receives
    /// something is held back too. Bounds a client that follows thousands of channels and reads none.
    package static let connectionBacklog = 8 << 20

    /// The longest page that is read when a relay is asked for its status, in bytes: ten times what one has.
    package static let statusPage = 64 << 10

    /// The longest known-relays file that is read, in bytes: room for thousands of relays.
    package static let knownRelaysFile = 1 << 20

    /// Duration of a connection after which the next one is made as soon as after the first: the handshake, a catching up,
    /// and then some.
    package static let lastingConnection = Duration.seconds(5)

    /// Upper bound of the pause before the second connection to a relay, in milliseconds: a relay that restarts is soon found.
    package static let shortestReconnectMs: UInt64 = 250

    /// Upper bound of every pause before a connection to a relay, in milliseconds: a relay that comes back is not overrun, and
    /// is found within a minute.
    package static let longestReconnectMs: UInt64 = 60_000

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

    /// Entries that follows have brought and the messenger has not taken yet, in bytes of payload: enough that one transaction stores
    /// thousands of messages, and little beside what a profile takes anyway. Reached, nothing more is taken from the relays.
    package static let mailbox = 4 << 20

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
