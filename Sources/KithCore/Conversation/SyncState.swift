import KithWire

/// The distance of this device from the end of a conversation's log.
///
/// Data of a connection is only in the states that have a connection, so nothing of it remains when the connection ends.
enum SyncState {
    /// The log is not followed. `retryAt` is the time of the next try, in milliseconds, if the relay asked for a pause.
    case offline(retryAt: UInt64?)
    /// The epoch's tokens were presented, and the follow was begun. The relay has not stated where it begins. After a commit, the
    /// conversation is also in this state until the relay reports the end of the old epoch.
    case opening(Following)
    /// Entries up to `through` were at the relay when the follow began. They are being processed.
    case catchingUp(Following, through: UInt64)
    /// Every entry that was at the relay has been processed. Only in this state is anything sent.
    case live(Following)

    /// A connection to the log, from the first follow until the connection is lost or given up.
    struct Following {
        /// The follow that is under way; `nil` between two epochs.
        var tag: UInt64?
        /// A turn whose commit is being fetched. The log continues when the commit has arrived.
        var awaited: (entry: Entry, reference: TurnReference)?
        /// Whether the pending commit was sent in this epoch.
        var turnIsSent = false
        /// Entries that were sent in this epoch and have no answer yet.
        var inFlight: Set<EntryID> = []
        /// Entries of Kith's own that are too large for the relay. They wait for another connection, on which the relay may take
        /// more.
        var tooLarge: Set<EntryID> = []
        /// The time of the next request, in milliseconds, if the relay asked for a pause.
        var retryAt: UInt64?
    }

    /// The connection, if there is one.
    private(set) var following: Following? {
        get {
            switch self {
            case .offline: nil
            case .opening(let following), .catchingUp(let following, _), .live(let following): following
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .offline: break
            case .opening: self = .opening(newValue)
            case .catchingUp(_, let through): self = .catchingUp(newValue, through: through)
            case .live: self = .live(newValue)
            }
        }
    }

    /// Whether the log has been read to its end, so that this device may send.
    var isLive: Bool { if case .live = self { true } else { false } }

    /// Whether the relay has yet to state where the epoch begins.
    var isOpening: Bool { if case .opening = self { true } else { false } }

    /// The time of the next try or request, in milliseconds, if the relay asked for a pause.
    var retryAt: UInt64? {
        get { if case .offline(let retryAt) = self { retryAt } else { following?.retryAt } }
        set {
            if case .offline = self { self = .offline(retryAt: newValue) } else { following?.retryAt = newValue }
        }
    }

    /// The turn whose commit is being fetched.
    var awaited: (entry: Entry, reference: TurnReference)? { following?.awaited }

    /// Whether the pending commit was sent in this epoch.
    var turnIsSent: Bool {
        get { following?.turnIsSent ?? false }
        set { following?.turnIsSent = newValue }
    }

    /// Entries that were sent in this epoch and have no answer yet.
    var inFlight: Set<EntryID> { following?.inFlight ?? [] }

    /// Whether an entry of Kith's own waits for another connection, because it is too large for the relay.
    func isTooLarge(_ entry: EntryID) -> Bool { following?.tooLarge.contains(entry) ?? false }

    /// Whether a follow is the current one.
    func isFollowing(_ tag: UInt64) -> Bool { following?.tag == tag }

    // MARK: Changes

    /// Begins a follow: the first of a connection, or the next epoch's.
    mutating func beginFollow(_ tag: UInt64) {
        var following = following ?? Following(retryAt: retryAt)
        following.tag = tag
        self = .opening(following)
    }

    /// Begins to catch up, after the relay has stated where the follow begins.
    mutating func catchUp(through seq: UInt64) {
        if case .opening(let following) = self { self = .catchingUp(following, through: seq) }
    }

    /// Becomes live, after the last entry that was at the relay has been processed.
    mutating func becomeLive() {
        if case .catchingUp(let following, _) = self { self = .live(following) }
    }

    /// Enters the epoch that a commit opened. Requests of the old epoch are over; the relay reports when its follow ends.
    mutating func enterEpoch() {
        guard var following else { return }
        following.turnIsSent = false
        following.inFlight = []
        self = .opening(following)
    }

    /// Waits for the commit of a turn. The log continues when the commit has been fetched.
    mutating func waitForCommit(of entry: Entry, _ reference: TurnReference) {
        guard var following else { return }
        following.awaited = (entry, reference)
        self = .opening(following)
    }

    /// Removes and returns the turn whose commit has arrived.
    mutating func takeAwaited() -> (entry: Entry, reference: TurnReference)? {
        defer { following?.awaited = nil }
        return following?.awaited
    }

    /// Ends a follow. Another may begin on the same connection.
    mutating func endFollow() { following?.tag = nil }

    mutating func didSend(_ entry: EntryID) { following?.inFlight.insert(entry) }

    /// Notes that the relay answered an entry, or that the log brought it.
    ///
    /// - Returns: whether the entry had no answer before.
    mutating func didLand(_ entry: EntryID) -> Bool { following?.inFlight.remove(entry) != nil }

    /// Sets aside an entry of Kith's own that is too large for the relay.
    mutating func setAside(tooLarge entry: EntryID) { following?.tooLarge.insert(entry) }
}
