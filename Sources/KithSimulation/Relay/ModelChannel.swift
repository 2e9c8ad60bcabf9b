import KithWire

/// One channel of a ``RelayModel``, according to Docs/relay-protocol.md.
struct ModelChannel {
    /// One epoch. `lastSeq`: the seq of the epoch's turn; `nil` for the current epoch.
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
    /// All entries that were ever appended. A real relay has only the kept entries. The checks of a simulation need all entries.
    private(set) var archive: [Entry] = []
    /// The access of every epoch, for the checks of a simulation.
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

    /// The total size of the kept entries' payloads, in bytes.
    var payloadBytes: Int { entries.reduce(0) { $0 + $1.payload.count } }

    /// The current epoch's access.
    var access: Access { epochs[epoch]?.access ?? .nobody }

    /// Returns the seq of the entry with the given id; `nil` if no entry with this id was accepted within the last day.
    func seq(of id: EntryID, nowMs: UInt64) -> UInt64? {
        guard let known = ids[id], nowMs < known.atMs + ModelLimits.entryIDMs else { return nil }
        return known.seq
    }

    /// Appends an entry to the current epoch.
    ///
    /// - Parameter nextAccess: the access of the next epoch if the entry is a turn; `nil` if the entry is a message.
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

    /// Drops the entries whose retention time is over.
    mutating func expire(nowMs: UInt64) {
        let kept = entries.first { $0.receivedAtMs + UInt64(retentionSeconds) * 1_000 >= nowMs }
        trim(to: kept?.seq ?? lastSeq + 1)
    }

    /// Forgets the ids of dropped entries, as a real relay does at a restart.
    mutating func forgetTrimmedIDs() {
        let first = firstSeq
        ids = ids.filter { $0.value.seq >= first }
    }

    /// Closes the channel. Drops everything except the access of the current epoch.
    mutating func close() {
        isClosed = true
        epochs = epochs.filter { $0.key == epoch }
        entries = []
        firstSeq = lastSeq + 1
        packages = []
        lastResort = nil
    }
}

/// The limits of a ``RelayModel``. The default values are the values of a real relay.
struct ModelLimits {
    /// Time for which the relay recognizes a repeated entry id, in milliseconds.
    static let entryIDMs: UInt64 = 86_400_000
    /// Number of latest epochs that the relay remembers even after it has dropped their entries.
    static let trimmedEpochs: UInt64 = 1_000
    /// Maximum number of epochs for which a connection keeps rights in one channel.
    static let presentedEpochs = 8
    /// Maximum number of key packages in one inbox.
    static let keyPackages = 1_000
    /// Number of key packages that one inbox gives out without a wait. Each further key package requires a wait of
    /// ``withdrawEveryMs`` milliseconds.
    static let withdrawBurst: UInt64 = 400
    static let withdrawEveryMs: UInt64 = 2_000
    /// Time after which a sender may try a full inbox again, in milliseconds.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// Maximum number of entries in one `entries` frame.
    static let entriesPerFrame = 256

    /// Maximum number of entries in one channel. Beyond this number, the oldest sixteenth of the entries is dropped.
    var channelEntries = 1_000_000
    /// Maximum number of entries that wait in one inbox. ``inboxBytes`` is the maximum size of the payloads in one inbox, in
    /// bytes. A full inbox refuses new entries.
    var inboxEntries = 4_096
    var inboxBytes = 64 << 20
    /// Longest time for which entries are kept, in seconds.
    var retentionSeconds: UInt32 = 30 * 86_400
    /// Whether the disk has room for entries.
    var hasRoom = true
    /// The largest payload, in bytes.
    var payload = WireLimits.payload
}
