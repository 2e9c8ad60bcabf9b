/// The last entry of a channel, as the log itself says.
struct LogEnd {
    var seq: UInt64
    var position: UInt64
    /// The channel's payload bytes through it.
    var totalBytes: UInt64

    /// The ends of all channels that have entries after a position, by the channels' numbers.
    static func all(in connection: SQLiteConnection, after position: UInt64) throws(StoreFailure) -> [UInt64: LogEnd] {
        var ends: [UInt64: LogEnd] = [:]
        let rows = try connection.prepare(
            "SELECT position, channel, seq, total_bytes FROM entry WHERE position > ? ORDER BY position")
        rows.bind(position, at: 1)
        while try rows.next() {
            // One that cannot be is its channel's damage, which is found when the channel is read.
            guard let position = try? rows.count(0), let seq = try? rows.count(2), let bytes = try? rows.count(3) else {
                continue
            }
            ends[rows.uint64(1)] = LogEnd(seq: seq, position: position, totalBytes: bytes)
        }
        return ends
    }
}
