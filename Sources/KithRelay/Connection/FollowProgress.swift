import KithWire

/// The progress of a connection that follows one epoch of a channel. This type decides the next ``Action``, and the caller
/// performs the action.
///
/// A follow is *live* if all known entries have been sent. For a live follow, new entries are sent as soon as they are committed.
/// If the connection cannot accept an entry, the follow *lags*. For a lagging follow, entries are read from the store until the
/// follow is live again.
struct FollowProgress {
    /// Number of the request that opened the follow. Every event of the follow has this number.
    let requestID: UInt32
    let epoch: UInt64
    /// The next seq to send.
    private(set) var nextSeq: UInt64
    /// The last known seq of the epoch.
    private(set) var lastSeq: UInt64
    /// Whether the entry `lastSeq` is the epoch's turn.
    private(set) var hasEnded: Bool
    /// Whether the store is being read for the follow.
    private(set) var isReading = false

    /// Whether all known entries have been sent.
    var isLive: Bool { nextSeq > lastSeq }

    init(requestID: UInt32, start: FollowRange) {
        self.requestID = requestID
        epoch = start.epoch
        nextSeq = start.nextSeq
        lastSeq = start.lastSeq
        hasEnded = start.hasEnded
    }

    /// The caller's action after an event.
    enum Action: Equatable {
        case nothing
        /// Send the entries that were passed to the call.
        case send
        /// Send the entries that were passed to the call, then end the follow, because the epoch has ended.
        case sendAndEnd
        /// End the follow: the epoch has ended, and all entries of the epoch have been sent.
        case end
        /// Read the entries `first` through `last` from the store as soon as the connection can accept them.
        case read(first: UInt64, last: UInt64)
        /// Tell the client that entries before this seq no longer exist, and end the follow.
        case trimmed(firstSeq: UInt64)
    }

    /// Returns the next action. Called at the start of the follow, and when the connection can accept output again.
    mutating func resume(canSend: Bool) -> Action {
        if isLive { return hasEnded ? .end : .nothing }
        guard canSend, !isReading else { return .nothing }
        isReading = true
        return .read(first: nextSeq, last: lastSeq)
    }

    /// Processes newly committed entries. Ignores entries of an epoch that is not followed, and entries that are already known.
    /// The entries must be consecutive and belong to one epoch. Only the last entry may be the epoch's turn.
    ///
    /// - Parameter fits: whether the entries are few enough to be sent at once.
    mutating func committed(_ entries: [Entry], canSend: Bool, fits: Bool = true) -> Action {
        guard let first = entries.first, let last = entries.last, last.epoch == epoch, last.seq > lastSeq else {
            return .nothing
        }
        let wasLive = isLive && first.seq == nextSeq
        lastSeq = last.seq
        hasEnded = last.kind == .turn
        guard wasLive, canSend, fits, !isReading else { return resume(canSend: canSend) }
        nextSeq = last.seq + 1
        return hasEnded ? .sendAndEnd : .send
    }

    /// Notes that the channel has entries up to `seq` that were not broadcast.
    mutating func advanced(to seq: UInt64, canSend: Bool) -> Action {
        lastSeq = max(lastSeq, seq)
        return resume(canSend: canSend)
    }

    /// Processes consecutive entries from the store. The first entry must have the seq `nextSeq`, or a higher seq if the
    /// channel was trimmed.
    mutating func read(_ entries: [Entry]) -> (send: ArraySlice<Entry>, then: Action) {
        isReading = false
        guard let first = entries.first else { return ([], .trimmed(firstSeq: lastSeq + 1)) }
        guard first.seq == nextSeq else { return ([], .trimmed(firstSeq: first.seq)) }
        // Entries after this epoch's turn belong to the next epoch, whose token the client has to present first.
        let end = entries.firstIndex { $0.epoch != epoch } ?? entries.endIndex
        let mine = entries[..<end]
        if let last = mine.last {
            nextSeq = last.seq + 1
            if last.kind == .turn { hasEnded = true }
        }
        if hasEnded && (end < entries.endIndex || mine.last?.kind == .turn || nextSeq > lastSeq) { return (mine, .end) }
        return (mine, end < entries.endIndex ? .end : .nothing)
    }

    /// Notes that a read that ``Action/read(first:last:)`` requested has failed or was not started. The next event requests a
    /// new read.
    mutating func readFailed() { isReading = false }
}
