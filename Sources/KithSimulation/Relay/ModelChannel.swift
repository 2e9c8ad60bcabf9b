import KithWire

/// One channel of a ``RelayModel``, as Docs/relay-protocol.md describes it.
struct ModelChannel {
    /// One epoch. `lastSeq` is the seq of its turn; `nil` while it is the current one.
    struct Epoch {
        let access: Access
        let firstSeq: UInt64
        var lastSeq: UInt64?
    }

    let kind: ChannelKind
    private(set) var epoch: UInt64 = 0
    private(set) var epochs: [UInt64: Epoch]
    /// The entries kept, from ``firstSeq`` through ``lastSeq``.
    private(set) var entries: [Entry] = []
    private(set) var firstSeq: UInt64 = 1
    private(set) var lastSeq: UInt64 = 0
    private(set) var isClosed = false
    /// Everything that was ever appended. No relay has it; those who judge a simulation need it.
    private(set) var archive: [Entry] = []
    /// The access of every epoch that there ever was, for the same people.
    private(set) var accesses: [UInt64: Access] = [:]
    let retentionSeconds: UInt32
    private var ids: [EntryID: (seq: UInt64, atMs: UInt64)] = [:]

    var packages: [KeyPackageBytes] = []
    var lastResort: KeyPackageBytes?

    init(kind: ChannelKind, access: Access, retentionSeconds: UInt32) {
        self.kind = kind
        epochs = [0: Epoch(access: access, firstSeq: 1)]
        accesses = [0: access]
        self.retentionSeconds = retentionSeconds
    }

    /// The payload bytes kept.
    var payloadBytes: Int { entries.reduce(0) { $0 + $1.payload.count } }

    /// The current epoch's access.
    var access: Access { epochs[epoch]?.access ?? .nobody }

    /// The seq of an id that was taken within the last day.
    func seq(of id: EntryID, nowMs: UInt64) -> UInt64? {
        guard let known = ids[id], nowMs < known.atMs + ModelLimits.entryIDMs else { return nil }
        return known.seq
    }

    /// Appends an entry to the current epoch; a turn comes with the next one's access.
    mutating func append(id: EntryID, payload: ArraySlice<UInt8>, nextAccess: Access?, nowMs: UInt64) -> Entry {
        lastSeq += 1
        let entry = Entry(
            seq: lastSeq, epoch: epoch, kind: nextAccess == nil ? .message : .turn, receivedAtMs: nowMs, id: id,
            payload: payload)
        entries.append(entry)
        archive.append(entry)
        ids[id] = (entry.seq, nowMs)
        if let nextAccess {
            epochs[epoch]?.lastSeq = entry.seq
            epoch += 1
            epochs[epoch] = Epoch(access: nextAccess, firstSeq: entry.seq + 1)
            accesses[epoch] = nextAccess
        }
        return entry
    }

    /// Drops what is in front of a seq.
    mutating func trim(to first: UInt64) {
        guard first > firstSeq, first <= lastSeq + 1 else { return }
        entries.removeFirst(Int(first - firstSeq))
        firstSeq = first
        let (current, kept) = (epoch, firstSeq)
        epochs = epochs.filter { number, epoch in
            guard let last = epoch.lastSeq, last < kept else { return true }
            return number + ModelLimits.trimmedEpochs >= current
        }
    }

    /// Drops what was kept for long enough.
    mutating func expire(nowMs: UInt64) {
        let kept = entries.first { $0.receivedAtMs + UInt64(retentionSeconds) * 1_000 >= nowMs }
        trim(to: kept?.seq ?? lastSeq + 1)
    }

    /// A relay that starts again knows the ids of the entries that it still has.
    mutating func forgetTrimmedIDs() {
        let first = firstSeq
        ids = ids.filter { $0.value.seq >= first }
    }

    /// Drops everything but the last access.
    mutating func close() {
        isClosed = true
        epochs = epochs.filter { $0.key == epoch }
        entries = []
        firstSeq = lastSeq + 1
        packages = []
        lastResort = nil
    }
}

/// The limits of a ``RelayModel``: those of a relay that nobody configured, unless a schedule says otherwise.
struct ModelLimits {
    /// How long a repeated entry id is recognised, in milliseconds.
    static let entryIDMs: UInt64 = 86_400_000
    /// Epochs without entries that are still known.
    static let trimmedEpochs: UInt64 = 1_000
    /// Epochs of one channel that a connection keeps rights for.
    static let presentedEpochs = 8
    /// Key packages on one shelf.
    static let keyPackages = 1_000
    /// Key packages that one inbox gives out at once, and after how many milliseconds one more.
    static let withdrawBurst: UInt64 = 400
    static let withdrawEveryMs: UInt64 = 2_000
    /// When to look again whether a full inbox has room, in milliseconds.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// Entries in one `entries` frame.
    static let entriesPerFrame = 256

    /// Entries in one channel. The oldest go first, a sixteenth at a time.
    var channelEntries = 1_000_000
    /// Entries and payload bytes that wait in one inbox. Then it refuses.
    var inboxEntries = 4_096
    var inboxBytes = 64 << 20
    /// How long entries are kept at most.
    var retentionSeconds: UInt32 = 30 * 86_400
    /// Whether there is room on the disk for entries.
    var hasRoom = true
    /// The largest payload, in bytes.
    var payload = WireLimits.payload
}
