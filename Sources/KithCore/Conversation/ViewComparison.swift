import KithWire
import MLS

/// A memory of the log of an epoch, to compare it with the views that members state.
struct ViewComparison {
    let conversation: ConversationID
    /// Hashes of the log in this epoch, by seq.
    private var hashes: [UInt64: [UInt8]] = [:]
    /// Members of whom messages are missing, since which entry, and how many were told of.
    private var gaps: [LeafIndex: Gap] = [:]
    /// Messages that were missing of members when a turn came, until the member states its view again.
    private var missingAtTurn: [LeafIndex: Int] = [:]
    /// Views from live checks that are ahead of this device's, by the member that stated them.
    private var claims: [LeafIndex: Claim] = [:]
    /// The last entry that the user was told is held back.
    private var toldHeldBack: UInt64 = 0

    /// Messages of a member that should have come and have not.
    private struct Gap {
        let since: UInt64
        var told = 0
    }

    /// A view that is ahead of this device's.
    private struct Claim {
        let view: LogView
        /// When it was stated, in milliseconds.
        var at: UInt64
        /// Whether the log was asked for anew since.
        var isAskedAgain = false
    }

    init(of conversation: ConversationID) { self.conversation = conversation }

    // MARK: Hashes

    /// The hash of the log after an entry of this epoch, as far as it is in memory.
    func hash(at seq: UInt64) -> [UInt8]? { hashes[seq] }

    /// The log has gone on within the epoch.
    mutating func advance(to view: LogView) { hashes[view.seq] = view.hash }

    /// Lets go of what can be read from the store again.
    mutating func unload() { hashes = [:] }

    /// A turn was applied.
    mutating func enterEpoch() { hashes = [:] }

    /// This device comes back to the log elsewhere.
    mutating func forget() {
        hashes = [:]
        gaps = [:]
        missingAtTurn = [:]
        claims = [:]
    }

    // MARK: Missing messages

    /// A message of a sender came, of whom others are missing. A relay that refuses one of several for the moment gets it a little
    /// later, so a gap counts only when the log has gone on for a while.
    ///
    /// - Returns: how many to tell of; 0 for none.
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

    /// Keeps what is missing of each member when a turn ends the epoch, until that member states its view again.
    ///
    /// - Parameters:
    ///   - missing: how many messages of a member are missing.
    ///   - stays: whether a member is still there after the turn. One that was removed or replaced states no view.
    mutating func keepGaps(missing: (LeafIndex) -> Int, stays: (LeafIndex) -> Bool) {
        for (sender, gap) in gaps {
            let untold = missing(sender) - gap.told
            if untold > 0 { missingAtTurn[sender, default: 0] += untold }
        }
        gaps = [:]
        missingAtTurn = missingAtTurn.filter { stays($0.key) }
    }

    /// A member states its view for the first time since a turn.
    ///
    /// - Returns: how many messages of it were missing when the turn came; `nil` for none.
    mutating func takeMissingAtTurn(of sender: LeafIndex) -> Int? { missingAtTurn.removeValue(forKey: sender) }

    // MARK: Claims

    var hasClaims: Bool { !claims.isEmpty }

    /// The times at which entries that members have are missed, in milliseconds.
    var due: [UInt64] { claims.values.map { $0.at + ClientLimits.keptMs } }

    /// A member states a view that is ahead. One that waits is waited for: a later one must not put it off.
    mutating func claim(_ view: LogView, of sender: LeafIndex, at now: UInt64) {
        if claims[sender] == nil { claims[sender] = Claim(view: view, at: now) }
    }

    /// The log is here: only while it can come does time count.
    mutating func restartClaims(at now: UInt64) {
        for sender in claims.keys { claims[sender]?.at = now }
    }

    /// Takes the views that the log has come to.
    mutating func takeClaims(through seq: UInt64) -> [LogView] {
        var views: [LogView] = []
        for sender in claims.keys.sorted() {
            guard let claim = claims[sender], claim.view.seq <= seq else { continue }
            claims[sender] = nil
            views.append(claim.view)
        }
        return views
    }

    /// A turn came where members have seen other entries, if there are claims.
    mutating func dropClaims() { claims = [:] }

    /// Looks for entries that a member has and the relay does not show for a minute. The first time, the log is to be asked for anew:
    /// the clock may have jumped.
    ///
    /// - Returns: the entries up to which to tell that the log is held back, and whether it is to be asked for anew.
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
