import KithWire
import NIOCore

/// The store of a relay's channels: an append-only log for each, and nothing that needs more than one conditional append
/// at a time.
///
/// Every mutation names the state it was decided on (the last seq of the channel, the version of the shelf, the version of
/// the record); the store makes it durable if that is still the state, and reports a conflict otherwise. So a store can be
/// a file that one process writes as well as a replicated log that several relays append to.
///
/// Outcomes are durable: a power cut right after ``commit(_:)`` returned loses nothing that it called committed.
public protocol ChannelStore: Sendable {
    /// The loop that the relay's ``Hub`` runs on. A store whose commits block gives the loop of its own writer thread, so that
    /// deciding and committing need no hop between threads.
    var eventLoop: any EventLoop { get }

    /// 16 random bytes that stay the same as long as the store does.
    var relayID: [UInt8] { get }

    /// The channel's state, or `nil` if there has never been such a channel. A closed one has ``ChannelHead/isClosed``, no
    /// entries, and its last access.
    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead?

    /// One epoch of a channel, or `nil` if the channel does not have it (or no longer). An epoch outlives its entries for
    /// ``StoreLimits/trimmedEpochs`` turns, so that who comes back late hears that entries were trimmed.
    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord?

    /// Consecutive entries of a channel, from `first` (or the first one still kept, if that is later) through `last`: as
    /// many as fit into `maximumBytes` of payload, but at least one if there is one.
    func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry]

    /// The ids of a channel's entries received at or after a time, with their seqs. A trimmed entry's may be missing.
    func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)]

    /// The key packages that a channel has to give out.
    func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf

    /// The record under a name, however old.
    func record(under name: Name) async throws(StoreFailure) -> StoredName?

    /// Makes mutations durable, all in one group. Returns one outcome for each, in their order.
    ///
    /// Mutations of one channel take effect in the order given, so that each may build on the one before.
    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome]

    /// Drops entries that were received longer ago than their channel's retention. Returns the channels that lost
    /// some, with the first seq each still has. Works in slices; call again while it returns some. A damaged channel is
    /// passed over.
    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)]

    /// Some channels without entries that were last used before a time, closed ones included.
    ///
    /// - Parameters:
    ///   - usedBeforeMs: the time for channels that are not ``ChannelHead/isInLongUse``.
    ///   - longUsedBeforeMs: the time for those that are.
    func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID]

    /// Deletes one-time key packages that were deposited, and names that were renewed, before the times given. Works in
    /// slices: returns whether there may be more.
    func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool

    /// The time that ``StoreMutation/noteClock(_:)`` noted last; `nil` if none was.
    func notedClock() async throws(StoreFailure) -> NotedClock?

    /// The room that the store takes, and the room there is.
    func space() async throws(StoreFailure) -> StoreSpace

    /// Totals, for `/metrics` and `kith relay status`.
    func statistics() async throws(StoreFailure) -> StoreStatistics

    /// Releases files and connections. What was committed is durable before this too.
    func close() async
}

/// The state of a channel that an append has to know.
public struct ChannelHead: Hashable, Sendable {
    /// Whether the channel is a log or an inbox. Never changes.
    public var kind: ChannelKind
    /// The current epoch, from 0.
    public var epoch: UInt64
    /// The access to the current epoch.
    public var access: Access
    /// The seq that the current epoch's first entry has or will have.
    public var epochFirstSeq: UInt64
    /// The seq of the first entry still kept; one more than ``lastSeq`` when none is.
    public var firstSeq: UInt64
    /// The seq of the last entry; 0 before the first.
    public var lastSeq: UInt64
    /// The payload bytes kept.
    public var payloadBytes: UInt64
    /// How long entries are kept, in seconds.
    public var retentionSeconds: UInt32
    /// Whether the channel was closed: then it holds nothing, and says so.
    public var isClosed: Bool
    /// When the channel was created, in milliseconds since 1970.
    public let createdMs: UInt64
    /// When it was last noted that somebody with a right uses the channel, in milliseconds since 1970.
    public var usedMs: UInt64

    /// Whether the channel is open and was in use for more than a week: then it is a conversation, which may rest for long.
    public var isInLongUse: Bool { !isClosed && usedMs > createdMs && usedMs - createdMs > StoreLimits.longUseMs }

    /// The head of a channel that was just created.
    public init(created access: Access, kind: ChannelKind = .log, retentionSeconds: UInt32, atMs: UInt64) {
        createdMs = atMs
        usedMs = atMs
        self.kind = kind
        epoch = 0
        self.access = access
        epochFirstSeq = 1
        firstSeq = 1
        lastSeq = 0
        payloadBytes = 0
        self.retentionSeconds = retentionSeconds
        isClosed = false
    }
}

/// One epoch of a channel.
public struct EpochRecord: Hashable, Sendable {
    /// The access to it.
    public let access: Access
    /// The seq of its first entry.
    public let firstSeq: UInt64
    /// The seq of its turn; `nil` while it is the current epoch.
    public let lastSeq: UInt64?

    /// An epoch from its fields.
    public init(access: Access, firstSeq: UInt64, lastSeq: UInt64?) {
        self.access = access
        self.firstSeq = firstSeq
        self.lastSeq = lastSeq
    }
}

/// The key packages of an inbox.
public struct KeyPackageShelf: Hashable, Sendable {
    /// Goes up by one with every deposit and withdrawal.
    public var version: UInt64
    /// How many one-time packages are left.
    public var count: Int
    /// The next one-time package to give out.
    public var next: Item?
    /// The package to give out when no one-time package is left.
    public var lastResort: KeyPackageBytes?

    /// A one-time key package on its shelf.
    public struct Item: Hashable, Sendable {
        /// Its place: a later deposit has a higher one.
        public let position: UInt64
        /// The key package.
        public let bytes: KeyPackageBytes

        /// A package and its place.
        public init(position: UInt64, bytes: KeyPackageBytes) {
            self.position = position
            self.bytes = bytes
        }
    }

    /// A shelf from its fields.
    public init(version: UInt64 = 0, count: Int = 0, next: Item? = nil, lastResort: KeyPackageBytes? = nil) {
        self.version = version
        self.count = count
        self.next = next
        self.lastResort = lastResort
    }
}

/// One conditional append to one of the store's logs.
public enum StoreMutation: Sendable {
    /// Makes a channel at epoch 0, if there has never been one with this id.
    case create(
        channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32, atMs: UInt64)
    /// Appends an entry, if the channel is open and its last seq is the one before. A turn comes with the access of the
    /// epoch it opens; an inbox takes none.
    case append(channel: ChannelID, entry: Entry, nextAccess: Access?)
    /// Drops a channel's entries, epochs and key packages for good, if its last seq is this one.
    case close(channel: ChannelID, lastSeq: UInt64)
    /// Drops the entries before `firstSeq`, if the channel is open and has come that far; nothing if they are gone already.
    case trim(channel: ChannelID, firstSeq: UInt64)
    /// Adds key packages, if the shelf has this version. A last-resort package replaces the one before.
    case deposit(
        channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, shelfVersion: UInt64,
        atMs: UInt64)
    /// Takes a one-time key package off the shelf, if the shelf has this version.
    case withdraw(channel: ChannelID, position: UInt64, shelfVersion: UInt64)
    /// Puts a record under its name, if the one there has this version, or there is none and this is `nil`.
    case register(record: NameRecord, replacing: UInt64?, atMs: UInt64)
    /// Notes that the channel is used, or was: ``ChannelHead/usedMs`` becomes this.
    case use(channel: ChannelID, atMs: UInt64)
    /// Deletes a channel with everything that it has, as if it had never been, if it has no entries, was not used since, and
    /// nothing of it is still to be deleted.
    case forget(channel: ChannelID, usedMs: UInt64)
    /// Deletes the record under a name, if there is one.
    case dropName(Name)
    /// Notes the time that the relay goes by, for its next start.
    case noteClock(NotedClock)
}

/// The time that a relay goes by, as it is noted for the next start.
public struct NotedClock: Hashable, Sendable {
    /// That time, in milliseconds since 1970.
    public var timeMs: UInt64
    /// The doubt in the machine's clock, if it was far ahead of that time.
    public var doubt: Doubt?

    /// How long the machine's clock has been doubted.
    public struct Doubt: Hashable, Sendable {
        /// The time that the doubted clock showed first, with ``ranMs`` added, in milliseconds since 1970.
        public var wallMs: UInt64
        /// How long the relay has run since, in milliseconds.
        public var ranMs: UInt64

        /// A doubt from its values; one that begins, unless told.
        public init(wallMs: UInt64, ranMs: UInt64 = 0) {
            self.wallMs = wallMs
            self.ranMs = ranMs
        }
    }

    /// A time from its values.
    public init(timeMs: UInt64, doubt: Doubt? = nil) {
        self.timeMs = timeMs
        self.doubt = doubt
    }
}

/// A record under a name, and its age.
public struct StoredName: Hashable, Sendable {
    /// The record.
    public let record: NameRecord
    /// When it was registered or last replaced, in milliseconds since 1970.
    public let renewedMs: UInt64
}

/// The room that a store takes.
public struct StoreSpace: Hashable, Sendable {
    /// Bytes in use. Those that were freed and are used again before the store grows do not count.
    public var usedBytes: UInt64
    /// Bytes by which ``usedBytes`` can grow until the disk is full.
    public var freeBytes: UInt64

    /// A space from its values.
    public init(usedBytes: UInt64, freeBytes: UInt64) {
        self.usedBytes = usedBytes
        self.freeBytes = freeBytes
    }
}

/// The outcome of a mutation.
public enum StoreOutcome: Hashable, Sendable {
    /// It is durable.
    case committed
    /// The state was another: nothing changed. Look again and decide anew.
    case conflict
    /// It could not be made durable: nothing changed.
    case failed(StoreFailure)
}

/// Why a store could not do something. Carries no identifier of a channel or a person.
public enum StoreFailure: Error, Hashable, Sendable {
    /// No room on the disk.
    case full
    /// The disk or the database refused; the text is the system's.
    case io(String)
    /// The file does not hold what was written to it; the text says where.
    case damaged(String)
}

/// Totals of a store.
public struct StoreStatistics: Hashable, Sendable {
    /// Channels that are open.
    public var channels: UInt64
    /// Entries kept.
    public var entries: UInt64
    /// Key packages waiting, last-resort ones included.
    public var keyPackages: UInt64
    /// Names registered.
    public var names: UInt64
    /// Bytes on the disk.
    public var diskBytes: UInt64
    /// How often something of one channel was found damaged and passed over, since the start.
    public var damages: UInt64

    /// Statistics from their values.
    public init(
        channels: UInt64, entries: UInt64, keyPackages: UInt64, names: UInt64, diskBytes: UInt64, damages: UInt64 = 0
    ) {
        self.channels = channels
        self.entries = entries
        self.keyPackages = keyPackages
        self.names = names
        self.diskBytes = diskBytes
        self.damages = damages
    }
}
