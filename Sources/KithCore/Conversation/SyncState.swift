import KithWire

/// The distance of this device from the end of a conversation's log.
///
/// Everything that belongs to a connection is in the states that have one: nothing of it is left when it is over.
enum SyncState {
    /// The log is not followed. `retryAt` is the time of the next try, in milliseconds, if the relay asked for patience.
    case offline(retryAt: UInt64?)
    /// The epoch's tokens were presented and the epoch is being followed. The relay has not said where it begins. Also the state
    /// after a commit, until the relay says that its epoch is over.
    case opening(Following)
    /// Entries up to `through` were at the relay when the follow began; they come now.
    case catchingUp(Following, through: UInt64)
    /// Every entry that was at the relay is here. Only in this state is anything sent.
    case live(Following)

    /// A connection to the log, from the first follow until the connection is lost or given up.
    struct Following {
        /// The follow that is under way; `nil` between two epochs.
        var tag: UInt64?
        /// A turn whose commit is being fetched: the log goes on when it is here.
        var awaited: (entry: Entry, reference: TurnReference)?
        /// Whether the pending commit was sent in this epoch.
        var turnIsSent = false
        /// Entries that were sent in this epoch and have no answer.
        var inFlight: Set<EntryID> = []
        /// Entries of Kith's own that are too large for the relay: they wait until another connection finds it more generous.
        var tooLarge: Set<EntryID> = []
        /// Time of the next request, in milliseconds, if the relay asked for patience.
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

    /// Whether the log is here and something may be sent.
    var isLive: Bool { if case .live = self { true } else { false } }

    /// Whether it is waited for the relay to say where the epoch begins.
    var isOpening: Bool { if case .opening = self { true } else { false } }

    /// Time of the next try or request, in milliseconds, if the relay asked for patience.
    var retryAt: UInt64? {
        get { if case .offline(let retryAt) = self { retryAt } else { following?.retryAt } }
        set {
            if case .offline = self { self = .offline(retryAt: newValue) } else { following?.retryAt = newValue }
        }
    }

    /// The commit that is being fetched.
    var awaited: (entry: Entry, reference: TurnReference)? { following?.awaited }

    /// Whether the pending commit was sent in this epoch.
    var turnIsSent: Bool {
        get { following?.turnIsSent ?? false }
        set { following?.turnIsSent = newValue }
    }

    /// Entries that were sent in this epoch and have no answer.
    var inFlight: Set<EntryID> { following?.inFlight ?? [] }

    /// Whether an entry of Kith's own waits for a more generous relay.
    func isTooLarge(_ entry: EntryID) -> Bool { following?.tooLarge.contains(entry) ?? false }

    /// Whether a follow is the one under way.
    func isFollowing(_ tag: UInt64) -> Bool { following?.tag == tag }

    // MARK: Changes

    /// A follow was begun: the first of a connection, or the next epoch's.
    mutating func beginFollow(_ tag: UInt64) {
        var following = following ?? Following(retryAt: retryAt)
        following.tag = tag
        self = .opening(following)
    }

    /// The relay said where the follow begins.
    mutating func catchUp(through seq: UInt64) {
        if case .opening(let following) = self { self = .catchingUp(following, through: seq) }
    }

    /// The last entry that was there has been processed.
    mutating func becomeLive() {
        if case .catchingUp(let following, _) = self { self = .live(following) }
    }

    /// A commit was applied: what was sent in its epoch is over. The relay says when the follow of that epoch ends.
    mutating func enterEpoch() {
        guard var following else { return }
        following.turnIsSent = false
        following.inFlight = []
        self = .opening(following)
    }

    /// The log goes on when a turn's commit was fetched.
    mutating func waitForCommit(of entry: Entry, _ reference: TurnReference) {
        guard var following else { return }
        following.awaited = (entry, reference)
        self = .opening(following)
    }

    /// Takes the turn whose commit is here.
    mutating func takeAwaited() -> (entry: Entry, reference: TurnReference)? {
        defer { following?.awaited = nil }
        return following?.awaited
    }

    /// The relay ended a follow. Another may be begun on the same connection.
    mutating func endFollow() { following?.tag = nil }

    /// An entry was sent.
    mutating func didSend(_ entry: EntryID) { following?.inFlight.insert(entry) }

    /// An entry has an answer, or came with the log.
    ///
    /// - Returns: whether it had none before.
    mutating func didLand(_ entry: EntryID) -> Bool { following?.inFlight.remove(entry) != nil }

    /// The relay refused an entry of Kith's own for its length.
    mutating func setAside(tooLarge entry: EntryID) { following?.tooLarge.insert(entry) }
}
