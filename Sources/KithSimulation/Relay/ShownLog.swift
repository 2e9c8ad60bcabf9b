import KithWire

/// A channel's log as a relay shows it to one connection. An honest relay shows the true log.
struct ShownLog {
    /// The available entries, from ``firstSeq`` through ``lastSeq``.
    let entries: [Entry]
    let firstSeq: UInt64
    let lastSeq: UInt64
    private let epochs: [UInt64: ModelChannel.Epoch]
    /// For each true seq, the seq that the relay shows instead; empty if the relay shows the true log.
    private let renumbered: [UInt64: UInt64]

    /// Shows the true log.
    init(_ channel: ModelChannel) {
        entries = channel.entries
        firstSeq = channel.firstSeq
        lastSeq = channel.lastSeq
        epochs = channel.epochs
        renumbered = [:]
    }

    /// Shows an invented log that looks complete. The entries get new numbers. The epochs end with the turns in the invented log.
    init(of channel: ModelChannel, showing invented: [InventedEntry]) {
        var epochs: [UInt64: ModelChannel.Epoch] = [:]
        var renumbered: [UInt64: UInt64] = [:]
        var epochFirst: UInt64 = 1
        var entries: [Entry] = []
        for (index, item) in invented.enumerated() {
            let seq = UInt64(index) + 1
            entries.append(
                Entry(
                    seq: seq, epoch: item.entry.epoch, kind: item.entry.kind,
                    receivedAtMs: item.entry.receivedAtMs, id: item.entry.id, payload: item.entry.payload))
            if let truth = item.truth { renumbered[truth] = seq }
            if item.entry.kind == .turn {
                epochs[item.entry.epoch] = .init(access: channel.access, firstSeq: epochFirst, lastSeq: seq)
                epochFirst = seq + 1
            }
        }
        epochs[channel.epoch] = .init(access: channel.access, firstSeq: epochFirst)
        self.entries = entries
        firstSeq = 1
        lastSeq = UInt64(entries.count)
        self.epochs = epochs
        self.renumbered = renumbered
    }

    /// Returns the seq of an epoch's first entry, and the seq of its turn if the epoch has ended; `nil` if there is no such
    /// epoch.
    func bounds(of epoch: UInt64) -> (first: UInt64, last: UInt64?)? {
        epochs[epoch].map { ($0.firstSeq, $0.lastSeq) }
    }

    /// Returns an epoch's entries from a seq on.
    func entries(from first: UInt64, epoch: UInt64) -> ArraySlice<Entry> {
        guard let bounds = bounds(of: epoch) else { return [] }
        let first = max(first, bounds.first, firstSeq)
        let last = bounds.last ?? lastSeq
        guard first <= last else { return [] }
        return entries[Int(first - firstSeq)...Int(last - firstSeq)]
    }

    /// Returns the shown seq of an entry. If the entry is not shown, returns its true seq.
    func shownSeq(of seq: UInt64) -> UInt64 { renumbered[seq] ?? seq }
}

/// An entry of an invented log.
struct InventedEntry {
    /// The shown entry, whose seq is ignored.
    var entry: Entry
    /// The true seq of the entry; `nil` if the entry is made up.
    var truth: UInt64?
}

/// The lies of a relay. Each property is a function, and a test may replace it. By default, all functions tell the truth.
final class RelayLies {
    /// Returns the log that a connection sees; `nil` for the true log. The last parameter has all entries that were ever
    /// appended.
    var log: (ChannelID, RelayModel.Connection, [Entry]) -> [InventedEntry]? = { _, _, _ in nil }
    /// Returns the key package that an inbox gives out in place of its next one; `nil` to give out the next one.
    var keyPackage: (ChannelID) -> KeyPackageBytes? = { _ in nil }
    /// Returns whether the relay acknowledges a message but drops it.
    var drops: (ChannelID, EntryID) -> Bool = { _, _ in false }

    /// Returns the time that the relay claims. The parameter is the true time. The claimed time and the true time are in
    /// milliseconds since 1970.
    var time: (UInt64) -> UInt64 = { $0 }

    func log(of channel: ModelChannel, _ id: ChannelID, to connection: RelayModel.Connection) -> ShownLog? {
        log(id, connection, channel.archive).map { ShownLog(of: channel, showing: $0) }
    }
}
