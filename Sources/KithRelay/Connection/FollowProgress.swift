import KithWire

/// The progress of one connection in one channel's epoch. It decides the next action, and performs none itself.
///
/// A follow is *live* while all known entries have been sent: then new entries leave as they are committed. It *lags*
/// if the connection could not take an entry: then the store is read until the follow has caught up.
struct FollowProgress {
    /// Number of the request that opened the follow. Every event carries it.
    let requestID: UInt32
    let epoch: UInt64
    /// The next seq to send.
    private(set) var nextSeq: UInt64
    /// The last seq that the epoch is known to have.
    private(set) var lastSeq: UInt64
    /// Whether `lastSeq` is the epoch's turn.
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

    /// The action after an event.
    enum Action: Equatable {
        case nothing
        /// Send the entries just given.
        case send
        /// Send the entries just given, and end the follow with its epoch.
        case sendAndEnd
        /// End the follow with its epoch, of which all entries have been sent.
        case end
        /// Read `first` through `last` from the store when the connection can take it.
        case read(first: UInt64, last: UInt64)
        /// Tell the client that entries before this seq are gone, and end the follow.
        case trimmed(firstSeq: UInt64)
    }

    /// The action when the follow begins, or when the connection can take more output again.
    mutating func resume(canSend: Bool) -> Action {
        if isLive { return hasEnded ? .end : .nothing }
        guard canSend, !isReading else { return .nothing }
        isReading = true
        return .read(first: nextSeq, last: lastSeq)
    }

    /// Takes newly committed entries: consecutive, of this epoch, the last one perhaps its turn.
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

    /// Takes the entries of a read: consecutive ones from `nextSeq`, or from a later seq if the channel was trimmed.
    mutating func read(_ entries: [Entry]) -> (send: ArraySlice<Entry>, then: Action) {
        isReading = false
        guard let first = entries.first else { return ([], .trimmed(firstSeq: lastSeq + 1)) }
        guard first.seq == nextSeq else { return ([], .trimmed(firstSeq: first.seq)) }
        // Entries after this epoch's turn need the next epoch's token.
        let end = entries.firstIndex { $0.epoch != epoch } ?? entries.endIndex
        let mine = entries[..<end]
        if let last = mine.last {
            nextSeq = last.seq + 1
            if last.kind == .turn { hasEnded = true }
        }
        if hasEnded && (end < entries.endIndex || mine.last?.kind == .turn || nextSeq > lastSeq) { return (mine, .end) }
        return (mine, end < entries.endIndex ? .end : .nothing)
    }

    /// Notes that the store was not read. The next event tries again.
    mutating func readFailed() { isReading = false }
}
