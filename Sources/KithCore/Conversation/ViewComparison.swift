import KithWire
import MLS

/// Compares the log of an epoch, as this device has seen it, with the views that members state.
struct ViewComparison {
    let conversation: ConversationID
    /// Hashes of the log in this epoch, by seq.
    private var hashes: [UInt64: [UInt8]] = [:]
    /// Gaps in the messages of members.
    private var gaps: [LeafIndex: Gap] = [:]
    /// The number of each member's messages that were missing when a turn arrived. A number is kept until its member states a
    /// view again.
    private var missingAtTurn: [LeafIndex: Int] = [:]
    /// For each member that has stated, in a live check, a view that is ahead of this device's view: the member's view.
    private var claims: [LeafIndex: Claim] = [:]
    /// The seq of the last entry that was reported to the user as held back by the relay.
    private var toldHeldBack: UInt64 = 0

    /// Missing messages of a member. A gap contains the seq of the entry at which the messages were first missing, and the
    /// number of missing messages that were already reported.
    private struct Gap {
        let since: UInt64
        var told = 0
    }

    /// A member's view that is ahead of this device's view.
    private struct Claim {
        let view: LogView
        /// The start of the wait for the missing entries, in milliseconds; see ``Clocks/now``.
        var at: UInt64
        /// Whether the log was followed again since the member stated the view.
        var isAskedAgain = false
    }

    init(of conversation: ConversationID) { self.conversation = conversation }

    // MARK: Hashes

    /// Returns the hash of the log after an entry of this epoch; `nil` if it is not in memory.
    func hash(at seq: UInt64) -> [UInt8]? { hashes[seq] }

    /// Stores the hash of the log after an entry of this epoch.
    mutating func advance(to view: LogView) { hashes[view.seq] = view.hash }

    /// Frees the hashes, which can be read from the store again.
    mutating func unload() { hashes = [:] }

    /// Forgets the hashes of the epoch that a turn has ended.
    mutating func enterEpoch() { hashes = [:] }

    /// Forgets everything, because this device returns to the log at another position.
    mutating func forget() {
        hashes = [:]
        gaps = [:]
        missingAtTurn = [:]
        claims = [:]
    }

    // MARK: Missing messages

    /// Handles a message of a sender, with the number of the sender's messages that are missing. A gap counts only after
    /// ``ClientLimits/entriesBeforeGap`` further entries: a relay can refuse one of several messages at first, so that this
    /// message arrives a little later than the others.
    ///
    /// - Returns: the number of missing messages that have to be reported, or 0.
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

    /// Called when a turn ends the epoch. Keeps the number of each member's messages that are missing, until that member states
    /// a view again.
    ///
    /// - Parameters:
    ///   - missing: returns the number of a member's messages that are missing.
    ///   - stays: returns whether a member is still in the group after the turn. A removed or replaced member will state no view.
    mutating func keepGaps(missing: (LeafIndex) -> Int, stays: (LeafIndex) -> Bool) {
        for (sender, gap) in gaps {
            let untold = missing(sender) - gap.told
            if untold > 0 { missingAtTurn[sender, default: 0] += untold }
        }
        gaps = [:]
        missingAtTurn = missingAtTurn.filter { stays($0.key) }
    }

    /// Removes and returns the number of a member's messages that were missing when a turn arrived. Called when the member states
    /// its view again.
    ///
    /// - Returns: the number, at least 1; `nil` if no messages were missing.
    mutating func takeMissingAtTurn(of sender: LeafIndex) -> Int? { missingAtTurn.removeValue(forKey: sender) }

    // MARK: Claims

    var hasClaims: Bool { !claims.isEmpty }

    /// The times at which missing entries are overdue, in milliseconds; see ``Clocks/now``. An entry is missing if a member has
    /// seen it and this device has not.
    var due: [UInt64] { claims.values.map { $0.at + ClientLimits.keptMs } }

    /// Adds a member's view that is ahead of this device's. If an earlier view of the same member still waits for its check,
    /// keeps the earlier view and ignores the new one, so that the check is not postponed.
    mutating func claim(_ view: LogView, of sender: LeafIndex, at now: UInt64) {
        if claims[sender] == nil { claims[sender] = Claim(view: view, at: now) }
    }

    /// Restarts the waits for missing entries, because the log has been read to its end. Only time during which entries can
    /// arrive counts as waiting.
    mutating func restartClaims(at now: UInt64) {
        for sender in claims.keys { claims[sender]?.at = now }
    }

    /// Removes and returns the members' views whose positions the log has reached.
    mutating func takeClaims(through seq: UInt64) -> [LogView] {
        var views: [LogView] = []
        for sender in claims.keys.sorted() {
            guard let claim = claims[sender], claim.view.seq <= seq else { continue }
            claims[sender] = nil
            views.append(claim.view)
        }
        return views
    }

    /// Drops the members' views that are ahead of this device's view. Called when a turn has arrived: a member whose view is
    /// ahead has seen an entry other than the turn at the turn's seq.
    mutating func dropClaims() { claims = [:] }

    /// Finds entries that a member has and that the relay has not shown to this device, although this device has waited for them
    /// for a minute. The first time that such an entry is late, the log only has to be followed again, because a jump of the
    /// clock makes every entry seem late.
    ///
    /// - Returns: in `heldBack`, the seqs up to which the relay holds back entries, for a report to the user; in `asksAnew`,
    ///   whether the log has to be followed again now.
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
