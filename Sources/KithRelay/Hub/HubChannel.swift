import KithSupport
import KithWire

/// A channel in the hub's memory.
///
/// ``head`` and ``ids`` are durable. The decisions of the current round change only ``tentative``. After the store has committed
/// the round, ``tentative`` replaces the durable state. If the commit fails, ``tentative`` is discarded.
final class HubChannel {
    let id: ChannelID
    private(set) var head: ChannelHead
    /// The ids of recent entries; `nil` if the ids are not loaded. An append needs the ids.
    private(set) var ids: EntryIDWindow?
    /// The connections that follow the current epoch, by event loop.
    private(set) var followers: [[ConnectionNumber]]
    /// Whether the channel was used since the last examination for eviction.
    var isUsed = true
    /// Limits the rate at which clients take key packages from the shelf.
    var withdrawals: TokenBucket
    private(set) var tentative: Tentative?

    /// The state that the channel has if every decision of the round is committed.
    struct Tentative {
        var head: ChannelHead
        var entries: [Entry] = []
        var isTurned = false
        /// Ids of the entries that this round adds.
        var ids: Set<EntryID> = []
    }

    init(id: ChannelID, head: ChannelHead, loops: Int, limits: RelayLimits) {
        self.id = id
        self.head = head
        followers = Array(repeating: [], count: loops)
        withdrawals = TokenBucket(
            burst: limits.withdrawBurst, nanosecondsEach: Int64(limits.withdrawEveryMs) * 1_000_000)
    }

    var followerCount: Int { followers.reduce(0) { $0 + $1.count } }

    var hasFollowers: Bool { followers.contains { !$0.isEmpty } }

    /// Whether the channel may be removed from memory. An inbox that recently gave out key packages must stay in memory: an
    /// eviction would reset the limit ``withdrawals``.
    func isEvictable(atNanoseconds now: Int64) -> Bool { !hasFollowers && withdrawals.isFull(atNanoseconds: now) }

    func setIDs(_ window: EntryIDWindow) { ids = window }

    func forgetIDs() { ids = nil }

    /// Forgets the older ids. If there are only a few ids, forgets all ids: a few ids are loaded quickly.
    func shrinkIDs() {
        if ids?.canShrink == true { ids?.shrink() } else { ids = nil }
    }

    // MARK: A round

    /// Adds an entry to the round, with the next seq in the current epoch. If `nextAccess` is not `nil`, the entry is a turn.
    ///
    /// - Returns: the entry. If the head does not accept the entry, returns `nil` and changes nothing.
    func add(id: EntryID, payload: ArraySlice<UInt8>, nextAccess: Access?, nowMs: UInt64) -> Entry? {
        var round = tentative ?? Tentative(head: head)
        let entry = Entry(
            seq: round.head.lastSeq + 1, epoch: round.head.epoch, kind: nextAccess == nil ? .message : .turn,
            receivedAtMs: nowMs, id: id, payload: payload)
        guard round.head.append(entry, nextAccess: nextAccess) else { return nil }
        // The property is `nil` during the change, so that its arrays have one owner and are not copied.
        tentative = nil
        round.isTurned = nextAccess != nil
        round.entries.append(entry)
        round.ids.insert(id)
        tentative = round
        return entry
    }

    /// Replaces the channel's state by ``tentative``. Returns the round's entries, and the followers that get these entries.
    /// Called after the round was committed.
    func publishRound(uptimeMs: UInt64) -> (entries: [Entry], followers: [[ConnectionNumber]]) {
        guard let round = tentative else { return ([], followers) }
        tentative = nil
        head = round.head
        for entry in round.entries { ids?.insert(entry.id, seq: entry.seq, uptimeMs: uptimeMs) }
        let listening = followers
        if round.isTurned {
            // A follow ends with the turn, because the next epoch needs a token of its own.
            for loop in followers.indices { followers[loop] = [] }
        }
        return (round.entries, listening)
    }

    /// Drops the state of a round that was not committed.
    func discardRound() { tentative = nil }

    // MARK: Changes outside of a round

    func setHead(_ head: ChannelHead) { self.head = head }

    func setUsed(atMs: UInt64) { head.usedMs = atMs }

    // MARK: Followers

    func addFollower(_ connection: ConnectionNumber, loop: Int) {
        followers[loop].append(connection)
    }

    func removeFollower(_ connection: ConnectionNumber, loop: Int) {
        followers[loop].removeAll { $0 == connection }
    }

    /// Removes all followers and returns them.
    func takeFollowers() -> [[ConnectionNumber]] {
        defer { for loop in followers.indices { followers[loop] = [] } }
        return followers
    }
}
