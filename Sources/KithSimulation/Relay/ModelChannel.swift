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
    /// The kept entries, from ``firstSeq`` through ``lastSeq``.
    private(set) var entries: [Entry] = []
    private(set) var firstSeq: UInt64 = 1
    private(set) var lastSeq: UInt64 = 0
    private(set) var isClosed = false
    /// All entries that were ever appended. A relay does not have them; the checks of a simulation need them.
    private(set) var archive: [Entry] = []
    /// The access of every epoch, for the same purpose.
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

    /// The kept payload, in bytes.
    var payloadBytes: Int { entries.reduce(0) { $0 + $1.payload.count } }

    /// The current epoch's access.
    var access: Access { epochs[epoch]?.access ?? .nobody }

    /// The seq of an id that was accepted within the last day.
    func seq(of id: EntryID, nowMs: UInt64) -> UInt64? {
        guard let known = ids[id], nowMs < known.atMs + ModelLimits.entryIDMs else { return nil }
        return known.seq
    }

    /// Appends an entry to the current epoch. A turn comes with the access of the next epoch.
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

    /// Drops the entries before a seq.
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

    /// Drops the entries whose retention is over.
    mutating func expire(nowMs: UInt64) {
        let kept = entries.first { $0.receivedAtMs + UInt64(retentionSeconds) * 1_000 >= nowMs }
        trim(to: kept?.seq ?? lastSeq + 1)
    }

    /// Forgets the ids of dropped entries, as a relay that restarts does.
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

/// The limits of a ``RelayModel``. The defaults are those of a relay.
struct ModelLimits {
    /// Time for which a repeated entry id is recognised, in milliseconds.
    static let entryIDMs: UInt64 = 86_400_000
    /// Epochs without entries that are kept.
    static let trimmedEpochs: UInt64 = 1_000
    /// Epochs of one channel that a connection keeps rights for.
    static let presentedEpochs = 8
    /// Key packages of one inbox.
    static let keyPackages = 1_000
    /// Key packages that one inbox hands out at once, and the milliseconds until one more.
    static let withdrawBurst: UInt64 = 400
    static let withdrawEveryMs: UInt64 = 2_000
    /// Pause before another attempt to write to a full inbox, in milliseconds.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// Entries in one `entries` frame.
    static let entriesPerFrame = 256

    /// Entries in one channel. Beyond it, the oldest sixteenth is dropped.
    var channelEntries = 1_000_000
    /// Entries and payload bytes that wait in one inbox. Beyond them, the inbox refuses.
    var inboxEntries = 4_096
    var inboxBytes = 64 << 20
    /// Longest retention of entries, in seconds.
    var retentionSeconds: UInt32 = 30 * 86_400
    /// Whether there is room on the disk for entries.
    var hasRoom = true
    /// The largest payload, in bytes.
    var payload = WireLimits.payload
}
