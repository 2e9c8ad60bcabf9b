import KithWire
import MLS

/// The log of an epoch as this device has seen it, to compare with the views that members state.
struct ViewComparison {
    let conversation: ConversationID
    /// Hashes of the log in this epoch, by seq.
    private var hashes: [UInt64: [UInt8]] = [:]
    /// Gaps in the messages of members.
    private var gaps: [LeafIndex: Gap] = [:]
    /// The number of messages of each member that were missing when a turn came, until that member states its view again.
    private var missingAtTurn: [LeafIndex: Int] = [:]
    /// Views from live checks that are ahead of this device's, by the member that stated them.
    private var claims: [LeafIndex: Claim] = [:]
    /// The last entry of which the user was told that the relay holds it back.
    private var toldHeldBack: UInt64 = 0

    /// Messages of a member that should have come and have not: the entry at which they were first missing, and the number that
    /// was reported.
    private struct Gap {
        let since: UInt64
        var told = 0
    }

    /// A view that is ahead of this device's.
    private struct Claim {
        let view: LogView
        /// The beginning of the wait for its entries, in milliseconds; see ``Clocks/now``.
        var at: UInt64
        /// Whether the log was followed anew since.
        var isAskedAgain = false
    }

    init(of conversation: ConversationID) { self.conversation = conversation }

    // MARK: Hashes

    /// The hash of the log after an entry of this epoch, if it is in memory.
    func hash(at seq: UInt64) -> [UInt8]? { hashes[seq] }

    /// Remembers the hash of the log after an entry of this epoch.
    mutating func advance(to view: LogView) { hashes[view.seq] = view.hash }

    /// Frees the hashes, which can be read from the store again.
    mutating func unload() { hashes = [:] }

    /// Forgets the hashes of the epoch that a turn ended.
    mutating func enterEpoch() { hashes = [:] }

    /// Forgets everything, because this device returns to the log at another place.
    mutating func forget() {
        hashes = [:]
        gaps = [:]
        missingAtTurn = [:]
        claims = [:]
    }

    // MARK: Missing messages

    /// Handles a message of a sender, with the number of the sender's messages that are missing. A gap counts only after
    /// ``ClientLimits/entriesBeforeGap`` further entries: if a relay refuses one of several messages for the moment, it gets that
    /// message a little later.
    ///
    /// - Returns: the number of missing messages to report; 0 for none.
    mutating func newlyMissing(of sender: LeafIndex, _ missing: Int, at seq: UInt64) -> Int {
        guard missing > 0 else {
            gaps[sender] = nil
            return 0
        }
        var gap = gaps[sender] ?? Gap(since: seq)
        defer { gaps[sender] = gap }
        guard seq >= gap.since + ClientLimits.entriesBeforeGap, missing > gap.told else { return 0 }
        defer { gap.told = missing }
        return missing - gap.told
    }

    /// Keeps the number of each member's missing messages when a turn ends the epoch, until that member states its view again.
    ///
    /// - Parameters:
    ///   - missing: returns the number of a member's messages that are missing.
    ///   - stays: returns whether a member is still in the group after the turn. A member that was removed or replaced states no
    ///     view.
    mutating func keepGaps(missing: (LeafIndex) -> Int, stays: (LeafIndex) -> Bool) {
        for (sender, gap) in gaps {
            let untold = missing(sender) - gap.told
            if untold > 0 { missingAtTurn[sender, default: 0] += untold }
        }
        gaps = [:]
        missingAtTurn = missingAtTurn.filter { stays($0.key) }
    }

    /// Takes the missing messages of a member that states its view for the first time since a turn.
    ///
    /// - Returns: the number of messages that were missing when the turn came; `nil` for none.
    mutating func takeMissingAtTurn(of sender: LeafIndex) -> Int? { missingAtTurn.removeValue(forKey: sender) }

    // MARK: Claims

    var hasClaims: Bool { !claims.isEmpty }

    /// The times at which the entries in members' claims are overdue, in milliseconds; see ``Clocks/now``.
    var due: [UInt64] { claims.values.map { $0.at + ClientLimits.keptMs } }

    /// Adds a view that is ahead. An earlier claim of the member stays, so that a later one can't postpone it.
    mutating func claim(_ view: LogView, of sender: LeafIndex, at now: UInt64) {
        if claims[sender] == nil { claims[sender] = Claim(view: view, at: now) }
    }

    /// Restarts the waits, because the log has been read to its end. Time counts only while entries can come.
    mutating func restartClaims(at now: UInt64) {
        for sender in claims.keys { claims[sender]?.at = now }
    }

    /// Removes and returns the views that the log has reached.
    mutating func takeClaims(through seq: UInt64) -> [LogView] {
        var views: [LogView] = []
        for sender in claims.keys.sorted() {
            guard let claim = claims[sender], claim.view.seq <= seq else { continue }
            claims[sender] = nil
            views.append(claim.view)
        }
        return views
    }

    /// Drops all claims when a turn comes. Members with claims have seen other entries at its seq.
    mutating func dropClaims() { claims = [:] }

    /// Looks for entries that a member has and that the relay has not shown for a minute. The first time, the log is to be
    /// followed anew, because the clock may have jumped.
    ///
    /// - Returns: the seqs up to which the relay holds entries back, to be reported, and whether to follow the log anew now.
    mutating func checkClaims(at now: UInt64) -> (heldBack: [UInt64], asksAnew: Bool) {
        var (heldBack, asksAnew): ([UInt64], Bool) = ([], false)
        for sender in claims.keys.sorted() {
            guard let claim = claims[sender], claim.at + ClientLimits.keptMs <= now else { continue }
            if claim.isAskedAgain {
                claims[sender] = nil
                guard claim.view.seq > toldHeldBack else { continue }
                toldHeldBack = claim.view.seq
                heldBack.append(claim.view.seq)
            } else {
                claims[sender] = Claim(view: claim.view, at: now, isAskedAgain: true)
                asksAnew = true
            }
        }
        return (heldBack, asksAnew)
    }
}
