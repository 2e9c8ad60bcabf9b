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
