import KithSupport
import KithWire

/// A channel that the hub has in memory.
///
/// ``head`` and ``ids`` are what is durable. While a round is being decided, its entries build on ``tentative``; they are
/// taken over only when the store has committed them, and forgotten otherwise.
final class HubChannel {
    let id: ChannelID
    private(set) var head: ChannelHead
    /// The ids of recent entries; `nil` until somebody appends.
    private(set) var ids: EntryIDWindow?
    /// The connections that follow the current epoch, by event loop.
    private(set) var followers: [[ConnectionNumber]]
    /// Whether somebody asked for the channel since it was last looked at for being forgotten.
    var isUsed = true
    /// Bounds how fast key packages can be taken from the shelf.
    var withdrawals: TokenBucket
    private(set) var tentative: Tentative?

    /// The round's state of the channel, if everything that was decided so far commits.
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

    /// What was loaded about entry ids.
    func setIDs(_ window: EntryIDWindow) { ids = window }

    func forgetIDs() { ids = nil }

    /// Forgets the older ids, or all if there are few: those are soon loaded again.
    func shrinkIDs() {
        if ids?.canShrink == true { ids?.shrink() } else { ids = nil }
    }

    // MARK: A round

    /// Adds an entry to the round: the next seq, in the current epoch. With access for the next epoch, the entry is a turn.
    ///
    /// - Returns: the entry; `nil`, and nothing has changed, if the head does not take it.
    func add(id: EntryID, payload: ArraySlice<UInt8>, nextAccess: Access?, nowMs: UInt64) -> Entry? {
        var round = tentative ?? Tentative(head: head)
        let entry = Entry(
            seq: round.head.lastSeq + 1, epoch: round.head.epoch, kind: nextAccess == nil ? .message : .turn,
            receivedAtMs: nowMs, id: id, payload: payload)
        guard round.head.append(entry, nextAccess: nextAccess) else { return nil }
        // Out of the property while it changes, so that its arrays are not copied.
        tentative = nil
        round.isTurned = nextAccess != nil
        round.entries.append(entry)
        round.ids.insert(id)
        tentative = round
        return entry
    }

    /// The round was committed: its state becomes the channel's. Returns its entries and who follows them.
    func takeOverRound(uptimeMs: UInt64) -> (entries: [Entry], followers: [[ConnectionNumber]]) {
        guard let round = tentative else { return ([], followers) }
        tentative = nil
        head = round.head
        for entry in round.entries { ids?.insert(entry.id, seq: entry.seq, uptimeMs: uptimeMs) }
        let listening = followers
        if round.isTurned {
            // Their follow ends with the turn; the next epoch needs its own token.
            for loop in followers.indices { followers[loop] = [] }
        }
        return (round.entries, listening)
    }

    /// The round was not committed: nothing of it happened.
    func forgetRound() { tentative = nil }

    // MARK: Changes that commit alone

    func setHead(_ head: ChannelHead) { self.head = head }

    func setUsed(atMs: UInt64) { head.usedMs = atMs }

    // MARK: Followers

    func addFollower(_ connection: ConnectionNumber, loop: Int) {
        followers[loop].append(connection)
    }

    func removeFollower(_ connection: ConnectionNumber, loop: Int) {
        followers[loop].removeAll { $0 == connection }
    }

    func takeFollowers() -> [[ConnectionNumber]] {
        defer { for loop in followers.indices { followers[loop] = [] } }
        return followers
    }
}
