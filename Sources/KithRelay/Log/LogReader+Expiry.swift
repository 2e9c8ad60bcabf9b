import KithWire

/// A channel that has expired entries, or whose due time was not known.
struct DueChannel: Sendable {
    let id: ChannelID
    /// The seq of the first entry that has not expired. If all entries have expired, the value is one more than the last seq.
    let firstSeq: UInt64
    /// Time at which the entry `firstSeq` expires, in milliseconds since 1970; 0 if there is no such entry.
    let dueMs: UInt64
}

/// Finds expired entries and idle channels.
extension LogReader {
    /// Examines some heads, starting after the channel with the number `channel`. Returns the due channels, the last examined
    /// channel and the number of damaged channels. If no head was examined, the last examined channel is `nil`. Damaged channels
    /// keep their entries and delay no other channel.
    func dueChannels(
        after channel: UInt64, nowMs: UInt64
    ) throws(StoreFailure) -> (due: [DueChannel], last: UInt64?, damaged: Int) {
        let heads = try connection.statement(
            """
            SELECT channel, first_seq, last_seq, due_ms FROM channel_head WHERE channel > ? ORDER BY channel LIMIT ?
            """)
        heads.bind(channel, at: 1)
        heads.bind(StoreLimits.headsPerExpiryRead, at: 2)
        defer { heads.reset() }
        var due: [DueChannel] = []
        var last: UInt64?
        var damaged = 0
        var entries: UInt64 = 0
        while due.count < StoreLimits.channelsPerExpiry, entries < StoreLimits.entriesPerExpiryRead, try heads.next() {
            last = heads.uint64(0)
            guard heads.uint64(1) <= heads.uint64(2), heads.uint64(3) < nowMs else { continue }
            do throws(StoreFailure) {
                guard let channel = try dueChannel(heads.uint64(0), nowMs: nowMs) else { continue }
                due.append(channel)
                entries += channel.firstSeq - min(heads.uint64(1), channel.firstSeq)
            } catch {
                guard case .damaged = error else { throw error }
                damaged += 1
            }
        }
        return (due, last, damaged)
    }

    private func dueChannel(_ number: UInt64, nowMs: UInt64) throws(StoreFailure) -> DueChannel? {
        let row = try connection.statement("SELECT id FROM channel WHERE number = ? AND closed = 0")
        row.bind(number, at: 1)
        guard try row.next() else { return nil }
        defer { row.reset() }
        guard let id = ChannelID(row.bytes(0)), let state = try channel(id), state.number == number else {
            throw .damaged("a channel's id has the wrong length")
        }
        var firstSeq = state.head.lastSeq + 1
        var dueMs: UInt64 = 0
        func look(at block: EntryBlock) -> Bool {
            var seq = max(block.firstSeq, state.head.firstSeq)
            for reference in block.references(from: seq, through: block.lastSeq) {
                if !state.head.isExpired(receivedAtMs: reference.receivedAtMs, nowMs: nowMs) {
                    firstSeq = seq
                    dueMs = state.dueMs(receivedAtMs: reference.receivedAtMs)
                    return false
                }
                seq += 1
            }
            return true
        }
        try forEachBlock(of: number, from: state.head.firstSeq) { (block) throws(StoreFailure) in look(at: block) }
        if firstSeq > state.head.lastSeq {
            guard let open = try openBlock(of: state) else { throw .damaged("a channel's entries are not chained") }
            _ = look(at: open)
        }
        return DueChannel(id: id, firstSeq: firstSeq, dueMs: dueMs)
    }

    /// Returns some channels that have no entries and were last used before a given time. The channel that was unused for longest
    /// comes first.
    ///
    /// - Parameter condition: a further condition in SQL on the rows of `channel`.
    func idleChannels(usedBeforeMs: UInt64, _ condition: String = "") throws(StoreFailure) -> [ChannelID] {
        let row = try connection.statement(
            """
            SELECT id FROM channel LEFT JOIN channel_head h ON h.channel = number
            WHERE used_ms < ? \(condition) AND (h.channel IS NULL OR h.first_seq > h.last_seq)
            ORDER BY used_ms LIMIT \(StoreLimits.idleChannelsPerRead)
            """)
        row.bind(usedBeforeMs, at: 1)
        defer { row.reset() }
        var found: [ChannelID] = []
        while try row.next() {
            guard let id = ChannelID(row.bytes(0)) else { throw .damaged("a channel's id has the wrong length") }
            found.append(id)
        }
        return found
    }
}
