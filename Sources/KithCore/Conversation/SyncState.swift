import KithWire
import MLS

/// The progress of this device towards the end of a conversation's log.
///
/// Data that exists only in some states is in the payloads of those states, so that no other state can have it.
enum SyncState {
    /// The log is not followed. `retryAt` is the time of the next attempt, in milliseconds, if the relay has asked for a pause.
    case offline(retryAt: UInt64?)
    /// The epoch's tokens were presented, and the follow was requested. The relay has not stated yet where the follow begins.
    /// After a commit, the conversation is also in this state until the relay reports the end of the old epoch.
    case opening(Following)
    /// The relay had entries up to `through` when the follow began, and these are being processed.
    case catchingUp(Following, through: UInt64)
    /// All entries that the relay had when the follow began were processed. Entries are sent in this state only.
    case live(Following, Live)
    /// A turn has arrived, and its commit is being fetched. The log continues when the commit has arrived.
    case awaitingCommit(Following, AwaitedCommit)

    /// A connection to the log, from the first follow until the connection is lost or given up.
    struct Following {
        /// The tag of the current follow; `nil` between two epochs.
        fileprivate(set) var tag: UInt64?
        /// Entries that no user has written, for example receipts, and that are too large for the relay. The entries wait for
        /// another connection, on which the relay may accept larger entries.
        fileprivate var tooLarge: Set<EntryID> = []
        /// The time of the next request, in milliseconds, if the relay has asked for a pause.
        fileprivate var retryAt: UInt64?
        fileprivate var challenge = LiveChallenge()
    }

    /// The work that is under way while the conversation is at the end of an epoch's log.
    struct Live {
        /// Entries that were sent and have no answer yet.
        fileprivate var inFlight: Set<EntryID> = []
        /// Whether the pending commit was sent.
        fileprivate var turnIsSent = false
        /// The time at which other members' proposals are committed, in milliseconds; see ``Clocks/now``.
        fileprivate var commitProposalsAt: UInt64?
    }

    /// A turn that only refers to its commit.
    struct AwaitedCommit {
        let entry: Entry
        let reference: TurnReference
        /// Entries that were sent before the turn arrived and have no answer yet.
        fileprivate var inFlight: Set<EntryID>
    }

    // MARK: Reading

    /// The connection to the log; `nil` if there is none.
    private(set) var following: Following? {
        get {
            switch self {
            case .offline: nil
            case .opening(let following), .catchingUp(let following, _), .live(let following, _),
                .awaitingCommit(let following, _):
                following
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .offline: break
            case .opening: self = .opening(newValue)
            case .catchingUp(_, let through): self = .catchingUp(newValue, through: through)
            case .live(_, let live): self = .live(newValue, live)
            case .awaitingCommit(_, let awaited): self = .awaitingCommit(newValue, awaited)
            }
        }
    }

    private var live: Live? {
        get { if case .live(_, let live) = self { live } else { nil } }
        set { if case .live(let following, _) = self, let newValue { self = .live(following, newValue) } }
    }

    /// Whether the log has been read to its end, so that this device may send.
    var isLive: Bool { if case .live = self { true } else { false } }

    /// Whether the conversation still waits for the relay to state where the follow begins.
    var isOpening: Bool { if case .opening = self { true } else { false } }

    /// The turn whose commit is being fetched; `nil` for none.
    var awaited: AwaitedCommit? { if case .awaitingCommit(_, let awaited) = self { awaited } else { nil } }

    /// Whether the pending commit was sent in this epoch.
    var turnIsSent: Bool { live?.turnIsSent ?? false }

    /// Entries that were sent in this epoch and have no answer yet.
    var inFlight: Set<EntryID> { live?.inFlight ?? awaited?.inFlight ?? [] }

    /// The time at which other members' proposals are committed, in milliseconds; see ``Clocks/now``.
    var commitProposalsAt: UInt64? { live?.commitProposalsAt }

    /// Whether an entry that no user has written waits for another connection, because the entry is too large for the relay.
    func isTooLarge(_ entry: EntryID) -> Bool { following?.tooLarge.contains(entry) ?? false }

    /// Whether a follow is the current one.
    func isFollowing(_ tag: UInt64) -> Bool { following?.tag == tag }

    /// The challenge to the members who are online.
    var challenge: LiveChallenge? { following?.challenge }

    // MARK: Pauses

    /// The time of the next attempt or request, in milliseconds, if the relay has asked for a pause.
    var retryAt: UInt64? { if case .offline(let retryAt) = self { retryAt } else { following?.retryAt } }

    /// Pauses until a time, in milliseconds.
    mutating func pause(until time: UInt64) {
        if case .offline = self { self = .offline(retryAt: time) } else { following?.retryAt = time }
    }

    /// Notes that the pause is over.
    mutating func endPause() {
        if case .offline = self { self = .offline(retryAt: nil) } else { following?.retryAt = nil }
    }

    // MARK: Follows

    /// Begins a follow: the first one of a connection, or the one of the next epoch.
    mutating func beginFollow(_ tag: UInt64) {
        var following = following ?? Following(retryAt: retryAt)
        following.tag = tag
        self = .opening(following)
    }

    /// Begins to catch up, after the relay has stated where the follow begins.
    mutating func catchUp(through seq: UInt64) {
        if case .opening(let following) = self { self = .catchingUp(following, through: seq) }
    }

    /// Becomes live. Called after the last of the entries that the relay had when the follow began has been processed.
    mutating func becomeLive() {
        guard case .catchingUp(var following, _) = self else { return }
        following.challenge.didCatchUp()
        self = .live(following, Live())
    }

    /// Enters the epoch that a commit has opened. Requests of the old epoch are over, and the relay will report the end of the
    /// old epoch's follow.
    mutating func enterEpoch() {
        if let following { self = .opening(following) }
    }

    /// Waits for the commit of a turn. Processing continues when the commit was fetched.
    mutating func waitForCommit(of entry: Entry, _ reference: TurnReference) {
        guard let following else { return }
        self = .awaitingCommit(following, AwaitedCommit(entry: entry, reference: reference, inFlight: inFlight))
    }

    /// Ends the wait for the commit of a turn, and returns the turn.
    mutating func takeAwaited() -> AwaitedCommit? {
        guard case .awaitingCommit(let following, let awaited) = self else { return nil }
        self = .opening(following)
        return awaited
    }

    /// Ends a follow. Another follow may begin on the same connection.
    mutating func endFollow() { following?.tag = nil }

    /// Ends the connection.
    mutating func disconnect() { self = .offline(retryAt: nil) }

    // MARK: Sending

    mutating func didSend(_ entry: EntryID) { live?.inFlight.insert(entry) }

    /// Notes that the relay has answered the request to append an entry, or that the log has delivered the entry.
    mutating func didLand(_ entry: EntryID) {
        if case .awaitingCommit(let following, var awaited) = self {
            awaited.inFlight.remove(entry)
            self = .awaitingCommit(following, awaited)
        } else {
            live?.inFlight.remove(entry)
        }
    }

    /// Notes that an entry that no user has written, for example a receipt, is too large for the relay.
    mutating func setAside(tooLarge entry: EntryID) { following?.tooLarge.insert(entry) }

    /// Notes that the pending commit was sent.
    mutating func didSendTurn() { live?.turnIsSent = true }

    /// Notes that the relay has refused the pending commit, or that there is no pending commit any more.
    mutating func turnIsOver() { live?.turnIsSent = false }

    /// Returns a change of the group that is due although the user has not requested it; `nil` if there is none, or if the
    /// conversation is not live.
    ///
    /// - Parameter random: returns a random number below its argument.
    mutating func change(by policy: CommitPolicy, at now: UInt64, random: (UInt64) -> UInt64) -> Intent.Change? {
        guard var live else { return nil }
        defer { self.live = live }
        return policy.change(now: now, commitAt: &live.commitProposalsAt, random: random)
    }

    // MARK: Live checks

    /// Runs `body` on the challenge of the connection, if there is one.
    mutating func withChallenge<T>(_ body: (inout LiveChallenge) -> T) -> T? {
        guard var following else { return nil }
        defer { self.following = following }
        return body(&following.challenge)
    }
}
