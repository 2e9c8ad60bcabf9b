import KithWire

/// How far one connection has been sent one channel's epoch. Says what to do next; does nothing itself.
///
/// A follow is *live* while everything known has been sent: then new entries go out as they are committed. It *lags* when
/// the connection could not take an entry; then the store is read until it has caught up.
struct FollowProgress {
    /// The request that opened it; every event carries it.
    let requestID: UInt32
    let epoch: UInt64
    /// The next seq to send.
    private(set) var nextSeq: UInt64
    /// The last seq that is known to be there.
    private(set) var lastSeq: UInt64
    /// Whether `lastSeq` is the epoch's turn.
    private(set) var hasEnded: Bool
    /// Whether the store is being read for it.
    private(set) var isReading = false

    /// Whether everything that is known to be there has been sent.
    var isLive: Bool { nextSeq > lastSeq }

    init(requestID: UInt32, start: FollowRange) {
        self.requestID = requestID
        epoch = start.epoch
        nextSeq = start.nextSeq
        lastSeq = start.lastSeq
        hasEnded = start.hasEnded
    }

    /// What to do after an event.
    enum Action: Equatable {
        case nothing
        /// Send the entries just given.
        case send
        /// Send the entries just given; the epoch is over.
        case sendAndEnd
        /// Everything was sent before; the epoch is over.
        case end
        /// Read `first` through `last` from the store when the connection can take it.
        case read(first: UInt64, last: UInt64)
        /// Entries before this seq are gone: say so, and end.
        case trimmed(firstSeq: UInt64)
    }

    /// What there is to do now: for a follow that begins, or a connection that can take more again.
    mutating func resume(canSend: Bool) -> Action {
        if isLive { return hasEnded ? .end : .nothing }
        guard canSend, !isReading else { return .nothing }
        isReading = true
        return .read(first: nextSeq, last: lastSeq)
    }

    /// New entries were committed: consecutive, of this epoch, the last perhaps its turn.
    ///
    /// - Parameter fits: whether they are few enough to be sent at once.
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

    /// The channel has entries up to `seq` that were not handed over.
    mutating func advanced(to seq: UInt64, canSend: Bool) -> Action {
        lastSeq = max(lastSeq, seq)
        return resume(canSend: canSend)
    }

    /// The store answered a read: consecutive entries from `nextSeq`, or from later if the front was trimmed.
    mutating func read(_ entries: [Entry]) -> (send: ArraySlice<Entry>, then: Action) {
        isReading = false
        guard let first = entries.first else { return ([], .trimmed(firstSeq: lastSeq + 1)) }
        guard first.seq == nextSeq else { return ([], .trimmed(firstSeq: first.seq)) }
        // Nothing after this epoch's turn is for somebody who has proved only this epoch's token.
        let end = entries.firstIndex { $0.epoch != epoch } ?? entries.endIndex
        let mine = entries[..<end]
        if let last = mine.last {
            nextSeq = last.seq + 1
            if last.kind == .turn { hasEnded = true }
        }
        if hasEnded && (end < entries.endIndex || mine.last?.kind == .turn || nextSeq > lastSeq) { return (mine, .end) }
        return (mine, end < entries.endIndex ? .end : .nothing)
    }

    /// The store was not read; to be tried again with the next event.
    mutating func readFailed() { isReading = false }
}
