import KithWire
import NIOCore

/// The store of a relay's channels: an append-only log for each. No operation needs more than one conditional append at
/// a time.
///
/// Every mutation names the state that it was decided on (the last seq of the channel, the version of the shelf, the
/// version of the record). The store makes it durable if that is still the state, and reports a conflict otherwise. So
/// a store can be a file that one process writes as well as a replicated log that several relays append to.
///
/// Outcomes are durable: a power cut right after ``commit(_:)`` returned loses no mutation that it reported as
/// committed.
package protocol ChannelStore: Sendable {
    /// The event loop on which the relay decides requests. A store whose commits block returns the loop of its own
    /// writer thread, so that deciding and committing need no hop between threads.
    var eventLoop: any EventLoop { get }

    /// 16 random bytes that stay the same as long as the store exists.
    var relayID: [UInt8] { get }

    /// The channel's state; `nil` if the channel never existed. A closed channel has ``ChannelHead/isClosed``, no
    /// entries, and its last access.
    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead?

    /// One epoch of a channel; `nil` if the channel does not have it, or no longer. An epoch outlives its entries for
    /// ``StoreLimits/trimmedEpochs`` turns, so that a client that was offline too long is told `trimmed`.
    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord?

    /// Consecutive entries of a channel, from `first` (or the first kept entry, if that is later) through `last`: as
    /// many as fit into `maximumBytes` of payload, but at least one if there is one.
    func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry]

    /// The ids and seqs of a channel's entries received at or after a time. The ids of trimmed entries may be missing.
    func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)]

    /// The key packages of a channel.
    func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf

    /// The record under a name, however old it is; `nil` if there is none.
    func record(under name: Name) async throws(StoreFailure) -> StoredName?

    /// Makes mutations durable as one group. Returns one outcome for each, in their order.
    ///
    /// Mutations of one channel take effect in the given order, so that each may build on the one before.
    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome]

    /// Drops entries that were received longer ago than their channel's retention. Returns the channels that lost
    /// entries, with the first seq that each still has. Works in slices: call it again while it returns channels. Skips
    /// damaged channels.
    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)]

    /// Some of the channels without entries that were last used before a time, closed ones included.
    ///
    /// - Parameters:
    ///   - usedBeforeMs: the time for channels that are not ``ChannelHead/isInLongUse``.
    ///   - longUsedBeforeMs: the time for those that are.
    func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID]

    /// Deletes one-time key packages that were deposited, and names that were renewed, before the given times. Works in
    /// slices: returns whether there may be more.
    func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool

    /// The time that ``StoreMutation/noteClock(_:)`` noted last; `nil` if it noted none.
    func notedClock() async throws(StoreFailure) -> NotedClock?

    /// The space that the store uses, and the space that is free.
    func space() async throws(StoreFailure) -> StoreSpace

    /// Totals, for `/metrics` and `kith relay status`.
    func statistics() async throws(StoreFailure) -> StoreStatistics

    /// Releases files and connections. Committed mutations are durable without it, too.
    func close() async
}
