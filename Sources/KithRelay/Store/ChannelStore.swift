import KithWire
import NIOCore

/// The store of a relay's channels. Each channel is an append-only log. An operation changes the store in steps, and each step is
/// one conditional append.
///
/// Every mutation names the state on which its decision is based: the last seq of the channel, the version of the shelf, or the
/// version of the record. If the store still has this state, the store makes the mutation durable. If the state has changed, the
/// store reports a conflict. With this rule, two kinds of stores are possible: a file that one process writes, and a replicated
/// log to which several relays append.
///
/// Outcomes are durable. If the power fails right after ``commit(_:)`` has returned, no committed mutation is lost.
package protocol ChannelStore: Sendable {
    /// The event loop on which the relay decides requests. If commits block, this is the loop of the store's own writer thread,
    /// so a commit needs no change of thread after the decision.
    var eventLoop: any EventLoop { get }

    /// 16 random bytes that do not change as long as the store exists.
    var relayID: [UInt8] { get }

    /// Returns the channel's state, or `nil` if the channel never existed. For a closed channel, ``ChannelHead/isClosed`` is
    /// `true`. The state then has no entries, and has the access of the last epoch.
    func head(of channel: ChannelID) async throws(StoreFailure) -> ChannelHead?

    /// Returns one epoch of a channel, or `nil` if the channel never reached the epoch or has forgotten the epoch. A channel
    /// remembers the current epoch, the last ``StoreLimits/trimmedEpochs`` epochs before it, and all epochs with kept entries.
    /// A client that was offline for too long can still prove its right in a remembered epoch, and gets the error `trimmed` and
    /// not `denied`.
    func epoch(_ epoch: UInt64, of channel: ChannelID) async throws(StoreFailure) -> EpochRecord?

    /// Returns consecutive entries of a channel from `first` through `last`. If the first kept entry is later than `first`,
    /// begins with the first kept entry. Returns as many entries as fit into `maximumBytes` of payload. If the range has an
    /// entry, returns at least one entry.
    func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) async throws(StoreFailure) -> [Entry]

    /// Returns the ids and seqs of a channel's entries that were received at or after a time. The ids of trimmed entries may be
    /// missing.
    func entryIDs(
        of channel: ChannelID, receivedSinceMs: UInt64
    ) async throws(StoreFailure) -> [(id: EntryID, seq: UInt64)]

    /// Returns the key packages of a channel.
    func shelf(of channel: ChannelID) async throws(StoreFailure) -> KeyPackageShelf

    /// Returns the record under a name, or `nil` if there is none. The store does not check whether the record was renewed in
    /// time.
    func record(under name: Name) async throws(StoreFailure) -> StoredName?

    /// Makes mutations durable as one group. Returns one outcome per mutation, in the order of the mutations.
    ///
    /// Mutations of one channel take effect in the given order, so each mutation may depend on earlier mutations.
    func commit(_ mutations: [StoreMutation]) async -> [StoreOutcome]

    /// Drops entries whose retention is over. Returns the channels that lost entries, and the new first seq of each channel.
    /// Works in slices: callers repeat the call until no channel is returned. Skips damaged channels.
    func expire(nowMs: UInt64) async throws(StoreFailure) -> [(channel: ChannelID, firstSeq: UInt64)]

    /// Returns some channels that have no entries and were last used before a given time. The channels may be open or closed.
    ///
    /// - Parameters:
    ///   - usedBeforeMs: the time for channels whose ``ChannelHead/isInLongUse`` is `false`, in milliseconds since 1970.
    ///   - longUsedBeforeMs: the time for channels whose ``ChannelHead/isInLongUse`` is `true`, in milliseconds since 1970.
    func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID]

    /// Deletes one-time key packages that were deposited before `keyPackagesBeforeMs`, and names that were last renewed before
    /// `namesBeforeMs`. Works in slices: returns `true` if there might be more to delete.
    func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool

    /// Returns the time that the last ``StoreMutation/noteClock(_:)`` noted, or `nil` if no time was noted.
    func notedClock() async throws(StoreFailure) -> NotedClock?

    /// Returns the space that the store uses, and the space that is free.
    func space() async throws(StoreFailure) -> StoreSpace

    /// Returns totals for `/metrics` and `kith relay status`.
    func statistics() async throws(StoreFailure) -> StoreStatistics

    /// Releases files and connections. Committed mutations are durable even without this call.
    func close() async
}
