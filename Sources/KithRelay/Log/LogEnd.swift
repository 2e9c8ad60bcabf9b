/// The last entry of a channel, as the log itself shows it.
struct LogEnd {
    var seq: UInt64
    var position: UInt64
    /// Total payload size of all entries that the channel ever had, including this last entry, in bytes.
    var totalBytes: UInt64

    /// Returns the last entry of each channel that has entries after a position, by the channel's number. Also returns the
    /// numbers of channels whose last entry cannot be read.
    static func all(
        in connection: SQLiteConnection, after position: UInt64
    ) throws(StoreFailure) -> (ends: [UInt64: LogEnd], unreadable: Set<UInt64>) {
        var ends: [UInt64: LogEnd] = [:]
        var unreadable: Set<UInt64> = []
        let rows = try connection.prepare(
            "SELECT position, channel, seq, total_bytes FROM entry WHERE position > ? ORDER BY position")
        rows.bind(position, at: 1)
        while try rows.next() {
            let channel = rows.uint64(1)
            guard let position = try? rows.count(0), let seq = try? rows.count(2), let bytes = try? rows.count(3) else {
                ends[channel] = nil
                unreadable.insert(channel)
                continue
            }
            ends[channel] = LogEnd(seq: seq, position: position, totalBytes: bytes)
            if !unreadable.isEmpty { unreadable.remove(channel) }
        }
        return (ends, unreadable)
    }
}
