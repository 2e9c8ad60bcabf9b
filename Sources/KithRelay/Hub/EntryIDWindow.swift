import KithWire

/// The ids of a channel's recent entries. If a client sends an entry again, the relay recognises the entry by its id. The relay
/// answers a repeated entry with the seq that the entry already has.
///
/// The ids form two generations. When the newer generation is old enough or large enough, it replaces the older generation,
/// which is dropped as a whole. Dropping a whole generation costs almost nothing.
struct EntryIDWindow {
    /// Bounds of the age and the number of ids.
    struct Bounds {
        /// Minimum time for which an id is kept unless there are too many ids, in milliseconds. If entries arrive all the
        /// time, an id is kept for at most twice this time.
        let lifetimeMs: UInt64
        /// Maximum number of ids.
        let most: Int
        /// Minimum number of ids that ``EntryIDWindow/shrink()`` keeps.
        let least: Int

        init(_ limits: RelayLimits) {
            lifetimeMs = UInt64(limits.entryIDSeconds) * 1_000
            most = max(2, min(limits.channelEntries, limits.cachedEntryIDs / RelayLimits.channelsWithAllIDs))
            least = min(RelayLimits.fewEntryIDs, most / 2)
        }
    }

    private var newer: [EntryID: UInt64] = [:]
    private var older: [EntryID: UInt64] = [:]
    /// Start of the newer generation, in milliseconds on a monotonic clock.
    private var newerSinceMs: UInt64
    private var lastSeq: UInt64 = 0
    private let bounds: Bounds

    /// - Parameter known: the known ids, each with its seq, in the order of the seqs.
    init(_ bounds: Bounds, uptimeMs: UInt64, known: [(id: EntryID, seq: UInt64)] = []) {
        self.bounds = bounds
        newerSinceMs = uptimeMs
        let kept = known.suffix(bounds.most)
        let generation = bounds.most / 2
        newer.reserveCapacity(min(kept.count, generation))
        // The latest known entry may have just been received, so all ids are kept for a full lifetime from now on.
        for (id, seq) in kept.suffix(generation) { newer[id] = seq }
        for (id, seq) in kept.dropLast(generation) { older[id] = seq }
        lastSeq = kept.last?.seq ?? 0
    }

    /// Builds a window on a thread of the global pool. Building a window of a million ids takes a tenth of a second, which
    /// would block the hub's thread.
    static func elsewhere(
        _ bounds: Bounds, uptimeMs: UInt64, known: [(id: EntryID, seq: UInt64)]
    ) async -> EntryIDWindow {
        EntryIDWindow(bounds, uptimeMs: uptimeMs, known: known)
    }

    var count: Int { newer.count + older.count }

    func seq(of id: EntryID) -> UInt64? { newer[id] ?? older[id] }

    mutating func insert(_ id: EntryID, seq: UInt64, uptimeMs: UInt64) {
        if uptimeMs >= newerSinceMs + bounds.lifetimeMs || newer.count >= bounds.most / 2 {
            older = newer
            newer = [:]
            newerSinceMs = uptimeMs
        }
        newer[id] = seq
        lastSeq = seq
    }

    /// Whether ``shrink()`` would reduce the number of ids.
    var canShrink: Bool { count > bounds.least }

    /// Forgets all but the newest ids.
    mutating func shrink() {
        // The older generation can be dropped without a search, if the newer one has enough ids.
        guard older.isEmpty || newer.count < bounds.least else { return older = [:] }
        let first = lastSeq + 1 - min(UInt64(bounds.least), lastSeq)
        older = older.filter { $0.value >= first }
        newer = newer.filter { $0.value >= first }
    }
}
