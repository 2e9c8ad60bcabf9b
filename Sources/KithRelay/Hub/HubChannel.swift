import KithSupport
import KithWire

/// A channel that the hub has in memory.
///
/// ``head`` and ``ids`` are durable. Entries of the round that is being decided build on ``tentative``. It replaces the
/// durable state once the store has committed it, and is discarded otherwise.
final class HubChannel {
    let id: ChannelID
    private(set) var head: ChannelHead
    /// The ids of recent entries; `nil` until the first append.
    private(set) var ids: EntryIDWindow?
    /// The connections that follow the current epoch, by event loop.
    private(set) var followers: [[ConnectionNumber]]
    /// Whether the channel was used since eviction last examined it.
    var isUsed = true
    /// Bounds the rate at which key packages are taken from the shelf.
    var withdrawals: TokenBucket
    private(set) var tentative: Tentative?

    /// The channel's state if every decision of the round is committed.
    struct Tentative {
        var head: ChannelHead
        var entries: [Entry] = []
        var isTurned = false
        /// Ids of the round's own entries.
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

    /// Whether memory may lose the channel. An inbox that gave out key packages recently may not: it would give out as
    /// many again.
    func isEvictable(atNanoseconds now: Int64) -> Bool { !hasFollowers && withdrawals.isFull(atNanoseconds: now) }

    func setIDs(_ window: EntryIDWindow) { ids = window }

    func forgetIDs() { ids = nil }

    /// Forgets the older ids, or all if there are few: a few are quickly loaded again.
    func shrinkIDs() {
        if ids?.canShrink == true { ids?.shrink() } else { ids = nil }
    }

    // MARK: A round

    /// Adds an entry to the round: the next seq, in the current epoch. With access for the next epoch, the entry is a
    /// turn.
    ///
    /// - Returns: the entry; `nil`, without a change, if the head does not accept it.
    func add(id: EntryID, payload: ArraySlice<UInt8>, nextAccess: Access?, nowMs: UInt64) -> Entry? {
        var round = tentative ?? Tentative(head: head)
        let entry = Entry(
            seq: round.head.lastSeq + 1, epoch: round.head.epoch, kind: nextAccess == nil ? .message : .turn,
            receivedAtMs: nowMs, id: id, payload: payload)
        guard round.head.append(entry, nextAccess: nextAccess) else { return nil }
        // The property is empty during the change, so that its arrays are not copied.
        tentative = nil
        round.isTurned = nextAccess != nil
        round.entries.append(entry)
        round.ids.insert(id)
        tentative = round
        return entry
    }

    /// Makes the committed round the channel's state. Returns the round's entries and the followers that get them.
    func publishRound(uptimeMs: UInt64) -> (entries: [Entry], followers: [[ConnectionNumber]]) {
        guard let round = tentative else { return ([], followers) }
        tentative = nil
        head = round.head
        for entry in round.entries { ids?.insert(entry.id, seq: entry.seq, uptimeMs: uptimeMs) }
        let listening = followers
        if round.isTurned {
            // A follow ends with the turn: the next epoch needs a token of its own.
            for loop in followers.indices { followers[loop] = [] }
        }
        return (round.entries, listening)
    }

    /// Drops the round's state, which was not committed.
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
