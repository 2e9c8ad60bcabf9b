import KithWire

/// The entry ids of a channel's last day or two: an entry that is sent again is answered with its first seq.
///
/// Two generations, so that forgetting costs nothing: the older one is dropped when the newer one has become old enough.
struct EntryIDWindow {
    private var newer: [EntryID: UInt64] = [:]
    private var older: [EntryID: UInt64] = [:]
    /// When the newer generation began, in milliseconds.
    private var newerSinceMs: UInt64
    private let lifetimeMs: UInt64

    init(lifetimeMs: UInt64, nowMs: UInt64, known: [(id: EntryID, seq: UInt64)] = []) {
        self.lifetimeMs = lifetimeMs
        newerSinceMs = nowMs
        newer.reserveCapacity(known.count)
        // What is known was received up to now, so it may have its whole life before it.
        for (id, seq) in known { newer[id] = seq }
    }

    /// The same, put together on a thread of the global pool: a million takes a tenth of a second.
    static func elsewhere(
        lifetimeMs: UInt64, nowMs: UInt64, known: [(id: EntryID, seq: UInt64)]
    ) async -> EntryIDWindow {
        EntryIDWindow(lifetimeMs: lifetimeMs, nowMs: nowMs, known: known)
    }

    var count: Int { newer.count + older.count }

    func seq(of id: EntryID) -> UInt64? { newer[id] ?? older[id] }

    mutating func insert(_ id: EntryID, seq: UInt64, nowMs: UInt64) {
        if nowMs >= newerSinceMs + lifetimeMs {
            older = newer
            newer = [:]
            newerSinceMs = nowMs
        }
        newer[id] = seq
    }
}
